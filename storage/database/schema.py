"""The schema's version: which one a database has, which one this program needs, and how to get there."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from storage.database.errors import NotTheSame

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def revisions() -> tuple[str, ...]:
    """Every version this program knows, oldest first: the numbers its migration files begin with."""
    return tuple(sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")))


def stored_revision(connection: Connection) -> str | None:
    """The version the database says it has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def is_current(connection: Connection, place: str) -> bool:
    """Whether the schema is the one this program needs; one it does not know is refused, not guessed at."""
    stored, known = stored_revision(connection), revisions()
    if stored is not None and stored not in known:
        raise NotTheSame(
            f"The database {place} has schema {stored}, and this program knows none newer than {known[-1]}:"
            " use the version of countermand that wrote it, or a later one."
        )
    return stored == known[-1]


def lock_for_upgrade(connection: Connection) -> None:
    """On a server: one upgrade at a time, and as long as it takes to fill new columns of many rows."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('countermand upgrade', 0))"))


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date, inside the caller's transaction."""
    # Alembic takes longer to import than everything else here, and most runs have nothing to upgrade.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
