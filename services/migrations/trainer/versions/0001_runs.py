"""Training runs: what was trained, why, how far it is, and how it ended."""

from alembic import op

revision = "trainer_0001"
down_revision = None


def upgrade() -> None:
    """One row a run; it is queued until the trainer gets to it."""
    op.execute(
        """
        CREATE TABLE runs (
            id uuid PRIMARY KEY,
            models text[] NOT NULL CHECK (cardinality(models) > 0),
            trigger text NOT NULL CHECK (trigger IN ('start', 'demand', 'schedule', 'alert', 'new data')),
            why text NOT NULL,
            requested_by text,
            state text NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'interrupted')),
            stage text,
            progress double precision NOT NULL DEFAULT 0,
            versions jsonb NOT NULL DEFAULT '{}',
            error text,
            queued_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            finished_at timestamptz
        );
        CREATE INDEX runs_open ON runs (id) WHERE state IN ('queued', 'running');
        """
    )
