DROP TABLE refunds;
DROP TABLE conversions;
