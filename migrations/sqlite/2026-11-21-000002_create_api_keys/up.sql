-- Secret keys. Only the SHA-256 is kept: 238 random bits need no slow hash.
CREATE TABLE api_keys (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    hash       TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
    -- The last four characters, to tell keys apart in a list.
    hint       TEXT NOT NULL CHECK (length(hint) = 4),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
