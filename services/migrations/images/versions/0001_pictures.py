"""Pictures, who uploaded them, and which published items show them."""

from alembic import op

revision = "images_0001"
down_revision = None


def upgrade() -> None:
    """A picture is one row however often it is uploaded; its id is the hash of what is stored."""
    op.execute(
        """
        CREATE TABLE pictures (
            id text PRIMARY KEY,
            width integer NOT NULL,
            height integer NOT NULL,
            format text NOT NULL CHECK (format IN ('jpeg', 'png', 'webp')),
            size_bytes bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE uploads (
            picture_id text NOT NULL REFERENCES pictures,
            user_id uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (picture_id, user_id)
        );
        CREATE TABLE shown (
            item_id uuid PRIMARY KEY,
            picture_id text NOT NULL,
            sequence integer NOT NULL,
            visible boolean NOT NULL
        );
        CREATE INDEX shown_picture ON shown (picture_id) WHERE visible;
        """
    )
    op.execute(
        """
        CREATE FUNCTION visible_pictures(reader uuid, sees_all boolean)
        RETURNS TABLE (id text, width integer, height integer, format text, size_bytes bigint, public boolean)
        LANGUAGE sql STABLE AS $$
            SELECT * FROM (
                SELECT pictures.id, width, height, format, size_bytes, EXISTS (
                    SELECT FROM shown WHERE shown.picture_id = pictures.id AND shown.visible
                ) AS public
                FROM pictures
            ) AS picture
            WHERE picture.public OR sees_all OR EXISTS (
                SELECT FROM uploads WHERE uploads.picture_id = picture.id AND uploads.user_id = reader
            )
        $$;
        COMMENT ON FUNCTION visible_pictures IS 'The one place that says who sees which picture.';
        """
    )
