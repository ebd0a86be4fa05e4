//! The tables, once for both databases. The order of columns is the order in the migrations.

use diesel::{allow_tables_to_appear_in_same_query, table};

mod money;
mod people;
mod webhooks;

pub(crate) use money::{
    balances, collections, commission_rules, conversions, earning_moves, earnings, payout_items,
    payout_moves, payouts, refunds, transfers,
};
pub(crate) use people::{coupons, customers, introductions, invitations, replies};
pub(crate) use webhooks::{events, webhook_deliveries, webhook_endpoints};

table! {
    accounts (id) {
        id -> Integer,
        name -> Text,
        time_zone -> Text,
        created_at -> BigInt,
    }
}

table! {
    api_keys (id) {
        id -> Text,
        account_id -> Integer,
        name -> Text,
        kind -> Text,
        scopes -> Text,
        program_id -> Nullable<Text>,
        ambassador_id -> Nullable<Text>,
        hash -> Text,
        hint -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        replaces -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
    }
}

table! {
    programs (account_id, id) {
        account_id -> Integer,
        id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        landing_url -> Text,
        commission_basis_points -> BigInt,
        payout_schedule -> Text,
        minimum_payout -> BigInt,
        payout_currency -> Text,
        scheduled_since -> BigInt,
        available_when -> Text,
        hold_days -> BigInt,
        converted_by -> Text,
        audience -> Text,
        coupons -> BigInt,
        coupon_prefix -> Text,
        coupon_days -> Nullable<BigInt>,
        status -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    ambassadors (account_id, id) {
        account_id -> Integer,
        id -> Text,
        program_id -> Text,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        profile_picture -> Nullable<Text>,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    posters (account_id, id) {
        account_id -> Integer,
        id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        code -> Text,
        location -> Nullable<Text>,
        landing_url -> Nullable<Text>,
        status -> Text,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    impressions (account_id, id) {
        account_id -> Integer,
        id -> Text,
        poster_id -> Text,
        scanned_at -> BigInt,
        user_agent -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
    }
}

table! {
    referrals (account_id, id) {
        account_id -> Integer,
        id -> Text,
        impression_id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        email_folded -> Text,
        profile_picture -> Nullable<Text>,
        external_id -> Nullable<Text>,
        status -> Text,
        verified_at -> Nullable<BigInt>,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    referral_moves (account_id, referral_id, position) {
        account_id -> Integer,
        referral_id -> Text,
        position -> BigInt,
        from_status -> Text,
        to_status -> Text,
        moved_at -> BigInt,
        moved_by -> Text,
        note -> Nullable<Text>,
    }
}

table! {
    impressions_of (account_id, whose, id) {
        account_id -> Integer,
        whose -> Text,
        id -> Text,
    }
}

table! {
    impressions_filed (account_id) {
        account_id -> Integer,
        up_to -> Text,
    }
}

table! {
    acts (account_id, id) {
        account_id -> Integer,
        id -> Text,
        action -> Text,
        object_id -> Text,
        acted_by -> Nullable<Text>,
        details -> Text,
        created_at -> BigInt,
    }
}

table! {
    erasures (account_id, object_id) {
        account_id -> Integer,
        object_id -> Text,
        erased_at -> BigInt,
    }
}

table! {
    daily_stats (account_id, day, poster_id) {
        account_id -> Integer,
        day -> BigInt,
        poster_id -> Text,
        scans -> BigInt,
        pending -> BigInt,
        converted -> BigInt,
        verified -> BigInt,
        rejected -> BigInt,
    }
}

table! {
    cache_generation (only_row) {
        only_row -> BigInt,
        generation -> BigInt,
    }
}

allow_tables_to_appear_in_same_query!(posters, programs);
allow_tables_to_appear_in_same_query!(accounts, events);
allow_tables_to_appear_in_same_query!(daily_stats, posters);
allow_tables_to_appear_in_same_query!(impressions, impressions_of);
allow_tables_to_appear_in_same_query!(impressions, posters);
