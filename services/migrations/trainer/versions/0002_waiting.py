"""What a run could not make yet, because there is not enough data; and runs of the trainer's own accord."""

from alembic import op

revision = "trainer_0002"
down_revision = "trainer_0001"


def upgrade() -> None:
    """Not enough data is no failure: the run succeeded, and says of which model, and why."""
    op.execute("ALTER TABLE runs ADD COLUMN waiting jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE runs DROP CONSTRAINT runs_trigger_check")
    op.execute(
        "ALTER TABLE runs ADD CONSTRAINT runs_trigger_check"
        " CHECK (trigger IN ('start', 'rest', 'demand', 'schedule', 'alert', 'new data'))"
    )
