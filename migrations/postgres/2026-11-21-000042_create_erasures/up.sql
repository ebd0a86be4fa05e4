-- Who was erased: what was personal about them is gone, and this says since when.
CREATE TABLE erasures (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    -- The referral or the ambassador.
    object_id  TEXT COLLATE "C" NOT NULL,
    erased_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, object_id)
);
