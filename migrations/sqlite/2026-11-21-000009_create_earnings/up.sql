CREATE TABLE earnings (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    referral_id             TEXT NOT NULL,
    -- The referral's program and ambassador, copied so that filters need no join.
    program_id              TEXT NOT NULL,
    ambassador_id           TEXT NOT NULL,
    -- Minor units of currency.
    amount                  INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 99999999999),
    currency                TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    -- "type" on the wire: free text.
    kind                    TEXT CHECK (length(kind) <= 255),
    description             TEXT CHECK (length(description) <= 2000),
    status                  TEXT NOT NULL CHECK (status = 'pending' OR status = 'processing' OR status = 'paid' OR status = 'failed'),
    -- The payout's or transaction's id elsewhere.
    reference_id            TEXT CHECK (length(reference_id) <= 255),
    paid_at                 INTEGER,
    metadata                TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    -- How it came to be.
    origin                  TEXT NOT NULL CHECK (
        origin = 'reported' OR origin = 'commission' OR origin = 'bonus'
        OR origin = 'reinstatement' OR origin = 'reward'
    ),
    -- commission: of what, and by which version of the program's rules.
    conversion_id           TEXT,
    rule_version            INTEGER,
    -- bonus: for how many verified referrals.
    milestone               INTEGER,
    -- When the hold ends; without it the hold ends when the referral is verified.
    available_at            INTEGER,
    -- The earning that took its place when the referral's rejection was taken back.
    replaced_by             TEXT,
    -- Where the amount is now: every unit of it is in exactly one of these.
    held                    INTEGER NOT NULL CHECK (held >= 0),
    available               INTEGER NOT NULL CHECK (available >= 0),
    in_payout               INTEGER NOT NULL CHECK (in_payout >= 0),
    paid                    INTEGER NOT NULL CHECK (paid >= 0),
    set_off                 INTEGER NOT NULL CHECK (set_off >= 0),
    reversed                INTEGER NOT NULL CHECK (reversed >= 0),
    -- How much of what had left was claimed back.
    clawed_back             INTEGER NOT NULL CHECK (clawed_back BETWEEN 0 AND amount),
    -- The caller's key for the write that made this row, kept for ever, and what it must be repeated with.
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CHECK (held + available + in_payout + paid + set_off + reversed = amount),
    CHECK ((origin = 'bonus') = (milestone IS NOT NULL)),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, referral_id) REFERENCES referrals (account_id, id),
    FOREIGN KEY (account_id, conversion_id) REFERENCES conversions (account_id, id),
    FOREIGN KEY (account_id, program_id, ambassador_id) REFERENCES ambassadors (account_id, program_id, id)
) STRICT;

CREATE INDEX earnings_by_referral ON earnings (account_id, referral_id, id);
CREATE INDEX earnings_by_program ON earnings (account_id, program_id, id);
CREATE INDEX earnings_by_ambassador ON earnings (account_id, ambassador_id, id);
CREATE INDEX earnings_by_conversion ON earnings (account_id, conversion_id, id) WHERE conversion_id IS NOT NULL;
-- What a payout or a debt can take.
CREATE INDEX earnings_to_pay ON earnings (account_id, ambassador_id, currency, id) WHERE available > 0;
-- What the worker waits for.
CREATE INDEX earnings_to_release ON earnings (account_id, available_at) WHERE held > 0 AND available_at IS NOT NULL;
CREATE INDEX earnings_by_milestone ON earnings (account_id, ambassador_id, milestone) WHERE milestone IS NOT NULL;
CREATE UNIQUE INDEX earnings_by_idempotency_key ON earnings (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Every move of a status: who, when, from, to, why. Written in the move's own transaction.
CREATE TABLE earning_moves (
    account_id  INTEGER NOT NULL,
    earning_id  TEXT NOT NULL,
    -- 1, 2, 3 … within one earning.
    position    INTEGER NOT NULL CHECK (position >= 1),
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    moved_at    INTEGER NOT NULL,
    -- Without it: handbill itself.
    moved_by    TEXT REFERENCES api_keys (id),
    note        TEXT CHECK (length(note) <= 2000),
    PRIMARY KEY (account_id, earning_id, position),
    FOREIGN KEY (account_id, earning_id) REFERENCES earnings (account_id, id),
    CHECK (from_status || '>' || to_status IN (
        'pending>processing',
        'pending>paid',
        'pending>failed',
        'processing>paid',
        'processing>failed',
        'failed>processing',
        'failed>paid'
    ))
) STRICT;

-- The same table of moves as `EarningStatus::moves` and `EarningStatus::ends`, for whoever writes with SQL.
CREATE TRIGGER earnings_move_as_allowed BEFORE UPDATE OF status ON earnings
WHEN OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'pending>processing',
        'pending>paid',
        'pending>failed',
        'processing>paid',
        'processing>failed',
        'failed>processing',
        'failed>paid'
    )
BEGIN
    SELECT RAISE(ABORT, 'this status does not move that way');
END;
