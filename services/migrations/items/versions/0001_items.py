"""Items and all that is known of them: judgements, decisions, likes, dead letters, the outbox."""

from alembic import op

from services.chassis.outbox import OUTBOX_TABLE

revision = "items_0001"
down_revision = None

ITEMS = """
CREATE TABLE screenings (
    event_id uuid PRIMARY KEY,
    cause_id uuid,
    item_id uuid NOT NULL,
    revision integer NOT NULL,
    screening jsonb NOT NULL,
    screened_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX screenings_cause ON screenings (cause_id);
CREATE INDEX screenings_item ON screenings (item_id);

CREATE TABLE items (
    id uuid PRIMARY KEY,
    revision integer NOT NULL,
    sequence integer NOT NULL,
    owner_id uuid NOT NULL,
    owner_name text NOT NULL,
    image_id text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    category text,
    state text NOT NULL CHECK (state IN ('screening', 'published', 'rejected', 'needs_review', 'withdrawn')),
    reasons jsonb NOT NULL,
    screening_id uuid REFERENCES screenings,
    decided_by_person boolean NOT NULL,
    likes integer NOT NULL CHECK (likes >= 0),
    registered_at timestamptz NOT NULL,
    submitted_at timestamptz NOT NULL,
    decided_at timestamptz,
    searchable_at timestamptz,
    searchable_seconds double precision
);
CREATE INDEX items_owner ON items (owner_id, id);
CREATE INDEX items_waiting ON items (state, id) WHERE state IN ('screening', 'needs_review');
CREATE INDEX items_searchable ON items (searchable_at);
"""

READERS = """
CREATE FUNCTION visible_items(reader uuid, sees_all boolean) RETURNS SETOF items LANGUAGE sql STABLE AS $$
    SELECT * FROM items WHERE state = 'published' OR owner_id = reader OR sees_all
$$;
COMMENT ON FUNCTION visible_items IS 'The one place that says who sees which item; all that is shown comes through it.';

CREATE FUNCTION tell_item_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_changed', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER item_changed AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION tell_item_changed();
"""

AROUND = """
CREATE TABLE registrations (
    owner_id uuid NOT NULL,
    key text NOT NULL,
    body_sha256 bytea NOT NULL,
    item_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, key)
);
CREATE INDEX registrations_created_at ON registrations (created_at);

CREATE TABLE likes (
    item_id uuid NOT NULL REFERENCES items,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item_id, user_id)
);

CREATE TABLE decisions (
    id uuid PRIMARY KEY,
    item_id uuid NOT NULL REFERENCES items,
    revision integer NOT NULL,
    decision text NOT NULL,
    reason text NOT NULL,
    moderator_id uuid NOT NULL,
    moderator_name text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX decisions_item ON decisions (item_id);

CREATE TABLE dead_letters (
    event_id uuid PRIMARY KEY,
    type text NOT NULL,
    item_id uuid NOT NULL,
    reason text NOT NULL,
    event jsonb NOT NULL,
    times integer NOT NULL DEFAULT 1,
    last_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    """The outbox is also looked up by item, to find items nobody is going to judge."""
    op.execute(OUTBOX_TABLE)
    op.execute("CREATE INDEX outbox_subject ON outbox ((event ->> 'subject'))")
    for statements in (ITEMS, READERS, AROUND):
        op.execute(statements)
