"""What people did with what search showed them, and what each of them seems to like."""

from alembic import op

revision = "search_0002"
down_revision = "search_0001"

USE = """
CREATE TABLE item_use (
    item_id uuid NOT NULL,
    day date NOT NULL,
    simulated boolean NOT NULL,
    examined double precision NOT NULL,
    clicks integer NOT NULL,
    long_views integer NOT NULL,
    PRIMARY KEY (item_id, day, simulated)
) WITH (fillfactor = 80);
COMMENT ON COLUMN item_use.examined IS 'Impressions, each counted as the chance that it was looked at where it stood.';
COMMENT ON COLUMN item_use.simulated IS 'By programs that play users; people never see its effect.';
CREATE INDEX item_use_day ON item_use (day);

CREATE TABLE user_use (
    subject uuid NOT NULL,
    trait text NOT NULL,
    examined double precision NOT NULL,
    clicks double precision NOT NULL,
    PRIMARY KEY (subject, trait)
) WITH (fillfactor = 80);
COMMENT ON TABLE user_use IS 'How much of each trait (a category, a language) somebody looked at, and clicked.';

CREATE TABLE user_items (
    subject uuid NOT NULL,
    item_id uuid NOT NULL,
    grade smallint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (subject, item_id)
);
COMMENT ON COLUMN user_items.grade IS '1 a click, 2 a long view, 3 a like.';
CREATE INDEX user_items_latest ON user_items (subject, at DESC);
CREATE INDEX user_items_at ON user_items (at);

CREATE TABLE use_taken (event_id uuid PRIMARY KEY, taken_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX use_taken_at ON use_taken (taken_at);
COMMENT ON TABLE use_taken IS 'Events that were counted: the broker may bring one twice.';
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(USE)


def downgrade() -> None:
    """Remove them; what is in them comes again with use."""
    op.execute("DROP TABLE use_taken, user_items, user_use, item_use")
