-- What a caller was answered under an idempotency key, where the answer itself is promised again: for a day.
CREATE TABLE replies (
    account_id  INTEGER NOT NULL REFERENCES accounts (id),
    -- What was asked for; one key may be used for several operations.
    operation   TEXT COLLATE "C" NOT NULL CHECK (length(operation) BETWEEN 1 AND 255),
    key         TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- What it must be repeated with.
    fingerprint TEXT COLLATE "C" NOT NULL,
    status      BIGINT NOT NULL CHECK (status BETWEEN 200 AND 499),
    body        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, operation, key)
);

CREATE INDEX replies_by_age ON replies (account_id, created_at);

-- The events that VINR has a word for, which are few among many.
CREATE INDEX events_of_introductions ON events (account_id, sequence)
WHERE kind = 'introduction.created' OR kind = 'introduction.qualified' OR kind = 'introduction.rewarded';
