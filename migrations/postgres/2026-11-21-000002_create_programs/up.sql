CREATE TABLE programs (
    account_id              INTEGER NOT NULL REFERENCES accounts (id),
    id                      TEXT COLLATE "C" NOT NULL,
    name                    TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description             TEXT CHECK (length(description) <= 2000),
    landing_url             TEXT NOT NULL CHECK (length(landing_url) BETWEEN 1 AND 2048),
    -- Hundredths of a percent.
    commission_basis_points BIGINT NOT NULL CHECK (commission_basis_points BETWEEN 0 AND 10000),
    payout_schedule         TEXT NOT NULL CHECK (payout_schedule IN ('weekly', 'biweekly', 'monthly', 'manual')),
    -- Minor units of payout_currency.
    minimum_payout          BIGINT NOT NULL CHECK (minimum_payout BETWEEN 0 AND 99999999999),
    payout_currency         TEXT NOT NULL CHECK (payout_currency ~ '^[A-Z]{3}$'),
    -- Since when the schedule is what it is: nothing is collected for moments before.
    scheduled_since         BIGINT NOT NULL,
    -- What ends the hold of an earning.
    available_when          TEXT NOT NULL CHECK (available_when IN ('verified', 'hold_days')),
    hold_days               BIGINT NOT NULL CHECK (hold_days BETWEEN 0 AND 3650),
    -- What makes a pending referral converted.
    converted_by            TEXT NOT NULL CHECK (converted_by IN ('conversion', 'hand')),
    -- customers: whoever is brought by a customer is one. For good, and one program of an account at most.
    audience                TEXT NOT NULL CHECK (audience IN ('ambassadors', 'customers')),
    -- 1 if a customer who is brought gets a code.
    coupons                 BIGINT NOT NULL CHECK (coupons IN (0, 1)),
    coupon_prefix           TEXT NOT NULL CHECK (length(coupon_prefix) <= 20),
    -- How many days a code is good for; none: for ever.
    coupon_days             BIGINT CHECK (coupon_days BETWEEN 1 AND 3650),
    status                  TEXT NOT NULL CHECK (status IN ('active', 'paused')),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT COLLATE "C" CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT COLLATE "C",
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    CHECK (coupons = 0 OR audience = 'customers'),
    PRIMARY KEY (account_id, id)
);

CREATE UNIQUE INDEX programs_by_idempotency_key ON programs (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX programs_for_customers ON programs (account_id) WHERE audience = 'customers';
