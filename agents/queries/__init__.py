"""Which question to ask next: acquisition functions, query selection, and the plan of the person's time."""
