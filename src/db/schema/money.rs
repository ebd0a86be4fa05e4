//! The tables about money. See `schema`.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    conversions (account_id, id) {
        account_id -> Integer,
        id -> Text,
        referral_id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        order_id -> Text,
        kind -> Text,
        amount -> BigInt,
        currency -> Text,
        occurred_at -> BigInt,
        refunded -> BigInt,
        commission -> BigInt,
        capped -> BigInt,
        rule_version -> BigInt,
        steps -> Text,
        coupon_code -> Nullable<Text>,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    refunds (account_id, id) {
        account_id -> Integer,
        id -> Text,
        order_id -> Text,
        status -> Text,
        conversion_id -> Nullable<Text>,
        amount -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        reversed -> BigInt,
        reason -> Nullable<Text>,
        metadata -> Text,
        idempotency_key -> Text,
        idempotency_fingerprint -> Text,
        created_at -> BigInt,
        applied_at -> Nullable<BigInt>,
    }
}

table! {
    earnings (account_id, id) {
        account_id -> Integer,
        id -> Text,
        referral_id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        amount -> BigInt,
        currency -> Text,
        kind -> Nullable<Text>,
        description -> Nullable<Text>,
        status -> Text,
        reference_id -> Nullable<Text>,
        paid_at -> Nullable<BigInt>,
        metadata -> Text,
        origin -> Text,
        conversion_id -> Nullable<Text>,
        rule_version -> Nullable<BigInt>,
        milestone -> Nullable<BigInt>,
        available_at -> Nullable<BigInt>,
        replaced_by -> Nullable<Text>,
        held -> BigInt,
        available -> BigInt,
        in_payout -> BigInt,
        paid -> BigInt,
        set_off -> BigInt,
        reversed -> BigInt,
        clawed_back -> BigInt,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    earning_moves (account_id, earning_id, position) {
        account_id -> Integer,
        earning_id -> Text,
        position -> BigInt,
        from_status -> Text,
        to_status -> Text,
        moved_at -> BigInt,
        moved_by -> Nullable<Text>,
        note -> Nullable<Text>,
    }
}

table! {
    balances (account_id, ambassador_id, currency) {
        account_id -> Integer,
        ambassador_id -> Text,
        currency -> Text,
        program_id -> Text,
        pending -> BigInt,
        available -> BigInt,
        in_payout -> BigInt,
        paid -> BigInt,
        owed_back -> BigInt,
        transfers -> BigInt,
        moved_at -> BigInt,
    }
}

table! {
    transfers (account_id, id) {
        account_id -> Integer,
        id -> Text,
        ambassador_id -> Text,
        currency -> Text,
        position -> BigInt,
        debit -> Text,
        credit -> Text,
        amount -> BigInt,
        reason -> Text,
        earning_id -> Text,
        occasion -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    collections (account_id, id) {
        account_id -> Integer,
        id -> Text,
        program_id -> Text,
        status -> Text,
        reached -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    payouts (account_id, id) {
        account_id -> Integer,
        id -> Text,
        collection_id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        amount -> BigInt,
        currency -> Text,
        status -> Text,
        reference_id -> Nullable<Text>,
        failure_reason -> Nullable<Text>,
        metadata -> Text,
        paid_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    payout_items (account_id, payout_id, earning_id) {
        account_id -> Integer,
        payout_id -> Text,
        earning_id -> Text,
        amount -> BigInt,
        live -> BigInt,
    }
}

table! {
    payout_moves (account_id, payout_id, position) {
        account_id -> Integer,
        payout_id -> Text,
        position -> BigInt,
        from_status -> Text,
        to_status -> Text,
        moved_at -> BigInt,
        moved_by -> Text,
        note -> Nullable<Text>,
    }
}

table! {
    commission_rules (account_id, program_id, version) {
        account_id -> Integer,
        program_id -> Text,
        version -> BigInt,
        rule -> Text,
        created_at -> BigInt,
        created_by -> Nullable<Text>,
    }
}

allow_tables_to_appear_in_same_query!(conversions, earnings);
