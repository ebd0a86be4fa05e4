DROP TABLE earning_moves;
DROP TABLE earnings;
