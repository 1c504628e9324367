"""What can be found, what no longer can, and the events that tell of it."""

from alembic import op

from services.chassis.outbox import OUTBOX_TABLE

revision = "search_0001"
down_revision = None

DOCUMENTS = """
CREATE TABLE documents (
    item_id uuid PRIMARY KEY,
    revision integer NOT NULL,
    sequence integer NOT NULL,
    likes_sequence integer NOT NULL,
    searchable boolean NOT NULL,
    indexed_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz NOT NULL DEFAULT '-infinity',
    owner_id uuid,
    owner_name text NOT NULL DEFAULT '',
    image_id text NOT NULL DEFAULT '',
    title text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    category text,
    tags text[] NOT NULL DEFAULT '{}',
    likes integer NOT NULL DEFAULT 0,
    plain text NOT NULL DEFAULT '',
    terms tsvector NOT NULL DEFAULT '',
    vocabulary text NOT NULL DEFAULT '',
    embedding public.vector(128),
    embedding_version text NOT NULL DEFAULT ''
) WITH (fillfactor = 85);
COMMENT ON COLUMN documents.sequence IS 'Of the last publication or removal taken in; an older one changes nothing.';
COMMENT ON COLUMN documents.searchable IS 'False: a removed item, kept so that a late event cannot bring it back.';
COMMENT ON COLUMN documents.plain IS 'Title, tags and category in one spelling, for slips of the pen.';
COMMENT ON COLUMN documents.vocabulary IS 'Version of the rules that made the terms.';

CREATE INDEX documents_terms ON documents USING gin (terms) WITH (fastupdate = off) WHERE searchable;
CREATE INDEX documents_plain ON documents USING gin (plain public.gin_trgm_ops) WITH (fastupdate = off)
    WHERE searchable;
CREATE INDEX documents_embedding ON documents USING hnsw (embedding public.vector_cosine_ops) WHERE searchable;
CREATE INDEX documents_newest ON documents (published_at DESC, item_id DESC) WHERE searchable;
CREATE INDEX documents_category ON documents (category, published_at DESC, item_id DESC) WHERE searchable;
CREATE INDEX documents_vocabulary ON documents (vocabulary) WHERE searchable;
"""

VISIBLE = """
CREATE VIEW visible AS SELECT * FROM documents WHERE searchable;
COMMENT ON VIEW visible IS 'The one place that says what can be found; everything that is answered comes through it.';
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(DOCUMENTS)
    op.execute(VISIBLE)
    op.execute(OUTBOX_TABLE)


def downgrade() -> None:
    """Remove them; the index can be built again from the items' events."""
    op.execute("DROP VIEW visible; DROP TABLE documents; DROP TABLE outbox")
