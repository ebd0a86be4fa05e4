//! The tables about events and where they are sent. See `schema`.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    events (account_id, sequence) {
        account_id -> Integer,
        sequence -> BigInt,
        kind -> Text,
        object_id -> Text,
        data -> Text,
        previous_status -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    webhook_endpoints (account_id, id) {
        account_id -> Integer,
        id -> Text,
        url -> Text,
        dialect -> Text,
        types -> Nullable<Text>,
        description -> Nullable<Text>,
        enabled -> BigInt,
        secret -> Text,
        old_secret -> Nullable<Text>,
        old_secret_until -> Nullable<BigInt>,
        rotation_key -> Nullable<Text>,
        reached -> BigInt,
        replay_to -> Nullable<BigInt>,
        resume_at -> Nullable<BigInt>,
        attempt -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        leased_until -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        disabled_reason -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        idempotency_fingerprint -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    webhook_deliveries (account_id, endpoint_id, event_id) {
        account_id -> Integer,
        endpoint_id -> Text,
        event_id -> Text,
        kind -> Text,
        status -> Text,
        attempts -> BigInt,
        last_status -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        excerpt -> Nullable<Text>,
        took_ms -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
        next_at -> Nullable<BigInt>,
    }
}

allow_tables_to_appear_in_same_query!(events, webhook_endpoints);
