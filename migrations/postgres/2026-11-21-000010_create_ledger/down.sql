DROP TABLE transfers;
DROP FUNCTION transfers_stay;
DROP TABLE balances;
