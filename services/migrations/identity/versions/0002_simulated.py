"""Programs that play users say so when they sign up."""

from alembic import op

revision = "identity_0002"
down_revision = "identity_0001"


def upgrade() -> None:
    """Nobody who is there already is one."""
    op.execute("ALTER TABLE users ADD COLUMN simulated boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Nobody tells them apart any more."""
    op.execute("ALTER TABLE users DROP COLUMN simulated")
