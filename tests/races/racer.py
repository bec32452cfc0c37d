"""One process of a race: it sends documents at random, sleeps where it hurts, sometimes dies or is stopped.

The sleeps are put around the ledger's own functions from outside; the product knows nothing of them.
"""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from storage import ledger
from storage.commands import (
    Change,
    Command,
    Consent,
    LineChange,
    LineReference,
    QuantityReading,
    RecordShipment,
    Source,
)
from storage.database import Database
from storage.ledger import Result
from storage.outcomes import Outcome
from storage.writing import Writer
from tests.races import wrong
from tests.unit.storage.build import BUYER, SELLER, answer, ask, cancel, change, cut, ship, submit, withdraw

HOT, MANY, SMALL = "HOT", "MANY", "SMALL"
ORDERS_MANY, LINES_OF_EACH = 30, 10  # 300 lines
ORDERS_SMALL = 8
SHARED = 60  # documents that every process may send
SLEEP_SECONDS_MAX = 0.002
KILLED, STOPPED = 1 / 100, 1 / 100  # of the rounds: together 1 in 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one process does."""

    url: str
    seed: int
    rounds: int
    report: str  # the file that says what it was told
    variant: str = ""  # which wrong ledger it uses; "" for ours
    harm: bool = True  # it may be killed or stopped


@dataclass(frozen=True, slots=True)
class Document:
    """A command, the key of its document ("" for none), and the file that names it in the history."""

    command: Command
    key: str
    file: str


class _Harm:
    """Chance at the places between reading, writing, committing and being told."""

    def __init__(self, chance: random.Random, *, harm: bool) -> None:
        self.chance, self.harm, self.fate = chance, harm, ("", 0)

    def new_round(self) -> None:
        """Decide whether and where this round ends badly: one of the four places."""
        drawn = self.chance.random()
        fate = "kill" if drawn < KILLED else "stop" if drawn < KILLED + STOPPED else ""
        self.fate = (fate if self.harm else "", self.chance.randint(1, 4))
        self.place = 0

    def pass_by(self) -> None:
        """One of the places: sleep a little, or end here."""
        self.place += 1
        if self.fate == ("kill", self.place):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fate == ("stop", self.place):
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(self.chance.uniform(0, SLEEP_SECONDS_MAX))


def around(function: Callable[..., Any], harm: _Harm) -> Callable[..., Any]:
    """The function, with a place for chance after it."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        harm.pass_by()
        return result

    return wrapped


def document(chance: random.Random, name: str, left: list[RecordShipment]) -> Document:
    """A document at random; `left` are the shipments that this process knows of."""
    many = f"{MANY}-{chance.randrange(ORDERS_MANY)}"
    po, line = chance.choice([(HOT, "1"), (many, str(chance.randint(1, LINES_OF_EACH)))])
    units, key = str(chance.randint(1, 4)), ""
    by = chance.choice([BUYER, SELLER])
    match chance.choices(_KINDS, _WEIGHTS)[0]:
        case "ship":
            command: Command = ship(po=po, shipment=name, **{f"line_{line}": units})
            key = name
        case "withdraw" if left:
            earlier = chance.choice(left)
            command = withdraw(earlier.order.po_number, earlier.shipment_id)
        case "ask":
            command = ask(line, units, po=po)
        case "answer":
            command = answer(chance.choice(list(Consent)), po)
        case "cancel":
            command = cancel(f"{SMALL}-{chance.randrange(ORDERS_SMALL)}", by=by)
        case "raise":
            command = change(po, more(line, units))
        case "restate":
            where = LineReference(number=line)
            set_to = LineChange(
                line=where, change=Change.SET, quantity=Decimal(chance.randint(2, 9)), code="CA"
            )
            command = change(po, set_to)
        case _:
            command = cut(line, units, po=po, by=by)
    return Document(_from(command, name), key, name)


_KINDS = ("ship", "cut", "raise", "withdraw", "ask", "answer", "restate", "cancel")
_WEIGHTS = (6, 6, 3, 2, 3, 2, 2, 1)


def shared(number: int) -> Document:
    """The document every process means by this number: the same content under the same key."""
    chance = random.Random(number)
    name = f"shared-{number}"
    line, units = str(chance.randint(1, LINES_OF_EACH)), str(chance.randint(1, 3))
    if number % 2:
        po = f"{MANY}-{chance.randrange(ORDERS_MANY)}"
        command: Command = ship(po=po, shipment=name, **{f"line_{line}": units})
    else:
        command = change(HOT, more("1", units))
    return Document(_from(command, name), name, name)


def more(line: str, units: str) -> LineChange:
    """So many units more of a line."""
    return LineChange(
        line=LineReference(number=line),
        change=Change.INCREASE,
        quantity=Decimal(units),
        reading=QuantityReading.DELTA,
        code="QI",
    )


def _from(command: Command, file: str) -> Command:
    kind = command.source.type
    return replace(command, source=Source(file=file, interchange="1", group="1", set="1", type=kind))


def race(task: Task) -> None:
    """Send documents; after each commit write down what was said. What goes wrong is written down too."""
    chance = random.Random(task.seed)
    harm = _Harm(chance, harm=task.harm)
    ledger.find_orders = around(ledger.find_orders, harm)  # type: ignore[attr-defined]
    Writer.write = around(Writer.write, harm)  # type: ignore[method-assign]
    apply = wrong.VARIANTS[task.variant](harm.pass_by) if task.variant else submit
    database = Database(task.url)
    left: list[RecordShipment] = []
    report = os.open(task.report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for turn in range(task.rounds):
        harm.new_round()
        again = chance.random() < 0.15
        sent = shared(chance.randrange(SHARED)) if again else document(chance, f"p{task.seed}-{turn}", left)
        try:
            with database.writing() as tx:
                result = apply(tx, sent.command, key=sent.key)
                harm.pass_by()
        except Exception as error:
            _tell(report, {"file": sent.file, "error": f"{type(error).__name__}: {error}"[:400]})
            continue
        harm.pass_by()
        _tell(report, {"file": sent.file, "outcome": result.outcome.value, "events": _events(result)})
        if isinstance(sent.command, RecordShipment) and result.outcome is Outcome.APPLIED:
            left.append(sent.command)
    database.close()
    os.close(report)


def _events(result: Result) -> list[list[object]]:
    return [
        [event.order_id, event.sequence, event.kind.value]
        for entry in result.entries
        for event in entry.events
    ]


def _tell(report: int, said: dict[str, object]) -> None:
    os.write(report, (json.dumps(said) + "\n").encode())


def reports(folder: Path) -> list[dict[str, Any]]:
    """Everything the processes wrote down; a process that was killed while writing leaves half a line."""
    told = []
    for file in sorted(folder.glob("report-*")):
        for line in file.read_text().splitlines():
            told.append(json.loads(line))
    return told


__all__ = ["Document", "Task", "asdict", "race", "reports", "shared"]
