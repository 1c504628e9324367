"""Pages of results that were shown, and what was done with them: what is told about them is held against it."""

from alembic import op

revision = "search_0003"
down_revision = "search_0002"

PAGES = """
CREATE TABLE pages (
    event_id uuid PRIMARY KEY,
    search_id uuid NOT NULL,
    subject uuid,
    simulated boolean NOT NULL,
    "group" text,
    items uuid[] NOT NULL,
    positions integer[] NOT NULL,
    shown_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pages IS 'One row a page that was answered, as long as somebody may still act on it.';
CREATE INDEX pages_search ON pages (search_id);
CREATE INDEX pages_shown ON pages USING brin (shown_at);

CREATE TABLE actions (
    search_id uuid NOT NULL,
    item_id uuid NOT NULL,
    action text NOT NULL,
    acted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (search_id, item_id, action)
);
COMMENT ON TABLE actions IS 'What was told already: a browser may tell it twice.';
CREATE INDEX actions_acted ON actions USING brin (acted_at);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(PAGES)


def downgrade() -> None:
    """Remove them; the events that were sent stay sent."""
    op.execute("DROP TABLE actions, pages")
