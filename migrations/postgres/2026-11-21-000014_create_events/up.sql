CREATE SEQUENCE events_written MINVALUE -9223372036854775807 MAXVALUE -1;

-- What happened, in order: written in the transaction of what it reports.
CREATE TABLE events (
    -- No foreign key: it is written with what it happened to (docs/decisions/0018).
    account_id      INTEGER NOT NULL,
    -- 1, 2, 3 … of the account, without a gap, and with the moment its id (docs/decisions/0020). Given after the
    -- commit, in the order of the commits; until then it is below 0, and says in which order events were written.
    sequence        BIGINT NOT NULL DEFAULT nextval('events_written') CHECK (sequence <> 0),
    kind            TEXT NOT NULL,
    -- What it happened to.
    object_id       TEXT COLLATE "C" NOT NULL,
    -- The object as a client would have got it then.
    data            TEXT NOT NULL CHECK (data LIKE '{%}'),
    -- Where it stood before, if a status moved.
    previous_status TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, sequence)
);

-- The events of scans, in the order of the scans, which are told late now and then. Others are not in it.
CREATE INDEX events_of_scans ON events (account_id, created_at, sequence) WHERE kind = 'impression.created';
