CREATE TABLE referrals (
    account_id              INTEGER NOT NULL,
    id                      TEXT COLLATE "C" NOT NULL,
    -- None of the next three has a foreign key: the impression was found, and the signup is counted, in the same
    -- transaction (docs/decisions/0018).
    impression_id           TEXT COLLATE "C" NOT NULL,
    -- Program and ambassador are the impression's, copied when the signup is recorded.
    program_id              TEXT COLLATE "C" NOT NULL,
    ambassador_id           TEXT COLLATE "C" NOT NULL,
    first_name              TEXT NOT NULL CHECK (length(first_name) BETWEEN 1 AND 255),
    last_name               TEXT NOT NULL CHECK (length(last_name) BETWEEN 1 AND 255),
    email                   TEXT NOT NULL CHECK (length(email) BETWEEN 1 AND 254),
    -- The address as it is looked for: in lower case.
    email_folded            TEXT COLLATE "C" NOT NULL,
    profile_picture         TEXT CHECK (length(profile_picture) <= 2048),
    -- The company's own name for the person.
    external_id             TEXT COLLATE "C" CHECK (length(external_id) BETWEEN 1 AND 255),
    status                  TEXT NOT NULL CHECK (status IN ('pending', 'converted', 'verified', 'rejected')),
    verified_at             BIGINT,
    metadata                TEXT NOT NULL CHECK (json_typeof(metadata::json) = 'object'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT COLLATE "C" CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT COLLATE "C",
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    CHECK (status <> 'verified' OR verified_at IS NOT NULL),
    PRIMARY KEY (account_id, id)
);

CREATE INDEX referrals_by_program ON referrals (account_id, program_id, id);
-- Conversions may name the person instead of the referral.
CREATE INDEX referrals_by_email ON referrals (account_id, email_folded, id);
CREATE INDEX referrals_by_external_id ON referrals (account_id, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX referrals_by_ambassador ON referrals (account_id, ambassador_id, id);
CREATE UNIQUE INDEX referrals_by_idempotency_key ON referrals (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Every move of a status: who, when, from, to, why. Written in the move's own transaction.
CREATE TABLE referral_moves (
    account_id  INTEGER NOT NULL,
    referral_id TEXT COLLATE "C" NOT NULL,
    -- 1, 2, 3 … within one referral.
    position    BIGINT NOT NULL CHECK (position >= 1),
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    moved_at    BIGINT NOT NULL,
    moved_by    TEXT COLLATE "C" NOT NULL REFERENCES api_keys (id),
    note        TEXT CHECK (length(note) <= 2000),
    PRIMARY KEY (account_id, referral_id, position),
    FOREIGN KEY (account_id, referral_id) REFERENCES referrals (account_id, id),
    CHECK (from_status || '>' || to_status IN (
        'pending>converted',
        'pending>verified',
        'pending>rejected',
        'converted>verified',
        'converted>rejected',
        'verified>converted',
        'verified>rejected',
        'rejected>pending'
    ))
);

-- The same table of moves as `ReferralStatus::moves`, for whoever writes with SQL.
CREATE FUNCTION referrals_move_as_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this status does not move that way' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER referrals_move_as_allowed BEFORE UPDATE OF status ON referrals FOR EACH ROW
WHEN (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'pending>converted',
        'pending>verified',
        'pending>rejected',
        'converted>verified',
        'converted>rejected',
        'verified>converted',
        'verified>rejected',
        'rejected>pending'
    ))
EXECUTE FUNCTION referrals_move_as_allowed();
