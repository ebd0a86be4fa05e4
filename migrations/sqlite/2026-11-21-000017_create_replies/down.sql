DROP INDEX events_of_introductions;
DROP TABLE replies;
