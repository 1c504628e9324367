"""What was asked of the slow predictor, and what came of it."""

from alembic import op

revision = "proxy_0001"
down_revision = None


def upgrade() -> None:
    """`due_at` is when a job may be taken: at once, after a pause, or when the lease of whoever has it ends."""
    op.execute(
        """
        CREATE TABLE jobs (
            id uuid PRIMARY KEY,
            subject text NOT NULL,
            body bytea,
            content_type text NOT NULL,
            asked_sha256 bytea NOT NULL,
            state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
            attempts integer NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL DEFAULT now(),
            fast jsonb,
            slow jsonb,
            error text,
            cached boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            expires_at timestamptz
        );
        CREATE INDEX jobs_open ON jobs (due_at) WHERE state IN ('waiting', 'running');
        CREATE INDEX jobs_expiry ON jobs (expires_at) WHERE expires_at IS NOT NULL;
        CREATE INDEX jobs_asked ON jobs (asked_sha256, finished_at) WHERE state = 'done' AND NOT cached;

        CREATE FUNCTION tell_job_ended() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('jobs_changed', NEW.id::text);
            RETURN NULL;
        END $$;
        CREATE TRIGGER job_ended AFTER UPDATE OF state ON jobs
            FOR EACH ROW WHEN (NEW.state IN ('done', 'failed')) EXECUTE FUNCTION tell_job_ended();
        """
    )
