"""The checker: what must be so when everything has come to rest, whatever was killed on the way."""

import hashlib
import os
import quopri
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from storage.invariants import audit
from storage.models import table
from tests.crash.servers import MailLog
from tests.crash.workload import FOLDERS, HUGE, PARTNERS, Dropped

#: How bad a breach is: the first words of its sentence.
LOST, DOUBLE, MAILED_TWICE = "LOST", "DOUBLE", "MAILED TWICE"

_SHORT = 80  # characters of a value in a sentence
_TAKEN = ("sent", "uncertain")


@dataclass(frozen=True, slots=True)
class Resting:
    """What was found."""

    breaches: tuple[str, ...]
    uncertain: int  # mails that may or may not have gone out, beyond those the mail server itself left so
    delivered: int  # ... and of these the ones the mail server has


@dataclass(slots=True)
class Expected:
    """What a run that nothing disturbs ends with."""

    picture: Mapping[str, Counter[tuple[Any, ...]]]
    uncertain: int
    delivered: int


@dataclass(slots=True)
class Scene:
    """Everything the checker looks at."""

    tx: Connection
    home: Path
    log: MailLog
    files: tuple[Dropped, ...]
    breaches: list[str] = field(default_factory=list)

    def rows(self, name: str) -> list[dict[str, Any]]:
        rows = self.tx.execute(select(table(name))).mappings().all()
        return [dict(row) for row in rows]


def check(scene: Scene, expected: Expected | None) -> Resting:
    """Look at the database, the folders and the mail server's log; without `expected`, not at the ledger."""
    scene.breaches.extend(_files(scene))
    scene.breaches.extend(_left_on_the_way(scene))
    messages = scene.rows("outbox")
    scene.breaches.extend(_uploads(scene, messages))
    uncertain, delivered = _mails(scene, messages)
    for breach in audit(scene.tx):
        scene.breaches.append(f"AUDIT {breach.invariant}: {[dict(row) for row in breach.rows[:3]]}")
    if expected is not None:
        scene.breaches.extend(_differences(picture(scene), expected.picture))
        uncertain, delivered = uncertain - expected.uncertain, delivered - expected.delivered
    return Resting(tuple(scene.breaches), uncertain, delivered)


def _files(scene: Scene) -> Iterator[str]:
    """Every file is kept exactly once with its bytes, and lies exactly once where read files lie."""
    kept = Counter(
        (row["partner"], bytes(row["name_bytes"]), bytes(row["data"])) for row in scene.rows("received_file")
    )
    lying = Counter(
        (partner, path.read_bytes())
        for partner in PARTNERS
        for folder in ("processed", "rejected")
        for path in (scene.home / partner / folder).glob("*")
    )
    for file in scene.files:
        found = kept.pop((file.partner, file.name, file.content), 0)
        if found != 1:
            yield f"{DOUBLE if found else LOST}: {file.name!r} of {file.partner} is kept {found} times"
    yield from (
        f"{DOUBLE}: {key[:2]} is kept, and nobody dropped it"
        for key in kept
        if not key[1].startswith(b"before-")
    )
    dropped = Counter((file.partner, file.content) for file in scene.files)
    for key in dropped | lying:
        if dropped[key] != lying[key]:
            word = LOST if lying[key] < dropped[key] else DOUBLE
            yield f"{word}: {key} lies in processed or rejected {lying[key]} times"
    for row in scene.rows("received_file"):
        if row["sha256"] != hashlib.sha256(bytes(row["data"])).hexdigest() or row["size"] != len(row["data"]):
            yield f"{LOST}: file {row['id']} is not what its hash says"
        if row["moved_at"] is None:
            yield f"LEFT: file {row['id']} is not known to have been moved"


def _left_on_the_way(scene: Scene) -> Iterator[str]:
    for partner in PARTNERS:
        for folder in FOLDERS:
            for path in (scene.home / partner / folder).glob("*"):
                if (folder == "pickup" and os.fsencode(path.name) != HUGE) or path.name.startswith("."):
                    yield f"LEFT: {partner}/{folder}/{path.name}"


def _uploads(scene: Scene, messages: list[dict[str, Any]]) -> Iterator[str]:
    """Each acknowledgment lies in the delivery folder once, under its name, with the bytes of its row."""
    owed = {
        (row["partner"], row["identity"]): bytes(row["payload"])
        for row in messages
        if row["kind"] == "acknowledgment" and not row["dedupe_key"].startswith("before")
    }
    there = {
        (partner, path.name): path.read_bytes()
        for partner in PARTNERS
        for path in (scene.home / partner / "delivery").glob("*")
        if not path.name.startswith(".")
    }
    for key in owed.keys() | there.keys():
        if owed.get(key) != there.get(key):
            yield f"{LOST if key in owed else DOUBLE}: acknowledgment {key} is not what is owed"
    for row in messages:
        if row["kind"] == "acknowledgment" and row["status"] != "sent":
            yield f"LEFT: acknowledgment {row['identity']} is {row['status']}"


