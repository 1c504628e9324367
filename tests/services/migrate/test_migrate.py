"""The one-shot that prepares the database server, against a real one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from services.chassis.roles import ROLES, SCHEMAS
from services.migrate import schemas, upgrading
from services.migrate.main import migrate, run

PASSWORDS = {role: f"password of {role}" for role in ROLES}


def address(superuser: str, role: str, database: str = "platform") -> str:
    return psycopg.conninfo.make_conninfo(superuser, user=role, dbname=database)


def test_each_role_works_in_its_own_schema(migrated: str) -> None:
    for schema in SCHEMAS:
        with psycopg.connect(address(migrated, schema)) as connection:
            assert connection.execute("SELECT current_schema()").fetchone() == (schema,)
            assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'::vector").fetchone() == (1.0,)
            connection.execute("CREATE TABLE mine (id int)")
            connection.rollback()


def test_no_role_sees_another_ones_schema(migrated: str) -> None:
    with psycopg.connect(address(migrated, "items")) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM identity.users")


@pytest.mark.parametrize("statement", ["CREATE TABLE public.mine (id int)", "CREATE SCHEMA mine"])
def test_nobody_makes_anything_outside_their_schema(migrated: str, statement: str) -> None:
    with psycopg.connect(address(migrated, "items")) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize(("role", "database"), [("items", "mlflow"), ("mlflow", "platform")])
def test_databases_are_closed_to_others(migrated: str, role: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(address(migrated, role, database))


def test_mlflow_owns_its_database(migrated: str) -> None:
    with psycopg.connect(address(migrated, "mlflow", "mlflow")) as connection:
        connection.execute("CREATE SCHEMA anything")
        connection.rollback()


def test_tables_and_version_table_belong_to_the_role(migrated: str) -> None:
    with psycopg.connect(address(migrated, "postgres")) as connection:
        rows = connection.execute(
            "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'identity'"
        ).fetchall()
    assert dict(rows) == {"users": "identity", "failed_sign_ins": "identity", "alembic_version": "identity"}


def test_again_and_several_at_once(migrated: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        for finished in [pool.submit(migrate, migrated, PASSWORDS) for _ in range(3)]:
            finished.result()


def test_the_password_is_the_current_one_and_is_not_sent(migrated: str) -> None:
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'items'"
    with psycopg.connect(migrated, autocommit=True) as connection:
        before = connection.execute(stored).fetchone()
        migrate(migrated, PASSWORDS | {"items": "another"})
        after = connection.execute(stored).fetchone()
    migrate(migrated, PASSWORDS)
    assert before
    assert after
    assert before != after
    assert after[0].startswith("SCRAM-SHA-256$")


def test_a_failing_migration_leaves_the_version_before_it(
    migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "100% broken" / "versions"
    versions.mkdir(parents=True)
    head = 'from alembic import op\nrevision = "{}"\ndown_revision = {}\ndef upgrade():\n    op.execute("{}")\n'
    (versions / "1.py").write_text(head.format("one", None, "CREATE TABLE one (id int)"))
    (versions / "2.py").write_text(head.format("two", "'one'", "CREATE TABLE two (id int); SELECT 1/0"))
    (tmp_path / "env").symlink_to(schemas.MIGRATIONS / "env")
    monkeypatch.setattr(schemas, "MIGRATIONS", tmp_path)
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute('CREATE SCHEMA "100% broken"')
        connection.execute('CREATE ROLE "100% broken" IN ROLE pg_monitor')
        connection.execute('GRANT ALL ON SCHEMA "100% broken" TO "100% broken"')
        try:
            with pytest.raises(Exception, match="division by zero"):
                schemas.upgrade(migrated, "100% broken")
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = '100% broken'").fetchall()
            assert {name for (name,) in tables} == {"alembic_version", "one"}
            assert connection.execute('SELECT version_num FROM "100% broken".alembic_version').fetchall() == [("one",)]
        finally:
            connection.execute('DROP SCHEMA "100% broken" CASCADE')
            connection.execute('DROP ROLE "100% broken"')


def test_as_a_one_shot(migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("superuser", *ROLES):
        (tmp_path / name).write_text(f"password of {name}\n")
    monkeypatch.setenv("DATABASE_URL", migrated)
    monkeypatch.setenv("KEYS", str(tmp_path))
    assert run([]) == 0


def test_what_is_up_to_date_needs_no_alembic(migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "to_head", pytest.fail)
    migrate(migrated, PASSWORDS)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_both_ways_to_find_the_newest_revision_agree(schema: str) -> None:
    versions = schemas.MIGRATIONS / schema / "versions"
    if not versions.is_dir():
        pytest.skip(f"{schema} has no migrations yet")
    directory = ScriptDirectory(versions.parent, version_locations=[str(versions)])
    assert schemas.newest_revision(versions) == directory.get_current_head()


def test_two_heads_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.py").write_text("revision: str = 'one'\ndown_revision: str | None = None\n")
    assert schemas.newest_revision(tmp_path) == "one"
    (tmp_path / "2.py").write_text("revision = 'two'\ndown_revision = None\n")
    with pytest.raises(schemas.SeveralHeads, match="one, two"):
        schemas.newest_revision(tmp_path)
