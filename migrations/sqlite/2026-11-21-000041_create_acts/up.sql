-- The audit log: what somebody did who runs a program. Rows are only ever added.
CREATE TABLE acts (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    id         TEXT NOT NULL,
    action     TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    -- To what it was done.
    object_id  TEXT NOT NULL,
    -- With which key. Without it: at the command line, by whoever runs the server.
    acted_by   TEXT REFERENCES api_keys (id),
    -- Never anything personal.
    details    TEXT NOT NULL CHECK (json_type(details) = 'object'),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE INDEX acts_by_key ON acts (account_id, acted_by, id);
CREATE INDEX acts_by_object ON acts (account_id, object_id, id);

CREATE TRIGGER acts_are_not_changed BEFORE UPDATE ON acts
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
CREATE TRIGGER acts_are_not_deleted BEFORE DELETE ON acts
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER acts_are_not_replaced BEFORE INSERT ON acts
WHEN EXISTS (SELECT 1 FROM acts WHERE account_id = NEW.account_id AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
