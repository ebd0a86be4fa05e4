-- What a referred person bought, as the company reported it.
CREATE TABLE conversions (
    account_id              INTEGER NOT NULL,
    id                      TEXT COLLATE "C" NOT NULL,
    referral_id             TEXT COLLATE "C" NOT NULL,
    -- The referral's program and ambassador, copied so that filters need no join.
    program_id              TEXT COLLATE "C" NOT NULL,
    ambassador_id           TEXT COLLATE "C" NOT NULL,
    -- The company's own: one order is one conversion, for ever.
    order_id                TEXT COLLATE "C" NOT NULL CHECK (length(order_id) BETWEEN 1 AND 255),
    kind                    TEXT NOT NULL CHECK (kind IN ('purchase', 'subscription', 'renewal')),
    -- Minor units of currency.
    amount                  BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    currency                TEXT NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    occurred_at             BIGINT NOT NULL,
    -- How much of the amount was given back: the sum of the applied refunds.
    refunded                BIGINT NOT NULL CHECK (refunded BETWEEN 0 AND amount),
    -- What the rule made of the whole amount, and how (a JSON array of steps).
    commission              BIGINT NOT NULL CHECK (commission BETWEEN 0 AND amount),
    -- What of it no cap left room for when the rejection of its referral was taken back: that much is not due any more.
    capped                  BIGINT NOT NULL CHECK (capped BETWEEN 0 AND commission),
    rule_version            BIGINT NOT NULL CHECK (rule_version >= 1),
    steps                   TEXT NOT NULL CHECK (json_typeof(steps::json) = 'array'),
    -- The code by which the person was known, or which was given beside.
    coupon_code             TEXT COLLATE "C" CHECK (length(coupon_code) BETWEEN 1 AND 64),
    metadata                TEXT NOT NULL CHECK (json_typeof(metadata::json) = 'object'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT COLLATE "C" CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT COLLATE "C" NOT NULL,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, referral_id) REFERENCES referrals (account_id, id),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
);

CREATE UNIQUE INDEX conversions_by_order ON conversions (account_id, order_id);
CREATE UNIQUE INDEX conversions_by_idempotency_key ON conversions (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX conversions_by_referral ON conversions (account_id, referral_id, id);
CREATE INDEX conversions_by_program ON conversions (account_id, program_id, id);
CREATE INDEX conversions_by_ambassador ON conversions (account_id, ambassador_id, id);
-- What counts for a rule's tiers, and what is exported of a period.
CREATE INDEX conversions_of_program_in_time ON conversions (account_id, program_id, occurred_at);
CREATE INDEX conversions_of_ambassador_in_time ON conversions (account_id, ambassador_id, occurred_at);

-- What was given back of an order.
CREATE TABLE refunds (
    account_id              INTEGER NOT NULL,
    id                      TEXT COLLATE "C" NOT NULL,
    order_id                TEXT COLLATE "C" NOT NULL CHECK (length(order_id) BETWEEN 1 AND 255),
    -- waiting: its order has not been reported yet.
    status                  TEXT NOT NULL CHECK (status IN ('waiting', 'applied')),
    conversion_id           TEXT COLLATE "C",
    -- Minor units of currency. Without an amount: all that is left of the order, once it is known.
    amount                  BIGINT CHECK (amount BETWEEN 1 AND 99999999999),
    currency                TEXT CHECK (currency ~ '^[A-Z]{3}$'),
    -- By how much the ambassador's commission fell.
    reversed                BIGINT NOT NULL CHECK (reversed >= 0),
    reason                  TEXT CHECK (length(reason) <= 2000),
    metadata                TEXT NOT NULL CHECK (json_typeof(metadata::json) = 'object'),
    idempotency_key         TEXT COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT COLLATE "C" NOT NULL,
    created_at              BIGINT NOT NULL,
    applied_at              BIGINT,
    CHECK ((status = 'applied') = (conversion_id IS NOT NULL)),
    CHECK ((status = 'applied') = (applied_at IS NOT NULL)),
    CHECK (status = 'waiting' OR (amount IS NOT NULL AND currency IS NOT NULL)),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, conversion_id) REFERENCES conversions (account_id, id)
);

CREATE UNIQUE INDEX refunds_by_idempotency_key ON refunds (account_id, idempotency_key);
CREATE INDEX refunds_by_order ON refunds (account_id, order_id, id);
CREATE INDEX refunds_by_conversion ON refunds (account_id, conversion_id, id) WHERE conversion_id IS NOT NULL;
