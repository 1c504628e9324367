"""The weekly forecast of demand, and its schedule."""

from alembic import op

revision = "inference_batch_0002"
down_revision = "inference_batch_0001"

FORECASTS = """
CREATE TABLE forecasts (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    week date NOT NULL,
    series text NOT NULL CHECK (series IN ('uploads', 'searches')),
    category text NOT NULL,
    expected double precision NOT NULL CHECK (expected >= 0),
    low double precision,
    high double precision,
    baseline double precision NOT NULL,
    version text NOT NULL,
    served_by text NOT NULL CHECK (served_by IN ('model', 'default')),
    simulated_weeks integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, series, category)
);
CREATE INDEX forecasts_week ON forecasts (week);
COMMENT ON COLUMN forecasts.baseline IS 'Seasonal-naive: what the same week brought a year before.';
COMMENT ON COLUMN forecasts.low IS 'Nothing where the model is switched off: the baseline has no band.';
COMMENT ON COLUMN forecasts.simulated_weeks IS 'How many of the weeks it was made from were generated.';
"""

SCHEDULE = """
INSERT INTO schedules (job, every, shift, deadline, retry, catch_up)
VALUES ('weekly_demand', '7 days', '4 days', '6 hours', 'all', 8);
"""


def upgrade() -> None:
    """1970 began on a Thursday: four days later is a Monday. Eight weeks are made up for, to have something to show."""
    op.execute(FORECASTS)
    op.execute(SCHEDULE)
