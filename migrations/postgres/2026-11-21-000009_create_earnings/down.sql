DROP TABLE earning_moves;
DROP TABLE earnings;
DROP FUNCTION earnings_move_as_allowed();
