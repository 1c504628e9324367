"""What pictures show besides words: how many, where, how bright, in what place; found by the index of words too."""

from alembic import op

revision = "search_0004"
down_revision = "search_0003"

SHOWS = """
ALTER TABLE documents ADD COLUMN shows tsvector NOT NULL DEFAULT '';
COMMENT ON COLUMN documents.shows IS 'Attributes of the picture as terms; empty where no model noticed any.';
CREATE OR REPLACE VIEW visible AS SELECT * FROM documents WHERE searchable;
DROP INDEX documents_terms;
CREATE INDEX documents_terms ON documents USING gin (terms, shows) WITH (fastupdate = off) WHERE searchable;
"""

FORGOTTEN = """
DROP VIEW visible;
ALTER TABLE documents DROP COLUMN shows;
CREATE VIEW visible AS SELECT * FROM documents WHERE searchable;
CREATE INDEX documents_terms ON documents USING gin (terms) WITH (fastupdate = off) WHERE searchable;
"""


def upgrade() -> None:
    """Add the column; what was published before gets it when it is published again."""
    op.execute(SHOWS)


def downgrade() -> None:
    """Remove it."""
    op.execute(FORGOTTEN)
