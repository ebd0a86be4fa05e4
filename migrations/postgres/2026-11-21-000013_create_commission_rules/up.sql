-- What a program pays for a conversion, version by version. A sale is paid by the version that was the newest then.
CREATE TABLE commission_rules (
    account_id INTEGER NOT NULL,
    program_id TEXT COLLATE "C" NOT NULL,
    -- 1, 2, 3 … within one program.
    version    BIGINT NOT NULL CHECK (version >= 1),
    rule       TEXT NOT NULL CHECK (json_typeof(rule::json) = 'object'),
    created_at BIGINT NOT NULL,
    -- None: it came with the table.
    created_by TEXT COLLATE "C" REFERENCES api_keys (id),
    PRIMARY KEY (account_id, program_id, version),
    FOREIGN KEY (account_id, program_id) REFERENCES programs (account_id, id)
);

-- What was promised stays on record, for whoever writes with SQL too.
CREATE FUNCTION commission_rules_are_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published rule is never changed or deleted; publish a new version' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER commission_rules_are_never_changed BEFORE UPDATE OR DELETE ON commission_rules FOR EACH ROW
EXECUTE FUNCTION commission_rules_are_never_changed();

-- Every program has a rule: those that are there already get their rate as the first one.
INSERT INTO commission_rules (account_id, program_id, version, rule, created_at, created_by)
SELECT account_id, id, 1,
    '{"commission":{"type":"percent","basis_points":' || commission_basis_points || '},"applies":{"to":"every_purchase"},'
        || '"kinds":["purchase","subscription","renewal"],"caps":{"per_referral":null,"per_ambassador":null},"bonuses":[]}',
    created_at, NULL
FROM programs;
