"""The migrations make exactly the tables the models describe, and the triggers."""

import re

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from storage.database import Database
from storage.database.schema import MIGRATIONS, revisions
from storage.database.triggers import APPEND_ONLY, allow_withdrawals, create_triggers, trigger_names
from storage.models import METADATA
from tests.postgres import PostgresServer


def objects(tx: Connection) -> dict[str, str]:
    """Everything SQLite was told to create, in its own words without white space and quotes."""
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
    return {name: "".join(sql.replace('"', "").split()) for name, sql in tx.execute(query)}


def parts(created: dict[str, str]) -> dict[str, list[str]]:
    """The order of constraints says nothing: what is created, its options, and each part by itself."""
    return {name: _parts(sql) for name, sql in created.items()}


def _parts(sql: str) -> list[str]:
    if not sql.startswith("CREATETABLE"):
        return [sql]
    first, last = sql.index("("), sql.rindex(")")
    # A constraint said beside its column is the one said below all columns; a reference then names it again.
    said = re.sub(r"FOREIGNKEY\(\w+\)", "", sql[first + 1 : last])
    return [sql[:first], sql[last:], *sorted(filter(None, re.split(",|CONSTRAINT", said)))]


def test_migrations_and_models_agree(database: Database) -> None:
    with database.writing() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_migrations_and_models_agree_on_every_constraint(sqlite_database: Database) -> None:
    """Alembic does not compare CHECK constraints; SQLite's own record of them does."""
    engine = create_engine("sqlite://")
    with engine.begin() as tx:
        METADATA.create_all(tx)
        for statement in (*create_triggers("sqlite"), *allow_withdrawals("sqlite")):
            tx.execute(text(statement))
        from_models = objects(tx)
    engine.dispose()
    with sqlite_database.reading() as tx:
        from_migrations = objects(tx)
    assert parts(from_migrations) == parts(from_models)
    assert sum("CHECK" in sql for sql in from_models.values()) >= 8


def constraints(tx: Connection) -> set[tuple[str, ...]]:
    """Every constraint and index PostgreSQL keeps, in its own words."""
    found = tx.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
            " UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        )
    )
    return {tuple(row) for row in found if row[0] != "alembic_version"}


def test_migrations_and_models_agree_on_every_constraint_of_postgresql(
    postgres_server: PostgresServer,
) -> None:
    migrated, plain = Database(postgres_server.borrow()), postgres_server.new_database("template0")
    engine = create_engine(plain)
    with engine.begin() as tx:
        METADATA.create_all(tx)
        from_models = constraints(tx)
    engine.dispose()
    with migrated.reading() as tx:
        from_migrations = constraints(tx)
    postgres_server.drop(plain)
    assert from_migrations == from_models
    assert sum("CHECK" in row[2] for row in from_models) >= 8


def test_every_trigger_is_there(database: Database) -> None:
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
    }
    with database.reading() as tx:
        found = tx.execute(text(query[database.dialect])).scalars().all()
    assert sorted(found) == sorted(trigger_names(database.dialect))


def test_both_systems_are_given_the_same_triggers() -> None:
    for name in trigger_names():
        for dialect in ("sqlite", "postgresql"):
            assert any(f"TRIGGER {name} " in statement for statement in create_triggers(dialect)), dialect
    assert set(trigger_names("postgresql")) - set(trigger_names()) == {
        f"{table}_no_truncate" for table in APPEND_ONLY
    }


def test_file_names_and_revisions_agree() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    walked = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(walked)) == revisions()
    assert scripts.get_current_head() == revisions()[-1]


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert database.upgrade() == database.upgrade() == database.current()
