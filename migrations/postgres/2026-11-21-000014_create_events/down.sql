DROP TABLE event_counters;
DROP TABLE events;
DROP SEQUENCE events_written;