def _mails(scene: Scene, messages: list[dict[str, Any]]) -> tuple[int, int]:
    """No mail twice; what is marked as sent was accepted; what is not sent or uncertain was not."""
    accepted = Counter(message_id for _, message_id in scene.log.lines("accepted"))
    scene.breaches.extend(
        f"{MAILED_TWICE}: {id} {count} times" for id, count in accepted.items() if count > 1
    )
    uncertain = delivered = 0
    for row in messages:
        if row["kind"] != "email":
            continue
        there = accepted.pop(row["identity"], 0)
        if row["status"] == "uncertain":
            uncertain += 1
            delivered += there > 0
        elif (row["status"] == "sent") != (there > 0):
            scene.breaches.append(f"{LOST}: mail {row['id']} is {row['status']}, accepted {there} times")
        if row["status"] in ("new", "sending", "committing"):
            scene.breaches.append(f"LEFT: mail {row['id']} is {row['status']}")
    scene.breaches.extend(f"{DOUBLE}: mail {id} was accepted, and nobody owes it" for id in accepted)
    return uncertain, delivered


def picture(scene: Scene) -> dict[str, Counter[tuple[Any, ...]]]:
    """The ledger without ids and times: what must be the same after every run."""
    files = {row["id"]: (row["partner"], row["name"]) for row in scene.rows("received_file")}
    interchanges = {row["id"]: (files[row["file_id"]], row["ordinal"]) for row in scene.rows("interchange")}
    sets = {
        row["id"]: (interchanges[row["interchange_id"]], row["ordinal"])
        for row in scene.rows("transaction_set")
    }
    orders = {row["id"]: row["po_number"] for row in scene.rows("orders")}
    lines = {row["id"]: (orders[row["order_id"]], row["line"]) for row in scene.rows("order_line")}
    events = {row["id"]: (orders[row["order_id"]], row["sequence"]) for row in scene.rows("event")}
    names = {
        "file_id": files,
        "interchange_id": interchanges,
        "set_id": sets,
        "order_id": orders,
        "line_id": lines,
        "event_id": events,
        "verdict_set_id": sets,
    }
    seen: dict[str, Counter[tuple[Any, ...]]] = {}
    for name in _COMPARED:
        seen[name] = Counter(_facts(name, row, names) for row in scene.rows(name))
    return seen


_COMPARED = (
    "received_file", "interchange", "transaction_set", "document", "orders", "order_line", "order_line_id",
    "event", "event_line", "held", "parked", "outbox", "sequence",
)  # fmt: skip
#: Ids, what is made of them, times, and what counts attempts.
_PASSING = {
    "id", "received_at", "moved_at", "ingested_at", "attempts", "at", "placed_at", "restated_at",
    "decided_at", "answered_at", "expires_at", "since", "created_at", "due_at", "sent_at", "dedupe_key",
    "moved_to", "error", "previous_hash", "hash", "last_hash", "claimed_at", "fence",
}  # fmt: skip
_BOUNDARY = re.compile(rb'boundary="([^"]+)"')
_HELD = re.compile(r"release \d+")  # the command that answers what is held


def _facts(name: str, row: dict[str, Any], names: Mapping[str, Mapping[int, object]]) -> tuple[Any, ...]:
    if name == "outbox" and row["kind"] == "email":
        # Its identity is made of an event's id, and its words may name the number of what is held; on
        # PostgreSQL an undone transaction leaves a gap in those.
        row = {
            **row,
            "identity": "",
            "payload": [_HELD.sub("release N", words) for words in _versions(row["payload"])],
            "status": "sent" if row["status"] in _TAKEN else row["status"],
        }
    kept = {
        key: value
        for key, value in row.items()
        if key not in _PASSING or (name == "order_line_id" and key == "id")
    }
    for key, known in names.items():
        if kept.get(key) is not None:
            kept[key] = known[kept[key]]
    return tuple((key, str(value)) for key, value in sorted(kept.items()))


def _versions(mail: bytes) -> Iterator[str]:
    """What stands in each part of a mail; the e-mail package would take longest of all that is checked."""
    boundary = _BOUNDARY.search(mail)
    for part in mail.split(b"--" + boundary[1])[1:-1] if boundary else ():
        yield quopri.decodestring(part.partition(b"\r\n\r\n")[2]).decode()


def _shown(row: tuple[Any, ...]) -> str:
    """A row for people: of long values the beginning, and what tells them from others."""

    def short(text: str) -> str:
        mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        return text if len(text) <= _SHORT else f"{text[:_SHORT]}... {mark}"

    return str({key: short(value) for key, value in row})


def _differences(
    found: Mapping[str, Counter[tuple[Any, ...]]], expected: Mapping[str, Counter[tuple[Any, ...]]]
) -> Iterator[str]:
    for name in expected:
        for row in found[name] - expected[name]:
            yield f"{DOUBLE}: {name} has {_shown(row)}"
        for row in expected[name] - found[name]:
            yield f"{LOST}: {name} has no {_shown(row)}"
