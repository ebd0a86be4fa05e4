-- Whether what processes keep in memory (whose key it is, which poster hangs under a code) is still so: a number that
-- is another after every change of it. See `src/db/recent.rs`.
CREATE TABLE cache_generation (
    only_row   INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL
) STRICT;

INSERT INTO cache_generation (only_row, generation) VALUES (1, 0);

-- What is new needs no word: what is not there is not kept.
CREATE TRIGGER posters_age_caches AFTER UPDATE ON posters BEGIN
    UPDATE cache_generation SET generation = generation + 1;
END;
CREATE TRIGGER posters_age_caches_gone AFTER DELETE ON posters BEGIN
    UPDATE cache_generation SET generation = generation + 1;
END;
CREATE TRIGGER programs_age_caches AFTER UPDATE ON programs BEGIN
    UPDATE cache_generation SET generation = generation + 1;
END;
CREATE TRIGGER api_keys_age_caches AFTER UPDATE ON api_keys BEGIN
    UPDATE cache_generation SET generation = generation + 1;
END;
CREATE TRIGGER api_keys_age_caches_gone AFTER DELETE ON api_keys BEGIN
    UPDATE cache_generation SET generation = generation + 1;
END;
