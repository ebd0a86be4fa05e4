-- What an ambassador has in one currency, as the sum of the transfers: read here, proved there.
CREATE TABLE balances (
    account_id    INTEGER NOT NULL,
    ambassador_id TEXT COLLATE "C" NOT NULL,
    currency      TEXT NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    program_id    TEXT COLLATE "C" NOT NULL,
    -- Earned, and held.
    pending       BIGINT NOT NULL CHECK (pending >= 0),
    -- Can be paid out.
    available     BIGINT NOT NULL CHECK (available >= 0),
    -- On its way.
    in_payout     BIGINT NOT NULL CHECK (in_payout >= 0),
    -- Has arrived.
    paid          BIGINT NOT NULL CHECK (paid >= 0),
    -- Was paid and is owed back.
    owed_back     BIGINT NOT NULL CHECK (owed_back >= 0),
    -- How many transfers there are.
    transfers     BIGINT NOT NULL CHECK (transfers >= 0),
    -- When the last of them was made: the next is not made before it.
    moved_at      BIGINT NOT NULL,
    -- What is owed back is set off as soon as there is anything to set it off against.
    CHECK (available = 0 OR owed_back = 0),
    PRIMARY KEY (account_id, ambassador_id, currency),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
);

CREATE INDEX balances_by_program ON balances (account_id, program_id, ambassador_id);

-- Double entry: every row takes `amount` from one account and gives it to another. Rows are only ever added.
CREATE TABLE transfers (
    account_id    INTEGER NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    ambassador_id TEXT COLLATE "C" NOT NULL,
    currency      TEXT NOT NULL,
    -- 1, 2, 3 … of this ambassador in this currency, without a gap.
    position      BIGINT NOT NULL CHECK (position >= 1),
    debit         TEXT NOT NULL CHECK (debit IN ('expense', 'pending', 'available', 'in_payout', 'paid', 'owed_back')),
    credit        TEXT NOT NULL CHECK (credit IN ('expense', 'pending', 'available', 'in_payout', 'paid', 'owed_back')),
    amount        BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    reason        TEXT NOT NULL,
    earning_id    TEXT COLLATE "C" NOT NULL,
    -- The payout or the refund that was the occasion.
    occasion      TEXT COLLATE "C",
    created_at    BIGINT NOT NULL,
    CHECK (debit <> credit),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, ambassador_id, currency) REFERENCES balances (account_id, ambassador_id, currency),
    FOREIGN KEY (account_id, earning_id) REFERENCES earnings (account_id, id)
);

CREATE UNIQUE INDEX transfers_by_ambassador ON transfers (account_id, ambassador_id, currency, position);
CREATE INDEX transfers_of_ambassador ON transfers (account_id, ambassador_id, id);
CREATE INDEX transfers_by_earning ON transfers (account_id, earning_id, id);

CREATE FUNCTION transfers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'transfers are only ever added' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER transfers_stay BEFORE UPDATE OR DELETE ON transfers FOR EACH ROW EXECUTE FUNCTION transfers_stay();
CREATE TRIGGER transfers_stay_all BEFORE TRUNCATE ON transfers EXECUTE FUNCTION transfers_stay();
