"""Laws the database keeps by itself: facts are never edited, and what was counted never falls.

A migration that was released must go on doing what it did: `create_triggers` makes the triggers of the first
schema, and what came later is a change of them.
"""

from sqlalchemy import Connection, text

from storage.database.errors import DatabaseUnavailable

APPEND_ONLY = ("event", "event_line", "document")
NEVER_FALL = ("ordered", "fulfilled", "cancelled", "declined")

_FALLEN = " OR ".join(f"NEW.{column} < OLD.{column}" for column in NEVER_FALL)

# Units of a shipment that did not leave after all: they may come back only into `withdrawn`, one for one.
_FALLEN_OR_NOT_WITHDRAWN = (
    " OR ".join(
        f"NEW.{column} < OLD.{column}" for column in ("ordered", "cancelled", "declined", "withdrawn")
    )
    + " OR NEW.fulfilled + NEW.withdrawn < OLD.fulfilled + OLD.withdrawn"
    + " OR (NEW.withdrawn > OLD.withdrawn"
    + " AND NEW.fulfilled + NEW.withdrawn <> OLD.fulfilled + OLD.withdrawn)"
)


def create_triggers(dialect: str) -> tuple[str, ...]:
    """The statements that create the triggers of the first schema, for one database system."""
    return _sqlite() if _on_sqlite(dialect) else _postgresql()


def allow_withdrawals(dialect: str) -> tuple[str, ...]:
    """The statements that let fulfilled units fall, as far as they are counted as withdrawn."""
    if _on_sqlite(dialect):
        return ("DROP TRIGGER order_line_never_falls", _sqlite_falls(_FALLEN_OR_NOT_WITHDRAWN))
    drop = "DROP TRIGGER order_line_never_falls ON order_line"
    return (drop, _postgresql_falls(_FALLEN_OR_NOT_WITHDRAWN))


def pause_facts(table: str, dialect: str) -> tuple[str, str]:
    """For a migration that fills a new column of facts: what lets their rows be updated, and what ends it."""
    if _on_sqlite(dialect):
        return f"DROP TRIGGER {table}_no_update", _sqlite_frozen(table, "update")
    return f"DROP TRIGGER {table}_no_update ON {table}", _postgresql_frozen(table, "update")


def refuse_as_laws(dialect: str) -> tuple[str, ...]:
    """The statements that make PostgreSQL call a refusal what SQLite calls it, and refuse TRUNCATE too.

    SQLite has no TRUNCATE, and its triggers' errors are of the class of constraints already.
    """
    if _on_sqlite(dialect):
        return ()
    facts = (
        "CREATE OR REPLACE FUNCTION countermand_facts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are facts: never changed, never deleted', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    fall = (
        "CREATE OR REPLACE FUNCTION countermand_never_falls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a quantity of order_line never falls' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    return (facts, fall, *(_postgresql_frozen(table, "truncate") for table in APPEND_ONLY))


def trigger_names(dialect: str = "sqlite") -> tuple[str, ...]:
    """Every trigger that must be there."""
    words = ("update", "delete") if _on_sqlite(dialect) else ("update", "delete", "truncate")
    pairs = tuple(f"{table}_no_{word}" for table in APPEND_ONLY for word in words)
    return (*pairs, "order_line_never_falls")


def standing_triggers(tx: Connection) -> frozenset[str]:
    """The triggers that are there and switched on."""
    if _on_sqlite(tx.dialect.name):
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal"
    return frozenset(tx.execute(text(query)).scalars())


def unique_indexes(tx: Connection) -> frozenset[str]:
    """The indexes that are there and let nothing in twice."""
    if _on_sqlite(tx.dialect.name):
        query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE %'"
    else:
        query = (
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indisunique AND i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
        )
    return frozenset(tx.execute(text(query)).scalars())


def _on_sqlite(dialect: str) -> bool:
    if dialect not in ("sqlite", "postgresql"):
        raise DatabaseUnavailable(f"countermand does not know the database system {dialect}.")
    return dialect == "sqlite"


def _sqlite() -> tuple[str, ...]:
    frozen = tuple(_sqlite_frozen(table, word) for table in APPEND_ONLY for word in ("update", "delete"))
    return (*frozen, _sqlite_falls(_FALLEN))


def _sqlite_frozen(table: str, word: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{word} BEFORE {word.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are facts: never changed, never deleted'); END"
    )


def _sqlite_falls(condition: str) -> str:
    return (
        f"CREATE TRIGGER order_line_never_falls BEFORE UPDATE ON order_line WHEN {condition} "
        "BEGIN SELECT RAISE(ABORT, 'a quantity of order_line never falls'); END"
    )


def _postgresql() -> tuple[str, ...]:
    facts = (
        "CREATE FUNCTION countermand_facts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are facts: never changed, never deleted', TG_TABLE_NAME; END $$"
    )
    frozen = tuple(_postgresql_frozen(table, word) for table in APPEND_ONLY for word in ("update", "delete"))
    fall = (
        "CREATE FUNCTION countermand_never_falls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a quantity of order_line never falls'; END $$"
    )
    return (facts, *frozen, fall, _postgresql_falls(_FALLEN))


def _postgresql_frozen(table: str, word: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{word} BEFORE {word.upper()} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION countermand_facts()"
    )


def _postgresql_falls(condition: str) -> str:
    return (
        f"CREATE TRIGGER order_line_never_falls BEFORE UPDATE ON order_line FOR EACH ROW WHEN ({condition}) "
        "EXECUTE FUNCTION countermand_never_falls()"
    )
