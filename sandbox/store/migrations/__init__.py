"""How older stores become today's: Alembic scripts, one for each version of the schema."""
