DROP TABLE coupons;
DROP TABLE introductions;
DROP TABLE invitations;
DROP TABLE customers;
