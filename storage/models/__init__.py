"""The tables, shapes only: nothing here validates; the commands and the database's own constraints do.

Text columns that hold one of a closed list carry a CHECK with that list. A column that is "" means "not
said"; a column that is NULL means "not yet" or "none".
"""

from sqlalchemy import Table

from storage.models import (  # noqa: F401 - makes all known
    access,
    digests,
    mailboxes,
    orders,
    owed,
    received,
    requests,
    waiting,
    webhooks,
)
from storage.models.base import Row

METADATA = Row.metadata


def table(name: str) -> Table:
    """The SQLAlchemy table behind a model, for Core statements."""
    return METADATA.tables[name]
