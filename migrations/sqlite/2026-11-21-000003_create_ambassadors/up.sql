-- "user" and "student_id" on the wire.
CREATE TABLE ambassadors (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    program_id              TEXT NOT NULL,
    first_name              TEXT NOT NULL CHECK (length(first_name) BETWEEN 1 AND 255),
    last_name               TEXT NOT NULL CHECK (length(last_name) BETWEEN 1 AND 255),
    email                   TEXT NOT NULL CHECK (length(email) BETWEEN 1 AND 254),
    profile_picture         TEXT CHECK (length(profile_picture) <= 2048),
    metadata                TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id),
    -- The target of "this ambassador, of this program" in posters, referrals and earnings.
    UNIQUE (account_id, program_id, id),
    FOREIGN KEY (account_id, program_id) REFERENCES programs (account_id, id)
) STRICT;

CREATE UNIQUE INDEX ambassadors_by_idempotency_key ON ambassadors (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
