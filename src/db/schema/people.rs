//! The tables about customers, and about what other APIs promise their callers. See `schema`.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    customers (account_id, id) {
        account_id -> Integer,
        id -> Text,
        email -> Text,
        email_folded -> Text,
        name -> Nullable<Text>,
        phone -> Nullable<Text>,
        external_id -> Nullable<Text>,
        metadata -> Text,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    invitations (account_id, customer_id) {
        account_id -> Integer,
        customer_id -> Text,
        program_id -> Text,
        ambassador_id -> Text,
        poster_id -> Text,
        created_at -> BigInt,
    }
}

table! {
    introductions (account_id, referral_id) {
        account_id -> Integer,
        referral_id -> Text,
        referrer_id -> Text,
        referred_id -> Text,
        qualified_at -> Nullable<BigInt>,
        conversion_id -> Nullable<Text>,
        rewarded_at -> Nullable<BigInt>,
        reward_amount -> Nullable<BigInt>,
        reward_unit -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    coupons (account_id, code) {
        account_id -> Integer,
        code -> Text,
        referral_id -> Text,
        expires_at -> Nullable<BigInt>,
        conversion_id -> Nullable<Text>,
        used_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

table! {
    replies (account_id, operation, key) {
        account_id -> Integer,
        operation -> Text,
        key -> Text,
        fingerprint -> Text,
        status -> BigInt,
        body -> Text,
        created_at -> BigInt,
    }
}

allow_tables_to_appear_in_same_query!(introductions, coupons);
allow_tables_to_appear_in_same_query!(introductions, customers);
