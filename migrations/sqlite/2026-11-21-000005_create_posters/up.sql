-- Posters are never deleted: a retired code stays taken, because paper cannot be recalled.
CREATE TABLE posters (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    program_id              TEXT NOT NULL,
    ambassador_id           TEXT NOT NULL,
    -- Unique over all accounts: /q/{code} knows no account.
    code                    TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 4 AND 32),
    location                TEXT CHECK (length(location) <= 255),
    landing_url             TEXT CHECK (length(landing_url) BETWEEN 1 AND 2048),
    status                  TEXT NOT NULL CHECK (status IN ('active', 'retired')),
    metadata                TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id),
    -- The target of foreign keys: who copies a poster's program and ambassador copies them right.
    UNIQUE (account_id, id, program_id, ambassador_id),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
) STRICT;

CREATE INDEX posters_by_program ON posters (account_id, program_id, id);
CREATE INDEX posters_by_ambassador ON posters (account_id, ambassador_id, id);
CREATE UNIQUE INDEX posters_by_idempotency_key ON posters (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
