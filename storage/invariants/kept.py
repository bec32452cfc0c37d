"""Walks over what must be as it was kept: files, our documents' numbers, keys, addresses, and the guards."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, text

from storage.database.triggers import standing_triggers, trigger_names, unique_indexes
from storage.invariants.law import Found, Invariant
from storage.models import METADATA

BYTES, NUMBERS, GUARDS = "kept_bytes", "numbers", "guards"
KEYS, ADDRESSES = "kept_keys", "kept_addresses"
LAWS = (
    Invariant(
        BYTES,
        "G1",
        "The bytes of every file are those that were received, or were emptied after the file was read.",
    ),
    Invariant(
        NUMBERS,
        "G7",
        "The control numbers of our documents go up one by one for each partner, as far as its counter"
        " stands; only a backup that was put back skips some.",
    ),
    Invariant(
        GUARDS,
        "G5",
        "The triggers that keep facts from being changed are there and switched on, and so are the indexes"
        " that keep things from being there twice.",
    ),
    Invariant(
        KEYS,
        "G2",
        "An interchange that counts has the partner, addresses and control number that its key says.",
    ),
    Invariant(
        ADDRESSES,
        "G8",
        "An e-mail goes to the address that its own To says.",
    ),
)

_SIZES = "SELECT id, size FROM received_file ORDER BY id"
_FILES = """
    SELECT id, name, sha256, size, data, pruned_at FROM received_file
    WHERE id BETWEEN :first AND :last ORDER BY id
"""
_UNIQUE = frozenset(
    str(index.name) for one in METADATA.sorted_tables for index in one.indexes if index.unique
)
_TOGETHER = 16_000_000  # bytes of files that are read at once
_COUNTERS = "SELECT name, value FROM sequence WHERE name LIKE 'interchange:%' ORDER BY name"
_NUMBERS = """
    SELECT partner, group_control_number, identity FROM outbox
    WHERE kind = 'acknowledgment' AND resend_of IS NULL
"""
_IN_NAME = re.compile(r"[0-9]+(?=\.)")  # the first programs wrote the number into the file's name only
_PAGE = 5000  # rows at a time
_KEYS = """
    SELECT id, partner, sender, receiver, control_number, key FROM interchange
    WHERE key IS NOT NULL AND id > :after ORDER BY id LIMIT :page
"""
_MAILS = """
    SELECT id, recipient, SUBSTR(payload, 1, 1000) FROM outbox
    WHERE kind = 'email' AND LENGTH(payload) > 0 AND id > :after ORDER BY id LIMIT :page
"""
_TO = re.compile(rb"^To:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE | re.IGNORECASE)
_SKIPPED = "SELECT numbers_skipped FROM restoration ORDER BY id"


def walk(tx: Connection) -> Iterator[Found]:
    """Every breach of LAWS."""
    yield from _bytes(tx)
    yield from _numbers(tx)
    standing = standing_triggers(tx)
    for name in trigger_names():
        if name not in standing:
            yield GUARDS, {"trigger": name}
    unique = unique_indexes(tx)
    for name in sorted(_UNIQUE - unique):
        yield GUARDS, {"index": name}
    yield from _keys(tx)
    yield from _addresses(tx)


def _keys(tx: Connection) -> Iterator[Found]:
    for interchange_id, *said, key in _paged(tx, _KEYS):
        if json.loads(key)[: len(said)] != said:
            yield KEYS, {"interchange_id": interchange_id, "control_number": said[-1]}


def _addresses(tx: Connection) -> Iterator[Found]:
    for message_id, recipient, head in _paged(tx, _MAILS):
        to = _TO.search(bytes(head))
        bare = recipient.rpartition("<")[2].rstrip(">")
        if to is not None and bare.encode() not in b"".join(to[1].split()):
            yield ADDRESSES, {"message_id": message_id, "recipient": recipient}


def _paged(tx: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that begins after an id, without the memory for all of them."""
    after = 0
    while rows := tx.execute(text(query), {"after": after, "page": _PAGE}).all():
        yield from map(tuple, rows)
        after = rows[-1][0]


def _bytes(tx: Connection) -> Iterator[Found]:
    for first, last in _groups(tx):
        for file_id, name, sha256, size, data, pruned_at in tx.execute(
            text(_FILES), {"first": first, "last": last}
        ):
            content = bytes(data)
            whole = len(content) == size and hashlib.sha256(content).hexdigest() == sha256
            if not whole if pruned_at is None else content:
                yield BYTES, {"file_id": file_id, "name": name}


def _groups(tx: Connection) -> Iterator[tuple[int, int]]:
    """The first and the last id of files that are read at once."""
    first, last, together = None, 0, 0
    for file_id, size in tx.execute(text(_SIZES)).all():
        if first is not None and together + size > _TOGETHER:
            yield first, last
            first, together = None, 0
        first, last, together = first or file_id, file_id, together + size
    if first is not None:
        yield first, last


def _numbers(tx: Connection) -> Iterator[Found]:
    used: dict[str, list[int]] = defaultdict(list)
    for partner, number, name in tx.execute(text(_NUMBERS)):
        used[partner].extend(map(int, [number] if number else _IN_NAME.findall(name)[:1]))
    counters = {name.partition(":")[2]: value for name, value in tx.execute(text(_COUNTERS))}
    allowed = _sums([skipped for (skipped,) in tx.execute(text(_SKIPPED))])
    for partner in sorted(used.keys() | counters.keys()):
        before = 0
        for number in sorted(used[partner]):
            if number - before - 1 not in allowed:
                yield NUMBERS, {"partner": partner, "after": before, "number": number}
            before = number
        counter = counters.get(partner, 0)
        if counter - before not in allowed:
            yield NUMBERS, {"partner": partner, "after": before, "counter": counter}


def _sums(skipped: Iterable[int]) -> set[int]:
    """How many numbers may be missing in a row: none, or what restorations one after another skipped."""
    sums = {0}
    running: list[int] = []
    for one in skipped:
        running = [*(earlier + one for earlier in running), one]
        sums.update(running)
    return sums
