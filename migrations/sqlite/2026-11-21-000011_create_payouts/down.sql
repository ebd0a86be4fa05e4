DROP TABLE payout_moves;
DROP TABLE payout_items;
DROP TABLE payouts;
DROP TABLE collections;
