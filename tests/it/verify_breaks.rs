//! What the tests of `verify` break in a database.

/// What is broken, with what, how to mend it, and what has to be said about it.
pub const BREAKS: [(&str, &str, &str); 35] = [
    (
        "UPDATE balances SET paid = paid + 1 WHERE currency = 'USD'",
        "UPDATE balances SET paid = paid - 1 WHERE currency = 'USD'",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE transfers SET amount = amount + 1 WHERE position = 2",
        "UPDATE transfers SET amount = amount - 1 WHERE position = 2",
        "Every earning's portions are what its transfers add up to",
    ),
    (
        "UPDATE transfers SET position = 1000 WHERE position = 3 AND currency = 'USD'",
        "UPDATE transfers SET position = 3 WHERE position = 1000",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE transfers SET debit = 'in_payout', credit = 'expense' WHERE position = 4 AND currency = 'JPY'",
        "UPDATE transfers SET debit = 'in_payout', credit = 'paid' WHERE position = 4 AND currency = 'JPY'",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE earnings SET paid = paid - 1, set_off = set_off + 1 WHERE paid > 0",
        "UPDATE earnings SET paid = paid + 1, set_off = set_off - 1 WHERE paid > 0",
        "Every balance is what the ambassador's earnings have in that currency",
    ),
    (
        "UPDATE payout_items SET amount = amount + 1",
        "UPDATE payout_items SET amount = amount - 1",
        "Every payout is the sum of its items",
    ),
    (
        "UPDATE payout_items SET live = 0 WHERE live = 1 AND payout_id IN (SELECT id FROM payouts WHERE status = 'paid')",
        "UPDATE payout_items SET live = 1 WHERE payout_id IN (SELECT id FROM payouts WHERE status = 'paid')",
        "Every payout holds its earnings while it is on its way or has arrived",
    ),
    (
        "UPDATE refunds SET amount = amount - 1",
        "UPDATE refunds SET amount = amount + 1",
        "Every order is refunded by what its refunds add up to",
    ),
    (
        "UPDATE refunds SET reversed = reversed + 1",
        "UPDATE refunds SET reversed = reversed - 1",
        "Every refund took back what its transfers add up to",
    ),
    (
        "UPDATE conversions SET commission = commission - 1",
        "UPDATE conversions SET commission = commission + 1",
        "Every commission is what its computation says, and no more than the order",
    ),
    (
        "UPDATE referral_moves SET position = 9 WHERE position = 3",
        "UPDATE referral_moves SET position = 3 WHERE position = 9",
        "Every referral stands where its history leads",
    ),
    (
        "UPDATE daily_stats SET verified = verified + 1",
        "UPDATE daily_stats SET verified = verified - 1",
        "Every ambassador's signups are counted, by day and by where they stand",
    ),
    (
        "UPDATE daily_stats SET scans = scans + 1",
        "UPDATE daily_stats SET scans = scans - 1",
        "Every day's scans are counted",
    ),
    (
        "UPDATE introductions SET reward_amount = reward_amount + 1",
        "UPDATE introductions SET reward_amount = reward_amount - 1",
        "Every reward of an introduction was booked, and stands once at most",
    ),
    (
        "UPDATE conversions SET coupon_code = NULL",
        "UPDATE conversions SET coupon_code = (SELECT code FROM coupons k WHERE k.conversion_id = conversions.id)",
        "Every coupon was used for the order that says so",
    ),
    (
        "UPDATE impressions SET poster_id = 'x' || poster_id",
        "UPDATE impressions SET poster_id = substr(poster_id, 2)",
        "Every scan is of a poster that is there",
    ),
    (
        "UPDATE referrals SET impression_id = 'x' || impression_id",
        "UPDATE referrals SET impression_id = substr(impression_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "UPDATE referrals SET ambassador_id = 'x' || ambassador_id",
        "UPDATE referrals SET ambassador_id = substr(ambassador_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "UPDATE events SET account_id = 2147483647 - account_id",
        "UPDATE events SET account_id = 2147483647 - account_id",
        "Nothing is of an account that is not there",
    ),
    (
        "UPDATE referrals SET program_id = 'x' || program_id",
        "UPDATE referrals SET program_id = substr(program_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "INSERT INTO impressions (account_id, id, poster_id, scanned_at, metadata) VALUES (7, 'i', 'p', 1, '{}')",
        "DELETE FROM impressions WHERE account_id = 7",
        "Nothing is of an account that is not there",
    ),
    (
        "INSERT INTO referrals (account_id, id, impression_id, program_id, ambassador_id, first_name, last_name, email, \
            email_folded, status, metadata, created_at, updated_at) \
         VALUES (7, 'r', 'i', 'p', 'a', 'A', 'B', 'a@b.c', 'a@b.c', 'pending', '{}', 1, 1)",
        "DELETE FROM referrals WHERE account_id = 7",
        "Nothing is of an account that is not there",
    ),
    (
        "UPDATE conversions SET amount = amount + 1 WHERE order_id = 'S3'",
        "UPDATE conversions SET amount = amount - 1 WHERE order_id = 'S3'",
        "Every commission is what its computation says, and no more than the order",
    ),
    (
        "UPDATE conversions SET currency = 'EUR' WHERE order_id = 'S3'",
        "UPDATE conversions SET currency = 'USD' WHERE order_id = 'S3'",
        "Every earning says the same as its order, its signup and its rule",
    ),
    (
        "UPDATE conversions SET referral_id = (SELECT referral_id FROM introductions) WHERE order_id = 'S3'",
        "UPDATE conversions SET referral_id = (SELECT MIN(referral_id) FROM earnings WHERE conversion_id = conversions.id) \
            WHERE order_id = 'S3'",
        "Every order says the same as its signup and its rule",
    ),
    (
        "UPDATE earnings SET referral_id = (SELECT referral_id FROM introductions) WHERE currency = 'JPY'",
        "UPDATE earnings SET referral_id = (SELECT referral_id FROM conversions WHERE order_id = 'S2') WHERE currency = 'JPY'",
        "Every earning says the same as its order, its signup and its rule",
    ),
    (
        "UPDATE earnings SET referral_id = (SELECT referral_id FROM introductions) WHERE origin = 'reported'",
        "UPDATE earnings SET referral_id = (SELECT referral_id FROM conversions WHERE order_id = 'S2') WHERE origin = 'reported'",
        "Every earning says the same as its order, its signup and its rule",
    ),
    (
        "UPDATE conversions SET rule_version = 99 WHERE order_id = 'S2'; UPDATE earnings SET rule_version = 99 WHERE currency = 'JPY'",
        "UPDATE conversions SET rule_version = 1 WHERE order_id = 'S2'; UPDATE earnings SET rule_version = 1 WHERE currency = 'JPY'",
        "Every order says the same as its signup and its rule",
    ),
    (
        "UPDATE earnings SET rule_version = 99 WHERE origin = 'reward'",
        "UPDATE earnings SET rule_version = (SELECT MAX(version) FROM commission_rules r WHERE r.program_id = earnings.program_id) \
            WHERE origin = 'reward'",
        "Every earning says the same as its order, its signup and its rule",
    ),
    (
        "CREATE TABLE kept_coupons AS SELECT * FROM coupons; CREATE TABLE kept AS SELECT * FROM introductions; \
            DELETE FROM coupons; DELETE FROM introductions",
        "INSERT INTO introductions SELECT * FROM kept; INSERT INTO coupons SELECT * FROM kept_coupons; \
            DROP TABLE kept; DROP TABLE kept_coupons",
        "Every earning that was given again is in the place of one, and every reward is for an introduction",
    ),
    (
        "UPDATE earnings SET origin = 'reinstatement' WHERE origin = 'reported'",
        "UPDATE earnings SET origin = 'reported' WHERE origin = 'reinstatement' AND conversion_id IS NULL",
        "Every earning that was given again is in the place of one, and every reward is for an introduction",
    ),
    (
        "UPDATE earnings SET replaced_by = 'earn_gone' WHERE origin = 'reported'",
        "UPDATE earnings SET replaced_by = NULL WHERE origin = 'reported'",
        "Every earning that was given again is in the place of one, and every reward is for an introduction",
    ),
    (
        "CREATE TABLE kept AS SELECT id, origin FROM earnings; UPDATE earnings SET origin = 'bonus', milestone = 7",
        "UPDATE earnings SET milestone = NULL, origin = (SELECT origin FROM kept WHERE kept.id = earnings.id); DROP TABLE kept",
        "Every bonus stands once at most",
    ),
    (
        "UPDATE transfers SET occasion = 'refund_gone' WHERE occasion = (SELECT id FROM refunds WHERE idempotency_key = 'late')",
        "UPDATE transfers SET occasion = (SELECT id FROM refunds WHERE idempotency_key = 'late') WHERE occasion = 'refund_gone'",
        "Every transfer for a refund is of one of its order",
    ),
    (
        "UPDATE transfers SET occasion = 'refund_gone' WHERE reason = 'released'",
        "UPDATE transfers SET occasion = NULL WHERE reason = 'released'",
        "Every transfer for a refund is of one of its order",
    ),
];
