"""What happened: alerts, champions, and annotations with what Grafana has of them."""

from alembic import op

revision = "monitoring_0001"
down_revision = None


def upgrade() -> None:
    """An alert is known by its labels' fingerprint and its beginning; an annotation by its key."""
    op.execute(
        """
        CREATE TABLE alerts (
            fingerprint text NOT NULL,
            starts_at timestamptz NOT NULL,
            status text NOT NULL CHECK (status IN ('firing', 'resolved')),
            ends_at timestamptz,
            name text NOT NULL,
            severity text,
            labels jsonb NOT NULL,
            annotations jsonb NOT NULL,
            generator_url text NOT NULL,
            receiver text NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            told_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (fingerprint, starts_at)
        );
        CREATE INDEX alerts_starts_at ON alerts (starts_at DESC);
        CREATE INDEX alerts_firing ON alerts (starts_at) WHERE status = 'firing';

        CREATE TABLE champions (
            model text PRIMARY KEY,
            version text NOT NULL,
            since timestamptz NOT NULL
        );

        CREATE TABLE annotations (
            id uuid PRIMARY KEY,
            key text NOT NULL UNIQUE,
            kind text NOT NULL CHECK (kind IN ('release', 'training')),
            began_at timestamptz NOT NULL,
            ended_at timestamptz,
            text text NOT NULL,
            tags text[] NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            grafana_id bigint,
            sent_at timestamptz
        );
        CREATE INDEX annotations_began_at ON annotations (began_at DESC);
        CREATE INDEX annotations_unsent ON annotations (id) WHERE sent_at IS NULL;
        """
    )
