-- What happened at a poster on a day, counted in the transaction in which it happens: totals and funnels are sums
-- of a few rows, never a scan of the rows they count. The day comes first in the key, so that what is counted
-- today lies together, and a row is as short as it can be: whose program and ambassador a poster is says the poster.
CREATE TABLE daily_stats (
    account_id INTEGER NOT NULL,
    -- Days since 1970, UTC: of the scan for scans, of the signup for the others.
    day        INTEGER NOT NULL,
    poster_id  TEXT NOT NULL,
    scans      INTEGER NOT NULL CHECK (scans >= 0),
    -- Referrals by where they stand now.
    pending    INTEGER NOT NULL CHECK (pending >= 0),
    converted  INTEGER NOT NULL CHECK (converted >= 0),
    verified   INTEGER NOT NULL CHECK (verified >= 0),
    rejected   INTEGER NOT NULL CHECK (rejected >= 0),
    PRIMARY KEY (account_id, day, poster_id),
    FOREIGN KEY (account_id, poster_id) REFERENCES posters (account_id, id)
) STRICT;

-- Written once per poster and day, because what it holds does not change.
CREATE INDEX daily_stats_by_poster ON daily_stats (account_id, poster_id, day);
