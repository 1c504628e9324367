"""Which small pictures have been enlarged, and by which version of the model."""

from alembic import op

revision = "images_0002"
down_revision = "images_0001"


def upgrade() -> None:
    """A row is there once the file is; what a formula made instead is not kept."""
    op.execute(
        """
        CREATE TABLE enlarged (
            picture_id text PRIMARY KEY REFERENCES pictures,
            model_version text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        """
    )
