DROP TABLE ambassadors;
