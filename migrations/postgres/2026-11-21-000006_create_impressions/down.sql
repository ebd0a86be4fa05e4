DROP TABLE impressions;
