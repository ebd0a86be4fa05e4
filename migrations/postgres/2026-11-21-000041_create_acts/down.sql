DROP TABLE acts;
DROP FUNCTION acts_stay;
