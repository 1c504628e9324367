"""Schedules, runs, what is known of items and since when, and the results of re-scoring."""

from alembic import op

from services.chassis.outbox import OUTBOX_TABLE

revision = "inference_batch_0001"
down_revision = None

SCHEDULES = """
CREATE TABLE schedules (
    job text PRIMARY KEY,
    every interval NOT NULL CHECK (every >= interval '1 minute'),
    shift interval NOT NULL DEFAULT '0',
    deadline interval NOT NULL CHECK (deadline > interval '0'),
    retry text NOT NULL CHECK (retry IN ('all', 'partial', 'none')),
    attempts integer NOT NULL DEFAULT 3 CHECK (attempts BETWEEN 1 AND 20),
    catch_up integer NOT NULL DEFAULT 1 CHECK (catch_up BETWEEN 1 AND 1000),
    enabled boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN schedules.shift IS 'Windows end at multiples of `every` since 1970-01-01 UTC, plus this.';
COMMENT ON COLUMN schedules.deadline IS 'How long after its window ends a run must be done.';
COMMENT ON COLUMN schedules.retry IS 'When rows fail: do everything again, those rows again, or nothing.';
COMMENT ON COLUMN schedules.catch_up IS 'How many windows that nobody ran are made up for, the newest first.';
INSERT INTO schedules (job, every, deadline, retry) VALUES ('rescore', '1 hour', '30 minutes', 'partial');
"""

RUNS = """
CREATE TABLE runs (
    id uuid PRIMARY KEY,
    job text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL CHECK (window_end > window_start),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    why text NOT NULL CHECK (why IN ('schedule', 'hand')),
    asked_by text NOT NULL DEFAULT '',
    retry text NOT NULL,
    attempts_left integer NOT NULL,
    attempt integer NOT NULL DEFAULT 1,
    after text NOT NULL DEFAULT '',
    total integer,
    done integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    owner uuid,
    beat_at timestamptz,
    due_at timestamptz NOT NULL DEFAULT now(),
    deadline_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    UNIQUE (job, window_start, window_end)
);
CREATE INDEX runs_open ON runs (due_at) WHERE state IN ('waiting', 'running');
COMMENT ON COLUMN runs.after IS 'The last key whose result is kept: where a run that was cut off goes on.';
CREATE TABLE failures (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    key text NOT NULL,
    error text NOT NULL,
    attempt integer NOT NULL,
    PRIMARY KEY (run_id, key)
);
"""

FACTS = """
CREATE TABLE facts (
    event_id uuid PRIMARY KEY,
    item_id uuid NOT NULL,
    kind text NOT NULL,
    revision integer NOT NULL,
    sequence integer NOT NULL,
    body jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX facts_item ON facts (item_id, sequence DESC, known_at DESC);
COMMENT ON COLUMN facts.known_at IS 'When it reached this table; a run may know what was known when its window ended.';

CREATE TABLE rescored (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    item_id uuid NOT NULL,
    revision integer NOT NULL,
    sequence integer NOT NULL,
    verdict text NOT NULL,
    result jsonb NOT NULL,
    scored_at timestamptz NOT NULL DEFAULT now(),
    told_at timestamptz,
    PRIMARY KEY (run_id, item_id)
);
CREATE INDEX rescored_item ON rescored (item_id, scored_at);
CREATE INDEX rescored_untold ON rescored (run_id, item_id) WHERE told_at IS NULL AND verdict <> 'publish';
"""


def upgrade() -> None:
    """A schedule is a row: another job, or another hour, is another row."""
    for statements in (OUTBOX_TABLE, SCHEDULES, RUNS, FACTS):
        op.execute(statements)
