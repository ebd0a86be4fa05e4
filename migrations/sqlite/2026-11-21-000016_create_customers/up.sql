-- People whom the company knows: they may bring others, and be brought.
CREATE TABLE customers (
    account_id              INTEGER NOT NULL REFERENCES accounts (id),
    id                      TEXT NOT NULL,
    email                   TEXT NOT NULL CHECK (length(email) BETWEEN 1 AND 254),
    -- The address as it is looked for: in lower case.
    email_folded            TEXT NOT NULL,
    name                    TEXT CHECK (length(name) BETWEEN 1 AND 255),
    phone                   TEXT CHECK (length(phone) BETWEEN 3 AND 16),
    -- The company's own name for the person.
    external_id             TEXT CHECK (length(external_id) BETWEEN 1 AND 255),
    metadata                TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id)
) STRICT;

-- One person is one customer.
CREATE UNIQUE INDEX customers_by_email ON customers (account_id, email_folded);
CREATE UNIQUE INDEX customers_by_external_id ON customers (account_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX customers_by_idempotency_key ON customers (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What a customer who brings others has in the customer program: an ambassador record, and a link. One of each.
CREATE TABLE invitations (
    account_id    INTEGER NOT NULL,
    customer_id   TEXT NOT NULL,
    program_id    TEXT NOT NULL,
    ambassador_id TEXT NOT NULL,
    -- A poster that is never printed: the link is its scan URL.
    poster_id     TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, customer_id),
    FOREIGN KEY (account_id, customer_id) REFERENCES customers (account_id, id),
    FOREIGN KEY (account_id, poster_id, program_id, ambassador_id)
        REFERENCES posters (account_id, id, program_id, ambassador_id)
) STRICT;

CREATE UNIQUE INDEX invitations_by_ambassador ON invitations (account_id, ambassador_id);

-- One customer brought another: which signup it was, and what the first of them got for it.
CREATE TABLE introductions (
    account_id    INTEGER NOT NULL,
    referral_id   TEXT NOT NULL,
    referrer_id   TEXT NOT NULL,
    referred_id   TEXT NOT NULL,
    -- When the conditions were met, by which conversion. Never taken back.
    qualified_at  INTEGER,
    conversion_id TEXT,
    -- When the reward was booked, and how much it was, in minor units or points. Never taken back.
    rewarded_at   INTEGER,
    reward_amount INTEGER CHECK (reward_amount BETWEEN 1 AND 99999999999),
    reward_unit   TEXT CHECK (reward_unit GLOB '[A-Z][A-Z][A-Z]'),
    created_at    INTEGER NOT NULL,
    CHECK (referrer_id <> referred_id),
    CHECK ((qualified_at IS NULL) = (conversion_id IS NULL)),
    CHECK ((rewarded_at IS NULL) = (reward_amount IS NULL)),
    CHECK ((rewarded_at IS NULL) = (reward_unit IS NULL)),
    CHECK (rewarded_at IS NULL OR qualified_at IS NOT NULL),
    PRIMARY KEY (account_id, referral_id),
    FOREIGN KEY (account_id, referral_id) REFERENCES referrals (account_id, id),
    FOREIGN KEY (account_id, referrer_id) REFERENCES customers (account_id, id),
    FOREIGN KEY (account_id, referred_id) REFERENCES customers (account_id, id),
    FOREIGN KEY (account_id, conversion_id) REFERENCES conversions (account_id, id)
) STRICT;

-- Nobody is brought twice.
CREATE UNIQUE INDEX introductions_by_referred ON introductions (account_id, referred_id);
CREATE INDEX introductions_by_referrer ON introductions (account_id, referrer_id, referral_id);

-- A code for a customer who was brought.
CREATE TABLE coupons (
    account_id    INTEGER NOT NULL,
    code          TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    referral_id   TEXT NOT NULL,
    expires_at    INTEGER,
    -- What was bought with it, and when.
    conversion_id TEXT,
    used_at       INTEGER,
    created_at    INTEGER NOT NULL,
    CHECK ((conversion_id IS NULL) = (used_at IS NULL)),
    PRIMARY KEY (account_id, code),
    FOREIGN KEY (account_id, referral_id) REFERENCES introductions (account_id, referral_id),
    FOREIGN KEY (account_id, conversion_id) REFERENCES conversions (account_id, id)
) STRICT;

CREATE UNIQUE INDEX coupons_by_referral ON coupons (account_id, referral_id);
-- How many were used from one moment to another.
CREATE INDEX coupons_by_use ON coupons (account_id, used_at) WHERE used_at IS NOT NULL;
