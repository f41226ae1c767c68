"""Run by Alembic: migrates on the connection, and inside the transaction, that `migrate` hands over."""

from alembic import context

from sandbox.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transaction_per_migration=False,
)
context.run_migrations()
