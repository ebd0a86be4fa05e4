-- What happened at a poster on a day, counted in the transaction in which it happens: totals and funnels are sums
-- of a few rows, never a scan of the rows they count. The day comes first in the key, so that what is counted
-- today lies together, and a row is as short as it can be: whose program and ambassador a poster is says the poster.
CREATE TABLE daily_stats (
    account_id INTEGER NOT NULL,
    -- Days since 1970, UTC: of the scan for scans, of the signup for the others.
    day        BIGINT NOT NULL,
    poster_id  TEXT COLLATE "C" NOT NULL,
    scans      BIGINT NOT NULL CHECK (scans >= 0),
    -- Referrals by where they stand now.
    pending    BIGINT NOT NULL CHECK (pending >= 0),
    converted  BIGINT NOT NULL CHECK (converted >= 0),
    verified   BIGINT NOT NULL CHECK (verified >= 0),
    rejected   BIGINT NOT NULL CHECK (rejected >= 0),
    PRIMARY KEY (account_id, day, poster_id),
    FOREIGN KEY (account_id, poster_id) REFERENCES posters (account_id, id)
);

-- Written once per poster and day, because what it holds does not change.
CREATE INDEX daily_stats_by_poster ON daily_stats (account_id, poster_id, day);
