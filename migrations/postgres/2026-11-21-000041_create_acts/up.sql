-- The audit log: what somebody did who runs a program. Rows are only ever added.
CREATE TABLE acts (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    id         TEXT COLLATE "C" NOT NULL,
    action     TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    -- To what it was done.
    object_id  TEXT COLLATE "C" NOT NULL,
    -- With which key. Without it: at the command line, by whoever runs the server.
    acted_by   TEXT COLLATE "C" REFERENCES api_keys (id),
    -- Never anything personal.
    details    TEXT NOT NULL CHECK (json_typeof(details::json) = 'object'),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE INDEX acts_by_key ON acts (account_id, acted_by, id);
CREATE INDEX acts_by_object ON acts (account_id, object_id, id);

CREATE FUNCTION acts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER acts_stay BEFORE UPDATE OR DELETE ON acts FOR EACH ROW EXECUTE FUNCTION acts_stay();
CREATE TRIGGER acts_stay_all BEFORE TRUNCATE ON acts EXECUTE FUNCTION acts_stay();
