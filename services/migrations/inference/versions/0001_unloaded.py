"""Models that an operator has taken out of service: every replica follows."""

from alembic import op

revision = "inference_0001"
down_revision = None


def upgrade() -> None:
    """One row a model; loading it again removes the row."""
    op.execute(
        """
        CREATE TABLE unloaded (
            model text PRIMARY KEY,
            by text NOT NULL,
            at timestamptz NOT NULL DEFAULT now()
        );
        """
    )
