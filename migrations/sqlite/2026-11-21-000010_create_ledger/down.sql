DROP TABLE transfers;
DROP TABLE balances;
