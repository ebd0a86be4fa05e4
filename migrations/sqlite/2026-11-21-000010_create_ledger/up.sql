-- What an ambassador has in one currency, as the sum of the transfers: read here, proved there.
CREATE TABLE balances (
    account_id    INTEGER NOT NULL,
    ambassador_id TEXT NOT NULL,
    currency      TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    program_id    TEXT NOT NULL,
    -- Earned, and held.
    pending       INTEGER NOT NULL CHECK (pending >= 0),
    -- Can be paid out.
    available     INTEGER NOT NULL CHECK (available >= 0),
    -- On its way.
    in_payout     INTEGER NOT NULL CHECK (in_payout >= 0),
    -- Has arrived.
    paid          INTEGER NOT NULL CHECK (paid >= 0),
    -- Was paid and is owed back.
    owed_back     INTEGER NOT NULL CHECK (owed_back >= 0),
    -- How many transfers there are.
    transfers     INTEGER NOT NULL CHECK (transfers >= 0),
    -- When the last of them was made: the next is not made before it.
    moved_at      INTEGER NOT NULL,
    -- What is owed back is set off as soon as there is anything to set it off against.
    CHECK (available = 0 OR owed_back = 0),
    PRIMARY KEY (account_id, ambassador_id, currency),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
) STRICT;

CREATE INDEX balances_by_program ON balances (account_id, program_id, ambassador_id);

-- Double entry: every row takes `amount` from one account and gives it to another. Rows are only ever added.
CREATE TABLE transfers (
    account_id    INTEGER NOT NULL,
    id            TEXT NOT NULL,
    ambassador_id TEXT NOT NULL,
    currency      TEXT NOT NULL,
    -- 1, 2, 3 … of this ambassador in this currency, without a gap.
    position      INTEGER NOT NULL CHECK (position >= 1),
    debit         TEXT NOT NULL CHECK (
        debit = 'expense' OR debit = 'pending' OR debit = 'available'
        OR debit = 'in_payout' OR debit = 'paid' OR debit = 'owed_back'
    ),
    credit        TEXT NOT NULL CHECK (
        credit = 'expense' OR credit = 'pending' OR credit = 'available'
        OR credit = 'in_payout' OR credit = 'paid' OR credit = 'owed_back'
    ),
    amount        INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    reason        TEXT NOT NULL,
    earning_id    TEXT NOT NULL,
    -- The payout or the refund that was the occasion.
    occasion      TEXT,
    created_at    INTEGER NOT NULL,
    CHECK (debit <> credit),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, ambassador_id, currency) REFERENCES balances (account_id, ambassador_id, currency),
    FOREIGN KEY (account_id, earning_id) REFERENCES earnings (account_id, id)
) STRICT;

CREATE UNIQUE INDEX transfers_by_ambassador ON transfers (account_id, ambassador_id, currency, position);
CREATE INDEX transfers_of_ambassador ON transfers (account_id, ambassador_id, id);
CREATE INDEX transfers_by_earning ON transfers (account_id, earning_id, id);

CREATE TRIGGER transfers_are_not_changed BEFORE UPDATE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'transfers are only ever added');
END;
CREATE TRIGGER transfers_are_not_deleted BEFORE DELETE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'transfers are only ever added');
END;
-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER transfers_are_not_replaced BEFORE INSERT ON transfers
WHEN EXISTS (SELECT 1 FROM transfers WHERE account_id = NEW.account_id AND id = NEW.id)
    OR EXISTS (SELECT 1 FROM transfers WHERE account_id = NEW.account_id AND ambassador_id = NEW.ambassador_id
        AND currency = NEW.currency AND position = NEW.position)
BEGIN
    SELECT RAISE(ABORT, 'transfers are only ever added');
END;
