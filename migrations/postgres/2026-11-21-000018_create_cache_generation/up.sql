-- Whether what processes keep in memory (whose key it is, which poster hangs under a code) is still so: a number that
-- is another after every change of it. See `src/db/recent.rs`.
CREATE TABLE cache_generation (
    only_row   BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    generation BIGINT NOT NULL
);

INSERT INTO cache_generation (only_row, generation) VALUES (1, 0);

-- The transaction that changed something is the generation. It waits for another only at its end, when it takes no more
-- locks; if it is REPEATABLE READ (ours are not) and another was quicker, it fails there.
CREATE FUNCTION caches_age() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE cache_generation SET generation = txid_current() WHERE generation <> txid_current();
    RETURN NULL;
END $$;

-- What is new needs no word: what is not there is not kept.
CREATE CONSTRAINT TRIGGER posters_age_caches AFTER UPDATE OR DELETE ON posters
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION caches_age();
CREATE CONSTRAINT TRIGGER programs_age_caches AFTER UPDATE ON programs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION caches_age();
CREATE CONSTRAINT TRIGGER api_keys_age_caches AFTER UPDATE OR DELETE ON api_keys
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION caches_age();
