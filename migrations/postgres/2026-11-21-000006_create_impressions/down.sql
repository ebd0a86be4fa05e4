DROP TABLE impressions_filed;
DROP TABLE impressions_of;
DROP TABLE impressions;
DROP FUNCTION impressions_stay;
