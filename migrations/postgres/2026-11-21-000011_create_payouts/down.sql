DROP TABLE payout_moves;
DROP TABLE payout_items;
DROP TABLE payouts;
DROP FUNCTION payouts_move_as_allowed;
DROP TABLE collections;
