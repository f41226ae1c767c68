"""Large trajectories may be files beside the store."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    column = sa.Column("place", sa.String(8), nullable=False, server_default="row")
    op.add_column("trajectory", column)
