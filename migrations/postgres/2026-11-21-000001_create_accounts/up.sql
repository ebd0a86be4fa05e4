-- The tenant. Every other row belongs to one.
CREATE TABLE accounts (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The command line picks an account by its name, so two cannot share one.
    name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 255),
    created_at BIGINT NOT NULL
);
