"""Which files count, and which events are in them; and the events that say so."""

from alembic import op

from services.chassis.outbox import OUTBOX_TABLE

revision = "warehouse_0001"
down_revision = None

FILES = """
CREATE TABLE files (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    path text NOT NULL UNIQUE,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    listed_at timestamptz NOT NULL DEFAULT now(),
    replaced_at timestamptz
);
COMMENT ON TABLE files IS 'The files that readers read. What lies in the folder and is not listed does not count.';
COMMENT ON COLUMN files.kind IS 'Name of the table.';
COMMENT ON COLUMN files.replaced_at IS 'Its rows are in another file now, or too old: removed as soon as nobody reads.';
CREATE INDEX files_listed ON files (kind, first_time) WHERE replaced_at IS NULL;
CREATE INDEX files_replaced ON files (replaced_at) WHERE replaced_at IS NOT NULL;

CREATE TABLE events (
    id uuid PRIMARY KEY,
    stored_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE events IS 'Events that are in the files: the same one a second time is known by its id.';
CREATE INDEX events_stored ON events USING brin (stored_at);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(FILES)
    op.execute(OUTBOX_TABLE)


def downgrade() -> None:
    """Remove them; the files that are left say nothing any more."""
    op.execute("DROP TABLE files; DROP TABLE events; DROP TABLE outbox")
