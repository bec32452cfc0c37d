"""The queue's tables: procrastinate's own schema, beside the ledger's, made and brought up to date by us.

procrastinate does not write down which of its migrations a database has had; the comment on its table of
jobs does, so that no table of ours is needed for it.
"""

from pathlib import Path

from sqlalchemy import Connection, text

from pipeline.errors import OperatorError
from pipeline.work.queue import is_there
from storage.database import Database

_SAID = "countermand: as of "
_COMMENT = text("SELECT obj_description('procrastinate_jobs'::regclass, 'pg_class')")
# Jobs come and go by the minute: the dead ones are swept up by number, not by share.
_OFTEN = (
    "ALTER TABLE procrastinate_jobs SET (autovacuum_vacuum_scale_factor = 0,"
    " autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0,"
    " autovacuum_analyze_threshold = 1000)"
)


def upgrade(database: Database) -> str | None:
    """Make the queue or bring it up to date, in a transaction of its own for each step.

    The version it has then; None where there is no queue: only a server has one.
    """
    if database.dialect != "postgresql":
        return None
    steps = _steps()
    with database.writing() as tx:
        tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('countermand queue', 0))"))
        if not is_there(tx):
            _run(tx, _whole())
            tx.exec_driver_sql(_OFTEN)
            _remember(tx, steps[-1].stem)
    for step in steps:
        with database.writing() as tx:
            tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('countermand queue', 0))"))
            if step.stem > version(tx):
                _run(tx, step.read_text(encoding="utf-8"))
                _remember(tx, step.stem)
    return steps[-1].stem


def version(tx: Connection) -> str:
    """The last migration the queue's tables have had; they must be there."""
    said = str(tx.execute(_COMMENT).scalar_one_or_none() or "")
    if not said.startswith(_SAID):
        raise OperatorError(
            "The database has a procrastinate that countermand did not make, in the schema of the ledger."
            " Give countermand a database or a schema of its own."
        )
    return said.removeprefix(_SAID)


def check(tx: Connection) -> None:
    """Raise when the queue is not the one this program needs."""
    if not is_there(tx) or version(tx) != _steps()[-1].stem:
        raise OperatorError("The queue's tables are not up to date: run `countermand db upgrade`.")


def _steps() -> list[Path]:
    """procrastinate's migrations, oldest first: their names sort by version."""
    from procrastinate.schema import migrations_path

    return sorted(migrations_path.glob("*.sql"))


def _whole() -> str:
    from procrastinate.schema import SchemaManager

    return SchemaManager.get_schema()


def _run(tx: Connection, script: str) -> None:
    """Many statements at once: the driver takes them as they are when there are no values."""
    driver = tx.connection.driver_connection
    assert driver is not None
    driver.execute(script)


def _remember(tx: Connection, step: str) -> None:
    said = _SAID + "".join(sign for sign in step if sign.isalnum() or sign in "._-")
    tx.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{said}'")
