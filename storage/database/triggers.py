"""Laws the database keeps by itself: facts are never edited, and what was counted never falls."""

from storage.database.errors import DatabaseUnavailable

APPEND_ONLY = ("event", "event_line", "document")
NEVER_FALL = ("ordered", "fulfilled", "cancelled", "declined")

_FALLEN = " OR ".join(f"NEW.{column} < OLD.{column}" for column in NEVER_FALL)


def create_triggers(dialect: str) -> tuple[str, ...]:
    """The statements that create the triggers, for one database system."""
    if dialect == "sqlite":
        return _sqlite()
    if dialect == "postgresql":
        return _postgresql()
    raise DatabaseUnavailable(f"countermand does not know the database system {dialect}.")


def trigger_names() -> tuple[str, ...]:
    """Every trigger that must be there."""
    pairs = tuple(f"{table}_no_{word}" for table in APPEND_ONLY for word in ("update", "delete"))
    return (*pairs, "order_line_never_falls")


def _sqlite() -> tuple[str, ...]:
    frozen = tuple(
        f"CREATE TRIGGER {table}_no_{word} BEFORE {word.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are facts: never changed, never deleted'); END"
        for table in APPEND_ONLY
        for word in ("update", "delete")
    )
    falls = (
        f"CREATE TRIGGER order_line_never_falls BEFORE UPDATE ON order_line WHEN {_FALLEN} "
        "BEGIN SELECT RAISE(ABORT, 'a quantity of order_line never falls'); END"
    )
    return (*frozen, falls)


def _postgresql() -> tuple[str, ...]:
    facts = (
        "CREATE FUNCTION countermand_facts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % are facts: never changed, never deleted', TG_TABLE_NAME; END $$"
    )
    frozen = tuple(
        f"CREATE TRIGGER {table}_no_{word} BEFORE {word.upper()} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION countermand_facts()"
        for table in APPEND_ONLY
        for word in ("update", "delete")
    )
    fall = (
        "CREATE FUNCTION countermand_never_falls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a quantity of order_line never falls'; END $$"
    )
    falls = (
        f"CREATE TRIGGER order_line_never_falls BEFORE UPDATE ON order_line FOR EACH ROW WHEN ({_FALLEN}) "
        "EXECUTE FUNCTION countermand_never_falls()"
    )
    return (facts, *frozen, fall, falls)
