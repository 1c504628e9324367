"""Decisions that can be taken back and that name the violation; labels that no model shows by itself."""

from alembic import op

revision = "items_0002"
down_revision = "items_0001"


def upgrade() -> None:
    """A decision without `before` was made by an older version, and stays."""
    op.execute(
        """
        ALTER TABLE items ADD COLUMN withheld jsonb NOT NULL DEFAULT '[]';
        CREATE INDEX items_waiting_since ON items (decided_at, id) WHERE state = 'needs_review';

        ALTER TABLE decisions
            ADD COLUMN label text,
            ADD COLUMN before jsonb,
            ADD COLUMN undone_at timestamptz,
            ADD COLUMN undone_by text;
        """
    )
