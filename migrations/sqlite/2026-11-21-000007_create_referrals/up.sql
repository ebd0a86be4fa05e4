-- No check calls a function, for which SQLite would keep a journal of every statement of many rows (docs/decisions/0018):
-- how long a text may be is up to the types that read it, and `handbill verify` looks.
-- Nor does one say `IN` of three or more, for which SQLite would make a table at every row.
CREATE TABLE referrals (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    -- None of the next three has a foreign key: the impression was found, and the signup is counted, in the same
    -- transaction (docs/decisions/0018).
    impression_id           TEXT NOT NULL,
    -- Program and ambassador are the impression's, copied when the signup is recorded.
    program_id              TEXT NOT NULL,
    ambassador_id           TEXT NOT NULL,
    first_name              TEXT NOT NULL CHECK (first_name <> ''),
    last_name               TEXT NOT NULL CHECK (last_name <> ''),
    email                   TEXT NOT NULL CHECK (email <> ''),
    -- The address as it is looked for: in lower case.
    email_folded            TEXT NOT NULL,
    profile_picture         TEXT,
    -- The company's own name for the person.
    external_id             TEXT CHECK (external_id <> ''),
    status                  TEXT NOT NULL CHECK (status = 'pending' OR status = 'converted' OR status = 'verified' OR status = 'rejected'),
    verified_at             INTEGER,
    metadata                TEXT NOT NULL CHECK (metadata >= '{' AND metadata < '|'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (idempotency_key <> ''),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    CHECK (status <> 'verified' OR verified_at IS NOT NULL),
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE INDEX referrals_by_program ON referrals (account_id, program_id, id);
-- Conversions may name the person instead of the referral.
CREATE INDEX referrals_by_email ON referrals (account_id, email_folded, id);
CREATE INDEX referrals_by_external_id ON referrals (account_id, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX referrals_by_ambassador ON referrals (account_id, ambassador_id, id);
CREATE UNIQUE INDEX referrals_by_idempotency_key ON referrals (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Every move of a status: who, when, from, to, why. Written in the move's own transaction.
CREATE TABLE referral_moves (
    account_id  INTEGER NOT NULL,
    referral_id TEXT NOT NULL,
    -- 1, 2, 3 … within one referral.
    position    INTEGER NOT NULL CHECK (position >= 1),
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    moved_at    INTEGER NOT NULL,
    moved_by    TEXT NOT NULL REFERENCES api_keys (id),
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
) STRICT;

-- The same table of moves as `ReferralStatus::moves`, for whoever writes with SQL.
CREATE TRIGGER referrals_move_as_allowed BEFORE UPDATE OF status ON referrals
WHEN OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'pending>converted',
        'pending>verified',
        'pending>rejected',
        'converted>verified',
        'converted>rejected',
        'verified>converted',
        'verified>rejected',
        'rejected>pending'
    )
BEGIN
    SELECT RAISE(ABORT, 'this status does not move that way');
END;
