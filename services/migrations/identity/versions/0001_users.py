"""Users, and the failed sign-ins that slow a guesser down."""

from alembic import op

revision = "identity_0001"
down_revision = None


def upgrade() -> None:
    """Names are compared by `key`: the same name in another case or width is the same name."""
    op.execute(
        """
        CREATE TABLE users (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            key text NOT NULL UNIQUE,
            password_hash text NOT NULL,
            roles text[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE failed_sign_ins (
            key text PRIMARY KEY,
            failures integer NOT NULL,
            last_at timestamptz NOT NULL
        );
        CREATE INDEX failed_sign_ins_last_at ON failed_sign_ins (last_at);
        """
    )
