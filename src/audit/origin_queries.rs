//! Comparisons that the database makes itself about where earnings come from. As in `difference_queries`, each lists what
//! does not fit among the rows of a stretch.

use super::difference_queries::differences;

differences! {
    /// Earnings that do not say the same as the order they came of.
    of_other_orders: "SELECT e.id AS about, 'it is of ' || e.referral_id || ' of ' || e.ambassador_id || ' in ' || e.currency \
            || ' by rule ' || COALESCE(e.rule_version, 0) || ', and its order ' || c.id || ' of ' || c.referral_id || ' of ' \
            || c.ambassador_id || ' in ' || c.currency || ' by rule ' || c.rule_version AS problem \
        FROM earnings e JOIN conversions c ON c.account_id = e.account_id AND c.id = e.conversion_id \
        WHERE e.account_id = $1 AND e.id > $2 AND e.id <= $3 AND (e.referral_id <> c.referral_id \
            OR e.program_id <> c.program_id OR e.ambassador_id <> c.ambassador_id OR e.currency <> c.currency \
            OR COALESCE(e.rule_version, 0) <> c.rule_version)";

    /// Earnings of another ambassador than their referral is of.
    of_other_ambassadors: &other_ambassadors("earnings");

    /// Orders of another ambassador than their referral is of.
    orders_of_other_ambassadors: &other_ambassadors("conversions");

    /// Earnings by a version of a rule that is not there.
    without_rule: &unknown_rule("earnings");

    /// Orders by a version of a rule that is not there.
    orders_without_rule: &unknown_rule("conversions");

    /// Earnings that were given again in the place of none, and earnings whose place was taken by none.
    given_again: "SELECT e.id AS about, 'it was given again, and is in the place of no other' AS problem FROM earnings e \
        WHERE e.account_id = $1 AND e.id > $2 AND e.id <= $3 AND e.origin = 'reinstatement' AND e.conversion_id IS NULL \
            AND NOT EXISTS (SELECT 1 FROM earnings o WHERE o.account_id = e.account_id \
                AND o.referral_id = e.referral_id AND o.replaced_by = e.id) \
        UNION ALL \
        SELECT e.id AS about, 'in its place is ' || e.replaced_by || ', which is not its referral''s' AS problem FROM earnings e \
        WHERE e.account_id = $1 AND e.id > $2 AND e.id <= $3 AND e.replaced_by IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM earnings o WHERE o.account_id = e.account_id \
                AND o.referral_id = e.referral_id AND o.id = e.replaced_by)";

    /// Ambassadors of whom several bonuses for one number of referrals stand.
    bonuses: "SELECT ambassador_id AS about, \
            'its bonus for ' || milestone || ' referrals stands ' || COUNT(*) || ' times' AS problem \
        FROM earnings WHERE account_id = $1 AND ambassador_id > $2 AND ambassador_id <= $3 \
            AND milestone IS NOT NULL AND amount > reversed + clawed_back \
        GROUP BY ambassador_id, milestone HAVING COUNT(*) > 1";

    /// Transfers for a refund that is not there, or not of the earning's order or person; and those that can have been for
    /// nothing, and say for what.
    transfers_without_refund: "SELECT t.id AS about, \
            t.reason || ' of ' || t.earning_id || ' for ' || t.occasion || ', which is no refund of it' AS problem \
        FROM transfers t JOIN earnings e ON e.account_id = t.account_id AND e.id = t.earning_id \
        WHERE t.account_id = $1 AND t.earning_id > $2 AND t.earning_id <= $3 AND t.occasion IS NOT NULL \
            AND t.reason NOT IN ('payout_started', 'payout_paid', 'payout_ended') \
            AND NOT (t.reason IN ('reversed_while_held', 'reversed_before_payout', 'clawed_back') AND EXISTS ( \
                SELECT 1 FROM refunds r JOIN conversions c ON c.account_id = r.account_id AND c.id = r.conversion_id \
                WHERE r.account_id = t.account_id AND r.id = t.occasion \
                    AND (c.id = e.conversion_id OR (e.conversion_id IS NULL AND c.referral_id = e.referral_id))))";

    /// Rewards that were booked, and that no introduction has.
    rewards_without_introduction: "SELECT e.id AS about, \
            'it is a reward for ' || e.referral_id || ', and no introduction says so' AS problem FROM earnings e \
        WHERE e.account_id = $1 AND e.id > $2 AND e.id <= $3 AND e.origin = 'reward' \
            AND NOT EXISTS (SELECT 1 FROM introductions i WHERE i.account_id = e.account_id \
                AND i.referral_id = e.referral_id AND i.rewarded_at IS NOT NULL)";
}

/// Rows of `table` that name another ambassador than their referral.
fn other_ambassadors(table: &str) -> String {
    format!(
        "SELECT t.id AS about, 'it is of ' || t.ambassador_id || ', and ' || r.id || ' of ' || r.ambassador_id AS problem \
            FROM {table} t JOIN referrals r ON r.account_id = t.account_id AND r.id = t.referral_id \
            WHERE t.account_id = $1 AND t.id > $2 AND t.id <= $3 \
                AND (t.ambassador_id <> r.ambassador_id OR t.program_id <> r.program_id)"
    )
}

/// Rows of `table` that name a version of their program's rule that was never published.
fn unknown_rule(table: &str) -> String {
    format!(
        "SELECT t.id AS about, 'it was computed by rule ' || t.rule_version || ', which is not there' AS problem \
            FROM {table} t WHERE t.account_id = $1 AND t.id > $2 AND t.id <= $3 AND t.rule_version IS NOT NULL \
                AND NOT EXISTS (SELECT 1 FROM commission_rules r WHERE r.account_id = t.account_id \
                    AND r.program_id = t.program_id AND r.version = t.rule_version)"
    )
}
