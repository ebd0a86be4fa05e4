-- What happened, in order: written in the transaction of what it reports.
CREATE TABLE events (
    -- No foreign key: it is written with what it happened to, and it gets its number by event_counters, which has one
    -- (docs/decisions/0018).
    account_id      INTEGER NOT NULL,
    id              TEXT NOT NULL,
    -- 1, 2, 3 … of the account, without a gap. On PostgreSQL given after the commit, in the order of the commits.
    sequence        INTEGER CHECK (sequence >= 1),
    kind            TEXT NOT NULL,
    -- What it happened to.
    object_id       TEXT NOT NULL,
    -- The object as a client would have got it then.
    -- (No check calls a function: docs/decisions/0018.)
    data            TEXT NOT NULL CHECK (data >= '{' AND data < '|'),
    -- Where it stood before, if a status moved.
    previous_status TEXT,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE UNIQUE INDEX events_by_sequence ON events (account_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX events_to_number ON events (account_id, id) WHERE sequence IS NULL;

-- How far each account's events are numbered.
CREATE TABLE event_counters (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    last       INTEGER NOT NULL CHECK (last >= 0),
    PRIMARY KEY (account_id)
) STRICT, WITHOUT ROWID;
