-- Keys. Only the SHA-256 is kept: 238 random bits need no slow hash.
CREATE TABLE api_keys (
    id                      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id              INTEGER NOT NULL REFERENCES accounts (id),
    name                    TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    kind                    TEXT NOT NULL CHECK (kind IN ('secret', 'restricted', 'publishable')),
    -- What a restricted key may do: words such as referrals:read.
    scopes                  TEXT NOT NULL CHECK ((kind = 'restricted') = (scopes <> '')),
    -- The part of the account that it opens. A secret key opens all of it.
    program_id              TEXT COLLATE "C" CHECK (program_id IS NULL OR kind <> 'secret'),
    ambassador_id           TEXT COLLATE "C" CHECK (ambassador_id IS NULL OR program_id IS NOT NULL),
    hash                    TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(hash) = 64),
    -- The last four characters, to tell keys apart in a list.
    hint                    TEXT NOT NULL CHECK (length(hint) = 4),
    created_at              BIGINT NOT NULL,
    expires_at              BIGINT,
    revoked_at              BIGINT,
    -- The key in whose place it was put.
    replaces                TEXT COLLATE "C",
    idempotency_key         TEXT COLLATE "C" CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    FOREIGN KEY (account_id, program_id) REFERENCES programs (account_id, id),
    FOREIGN KEY (account_id, ambassador_id) REFERENCES ambassadors (account_id, id)
);

CREATE INDEX api_keys_by_account ON api_keys (account_id, id);
-- To make a key and to put one in the place of another are two operations: each has idempotency keys of its own.
CREATE UNIQUE INDEX api_keys_by_idempotency_key ON api_keys (account_id, idempotency_key)
WHERE idempotency_key IS NOT NULL AND replaces IS NULL;
CREATE UNIQUE INDEX api_keys_by_idempotency_key_of_rotation ON api_keys (account_id, idempotency_key)
WHERE idempotency_key IS NOT NULL AND replaces IS NOT NULL;
