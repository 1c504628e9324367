"""What was built: a tag of a model has one digest, for ever."""

from alembic import op

revision = "image_builder_0001"
down_revision = None


def upgrade() -> None:
    """One row a tag: of the image with the runtime, and of the model alone."""
    op.execute(
        """
        CREATE TABLE images (
            id uuid PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('image', 'artefact')),
            name text NOT NULL,
            version text NOT NULL,
            tag text NOT NULL,
            digest text NOT NULL,
            reference text NOT NULL,
            manifest_sha256 text NOT NULL,
            base text,
            size bigint NOT NULL,
            layers jsonb NOT NULL,
            asked_by text,
            built_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (kind, name, tag)
        );
        """
    )
