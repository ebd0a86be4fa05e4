DROP TRIGGER posters_age_caches;
DROP TRIGGER posters_age_caches_gone;
DROP TRIGGER programs_age_caches;
DROP TRIGGER api_keys_age_caches;
DROP TRIGGER api_keys_age_caches_gone;
DROP TABLE cache_generation;
