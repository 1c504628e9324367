"""Jobs and who is told of their end, the effects of events, and dead letters."""

from alembic import op

revision = "inference_async_0001"
down_revision = None

JOBS = """
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    model text NOT NULL,
    form text NOT NULL CHECK (form IN ('raw', 'tensors')),
    rows integer NOT NULL DEFAULT 1,
    body bytea,
    context jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    prediction jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX jobs_open ON jobs (due_at) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_expiry ON jobs (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE job_keys (
    subject text NOT NULL,
    key text NOT NULL,
    asked_sha256 bytea NOT NULL,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    PRIMARY KEY (subject, key)
);
CREATE INDEX job_keys_job ON job_keys (job_id);

CREATE TABLE callbacks (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    url text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'due', 'delivered', 'given_up')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz,
    status integer,
    error text,
    delivered_at timestamptz
);
CREATE INDEX callbacks_due ON callbacks (due_at) WHERE state = 'due';

CREATE FUNCTION tell_job_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('jobs_changed', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER job_ended AFTER UPDATE OF state ON jobs
    FOR EACH ROW WHEN (NEW.state IN ('done', 'failed')) EXECUTE FUNCTION tell_job_ended();
"""

EVENTS = """
CREATE TABLE effects (
    cause_id uuid PRIMARY KEY,
    event jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX effects_made_at ON effects (made_at);

CREATE TABLE dead_letters (
    topic text NOT NULL,
    event_id uuid NOT NULL,
    reason text NOT NULL,
    event jsonb NOT NULL,
    times integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    replayed_at timestamptz,
    replayed_by text,
    PRIMARY KEY (topic, event_id)
);
CREATE INDEX dead_letters_waiting ON dead_letters (topic) WHERE replayed_at IS NULL;
"""


def upgrade() -> None:
    """A job's `due_at` is when it may be taken: at once, after a pause, or when the lease of whoever has it ends."""
    op.execute(JOBS)
    op.execute(EVENTS)
