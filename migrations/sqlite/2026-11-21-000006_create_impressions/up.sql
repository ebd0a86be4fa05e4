-- Scans, in the order of their ids, which is the order of time: a new one goes to the end of one tree.
-- ip_address and user_agent are personal data and may be forgotten.
-- No check calls a function (docs/decisions/0018): how long a text may be is up to the types that read it, and
-- `handbill verify` looks.
CREATE TABLE impressions (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    -- Program and ambassador are the poster's, which keeps them for ever. No foreign key of its own: its scans are counted
    -- in the same transaction, in daily_stats, which has one (docs/decisions/0018).
    poster_id               TEXT NOT NULL,
    scanned_at              INTEGER NOT NULL,
    user_agent              TEXT,
    ip_address              TEXT,
    metadata                TEXT NOT NULL CHECK (metadata >= '{' AND metadata < '|'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (idempotency_key <> ''),
    idempotency_fingerprint TEXT,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

-- Whose scans they are, for lists of one poster, ambassador or program. Three indexes would cost several times
-- the scan itself; instead the scans of a while are filed here together, sorted (see impressions/file.rs).
CREATE TABLE impressions_of (
    account_id INTEGER NOT NULL,
    -- The id of a poster, an ambassador or a program.
    whose      TEXT NOT NULL,
    id         TEXT NOT NULL,
    PRIMARY KEY (account_id, whose, id)
) STRICT, WITHOUT ROWID;

-- Up to which id an account's scans are filed.
CREATE TABLE impressions_filed (
    account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id),
    up_to      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX impressions_by_idempotency_key ON impressions (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Signups point at them without a foreign key (docs/decisions/0018).
CREATE TRIGGER impressions_are_not_deleted BEFORE DELETE ON impressions
BEGIN
    SELECT RAISE(ABORT, 'scans are never deleted');
END;
CREATE TRIGGER impressions_keep_their_ids BEFORE UPDATE OF account_id, id ON impressions
BEGIN
    SELECT RAISE(ABORT, 'scans keep their ids');
END;
