DROP TRIGGER posters_age_caches ON posters;
DROP TRIGGER programs_age_caches ON programs;
DROP TRIGGER api_keys_age_caches ON api_keys;
DROP FUNCTION caches_age;
DROP TABLE cache_generation;
