-- One run over a program's ambassadors that pays out what is due.
CREATE TABLE collections (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    program_id              TEXT NOT NULL,
    status                  TEXT NOT NULL CHECK (status IN ('collecting', 'collected')),
    -- The last ambassador it has been to.
    reached                 TEXT,
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, program_id) REFERENCES programs (account_id, id)
) STRICT;

CREATE UNIQUE INDEX collections_by_idempotency_key ON collections (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX collections_to_finish ON collections (account_id, id) WHERE status = 'collecting';

-- Money on its way to one ambassador in one currency.
CREATE TABLE payouts (
    account_id     INTEGER NOT NULL,
    id             TEXT NOT NULL,
    collection_id  TEXT NOT NULL,
    program_id     TEXT NOT NULL,
    ambassador_id  TEXT NOT NULL,
    -- Minor units of currency; the sum of the items.
    amount         INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    currency       TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    status         TEXT NOT NULL CHECK (status = 'processing' OR status = 'paid' OR status = 'failed' OR status = 'cancelled'),
    -- The bank's or the provider's.
    reference_id   TEXT CHECK (length(reference_id) <= 255),
    failure_reason TEXT CHECK (length(failure_reason) <= 2000),
    metadata       TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    paid_at        INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, collection_id) REFERENCES collections (account_id, id),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
) STRICT;

CREATE INDEX payouts_by_collection ON payouts (account_id, collection_id, id);
CREATE INDEX payouts_by_program ON payouts (account_id, program_id, id);
CREATE INDEX payouts_by_ambassador ON payouts (account_id, ambassador_id, id);

-- Which earnings a payout pays, and how much of each.
CREATE TABLE payout_items (
    account_id INTEGER NOT NULL,
    payout_id  TEXT NOT NULL,
    earning_id TEXT NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    -- 1 while the payout is on its way or has arrived, 0 once it failed or was cancelled.
    live       INTEGER NOT NULL CHECK (live IN (0, 1)),
    PRIMARY KEY (account_id, payout_id, earning_id),
    FOREIGN KEY (account_id, payout_id) REFERENCES payouts (account_id, id),
    FOREIGN KEY (account_id, earning_id) REFERENCES earnings (account_id, id)
) STRICT;

-- No earning is paid twice.
CREATE UNIQUE INDEX payout_items_live ON payout_items (account_id, earning_id) WHERE live = 1;

-- Every move of a status: who, when, from, to, why. Written in the move's own transaction.
CREATE TABLE payout_moves (
    account_id  INTEGER NOT NULL,
    payout_id   TEXT NOT NULL,
    position    INTEGER NOT NULL CHECK (position >= 1),
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    moved_at    INTEGER NOT NULL,
    moved_by    TEXT NOT NULL REFERENCES api_keys (id),
    note        TEXT CHECK (length(note) <= 2000),
    PRIMARY KEY (account_id, payout_id, position),
    FOREIGN KEY (account_id, payout_id) REFERENCES payouts (account_id, id),
    CHECK (from_status || '>' || to_status IN (
        'processing>paid',
        'processing>failed',
        'processing>cancelled'
    ))
) STRICT;

-- The same table of moves as `PayoutStatus::moves`, for whoever writes with SQL.
CREATE TRIGGER payouts_move_as_allowed BEFORE UPDATE OF status ON payouts
WHEN OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'processing>paid',
        'processing>failed',
        'processing>cancelled'
    )
BEGIN
    SELECT RAISE(ABORT, 'this status does not move that way');
END;
