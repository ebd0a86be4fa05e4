DROP TABLE referral_moves;
DROP TABLE referrals;
DROP FUNCTION referrals_move_as_allowed();
