-- What a program pays for a conversion, version by version. A sale is paid by the version that was the newest then.
CREATE TABLE commission_rules (
    account_id INTEGER NOT NULL,
    program_id TEXT NOT NULL,
    -- 1, 2, 3 … within one program.
    version    INTEGER NOT NULL CHECK (version >= 1),
    rule       TEXT NOT NULL CHECK (json_type(rule) = 'object'),
    created_at INTEGER NOT NULL,
    -- None: it came with the table.
    created_by TEXT REFERENCES api_keys (id),
    PRIMARY KEY (account_id, program_id, version),
    FOREIGN KEY (account_id, program_id) REFERENCES programs (account_id, id)
) STRICT;

-- What was promised stays on record, for whoever writes with SQL too.
CREATE TRIGGER commission_rules_are_never_changed BEFORE UPDATE ON commission_rules
BEGIN
    SELECT RAISE(ABORT, 'a published rule is never changed; publish a new version');
END;
CREATE TRIGGER commission_rules_are_never_deleted BEFORE DELETE ON commission_rules
BEGIN
    SELECT RAISE(ABORT, 'a published rule is never deleted');
END;

-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER commission_rules_are_never_replaced BEFORE INSERT ON commission_rules
WHEN EXISTS (SELECT 1 FROM commission_rules
    WHERE account_id = NEW.account_id AND program_id = NEW.program_id AND version = NEW.version)
BEGIN
    SELECT RAISE(ABORT, 'a published rule is never changed; publish a new version');
END;

-- Every program has a rule: those that are there already get their rate as the first one.
INSERT INTO commission_rules (account_id, program_id, version, rule, created_at, created_by)
SELECT account_id, id, 1,
    '{"commission":{"type":"percent","basis_points":' || commission_basis_points || '},"applies":{"to":"every_purchase"},'
        || '"kinds":["purchase","subscription","renewal"],"caps":{"per_referral":null,"per_ambassador":null},"bonuses":[]}',
    created_at, NULL
FROM programs;
