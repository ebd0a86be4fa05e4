DROP TABLE referral_moves;
DROP TABLE referrals;
