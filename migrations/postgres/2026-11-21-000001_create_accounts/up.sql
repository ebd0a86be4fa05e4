-- The tenant. Every other row belongs to one.
CREATE TABLE accounts (
    -- acct_123abc, kept as the number that its digits are (docs/decisions/0019).
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id >= 0),
    -- The command line picks an account by its name, so two cannot share one.
    name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 255),
    -- When its days begin: a name of the IANA's, such as Europe/Lisbon.
    time_zone  TEXT NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    created_at BIGINT NOT NULL
);
