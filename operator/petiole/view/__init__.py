"""What people see: objects, records and a time in, words and rows out. Terminals and pages draw."""
