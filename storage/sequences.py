"""Counters without gaps: a number taken in a transaction that is undone is given out again."""

from sqlalchemy import Connection, bindparam, update

from storage.database import Prepared, insert_new
from storage.models import table

_SEQUENCES = table("sequence")
_NEXT = Prepared(
    update(_SEQUENCES)
    .where(_SEQUENCES.c.name == bindparam("counter"))
    .values(value=_SEQUENCES.c.value + 1)
    .returning(_SEQUENCES.c.value),
    "counter",
)


def next_number(tx: Connection, name: str) -> int:
    """The next number of a counter: 1, 2, 3 ... Others who ask for the same one wait for this transaction."""
    found = _NEXT.one(tx, name)
    if found is None:
        insert_new(tx, _SEQUENCES, {"name": name, "value": 0}, key=("name",), returning="name")
        return _NEXT.new_id(tx, (name,))
    return int(found[0])
