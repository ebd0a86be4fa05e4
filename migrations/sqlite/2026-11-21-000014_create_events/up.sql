-- What happened, in order: written in the transaction of what it reports.
CREATE TABLE events (
    -- No foreign key: it is written with what it happened to (docs/decisions/0018).
    account_id      INTEGER NOT NULL,
    -- 1, 2, 3 … of the account, without a gap, and with the moment its id (docs/decisions/0020). Given when it is
    -- written; what is copied from PostgreSQL may have one below 0, as there.
    sequence        INTEGER NOT NULL CHECK (sequence <> 0),
    kind            TEXT NOT NULL,
    -- What it happened to.
    object_id       TEXT NOT NULL,
    -- The object as a client would have got it then.
    -- (No check calls a function: docs/decisions/0018.)
    data            TEXT NOT NULL CHECK (data >= '{' AND data < '|'),
    -- Where it stood before, if a status moved.
    previous_status TEXT,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (account_id, sequence)
) STRICT;

-- The events of scans, in the order of the scans, which are told late now and then. Others are not in it.
CREATE INDEX events_of_scans ON events (account_id, created_at, sequence) WHERE kind = 'impression.created';
