-- Scans. ip_address and user_agent are personal data and may be forgotten.
CREATE TABLE impressions (
    account_id              INTEGER NOT NULL,
    id                      TEXT COLLATE "C" NOT NULL,
    -- Program and ambassador are the poster's, which keeps them for ever. No foreign key of its own: its scans are counted
    -- in the same transaction, in daily_stats, which has one (docs/decisions/0018).
    poster_id               TEXT COLLATE "C" NOT NULL,
    scanned_at              BIGINT NOT NULL,
    user_agent              TEXT CHECK (length(user_agent) <= 2000),
    ip_address              TEXT CHECK (length(ip_address) <= 45),
    metadata                TEXT NOT NULL CHECK (metadata LIKE '{%}'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT COLLATE "C" CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT COLLATE "C",
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id)
);

-- Whose scans they are, for lists of one poster, ambassador or program. Three indexes would cost several times
-- the scan itself; instead the scans of a while are filed here together, sorted (see impressions/file.rs).
CREATE TABLE impressions_of (
    account_id INTEGER NOT NULL,
    -- The id of a poster, an ambassador or a program.
    whose      TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, whose, id)
);

-- Up to which id an account's scans are filed.
CREATE TABLE impressions_filed (
    account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id),
    up_to      TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX impressions_by_idempotency_key ON impressions (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Signups point at them without a foreign key (docs/decisions/0018).
CREATE FUNCTION impressions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'scans are never deleted and keep their ids' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER impressions_stay BEFORE DELETE OR UPDATE OF account_id, id ON impressions
    FOR EACH ROW EXECUTE FUNCTION impressions_stay();
CREATE TRIGGER impressions_stay_all BEFORE TRUNCATE ON impressions EXECUTE FUNCTION impressions_stay();
