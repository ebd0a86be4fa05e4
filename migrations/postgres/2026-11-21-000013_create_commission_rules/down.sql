DROP TABLE commission_rules;
DROP FUNCTION commission_rules_are_never_changed();
