"""Four processes change the same lines: nothing is lost, nothing is counted twice."""

import multiprocessing
import os
import random
import signal
from collections import Counter
from decimal import Decimal
from pathlib import Path

from storage.commands import (
    Change,
    Command,
    Consent,
    LineChange,
    LineReference,
    QuantityReading,
    RecordShipment,
)
from storage.database import Database
from storage.invariants import audit
from storage.outcomes import Outcome
from tests.unit.storage.build import (
    BUYER,
    SELLER,
    answer,
    ask,
    change,
    cut,
    figures,
    place,
    ship,
    submit,
    withdraw,
)

PROCESSES = 4
ROUNDS = 60
HOT, MANY = "HOT", "MANY"


def chosen(chance: random.Random, key: str, left: list[RecordShipment]) -> tuple[Command, str]:
    """A command at random, and the key of the document it came in; `left` are the shipments so far."""
    po, line = (HOT, "1") if chance.random() < 0.5 else (MANY, str(chance.randint(1, 50)))
    quantity = str(chance.randint(1, 4))
    match chance.choice(["ship", "ship", "withdraw", "cut", "cut", "ask", "answer", "raise"]):
        case "ship":
            return ship(po=po, shipment=key, **{f"line_{line}": quantity}), key
        case "withdraw" if left:
            earlier = chance.choice(left)
            return withdraw(earlier.order.po_number, earlier.shipment_id, file=f"{key}.edi"), ""
        case "cut":
            return cut(line, quantity, po=po, by=chance.choice([BUYER, SELLER])), ""
        case "ask":
            return ask(line, quantity, po=po), ""
        case "answer":
            return answer(chance.choice(list(Consent)), po), ""
    more = LineChange(
        line=LineReference(number=line),
        change=Change.INCREASE,
        quantity=Decimal(quantity),
        reading=QuantityReading.DELTA,
    )
    return change(po, more), ""


def race(task: tuple[str, int]) -> dict[str, int]:
    """Ship, withdraw, cancel, ask and raise at random; the units that were accepted, by what moved them."""
    url, seed = task
    chance, database, moved = random.Random(seed), Database(url), Counter[str]()
    left: list[RecordShipment] = []
    for turn in range(ROUNDS):
        command, key = chosen(chance, f"{seed}-{turn}", left)
        with database.writing() as tx:
            result = submit(tx, command, key=key)
        if isinstance(command, RecordShipment) and result.outcome is Outcome.APPLIED:
            left.append(command)
        for event in (event for entry in result.entries for event in entry.events):
            units = sum(int(units.quantity) for units in event.units)
            moved[f"{command.order.po_number} {event.kind.value}"] += units
    database.close()
    return dict(moved)


def test_many_processes_on_one_line_and_on_many(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("100", po=HOT))
        submit(tx, place(*["4"] * 50, po=MANY))
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        moved = sum(
            (Counter(done) for done in pool.map(race, [(url, n) for n in range(PROCESSES)])), Counter()
        )
    with database.reading() as tx:
        for po, ordered in ((HOT, 100), (MANY, 200)):
            counters = list(zip(*figures(tx, po).values(), strict=True))
            assert sum(counters[0]) == ordered + moved[f"{po} units_added"]
            assert sum(counters[1]) == moved[f"{po} lines_fulfilled"] - moved[f"{po} shipment_withdrawn"]
            assert sum(counters[2]) == moved[f"{po} lines_cancelled"]
        assert audit(tx) == ()
    # Every kind of fact was fought over.
    assert {kind.split(" ")[1] for kind in moved} >= {
        "lines_fulfilled", "shipment_withdrawn", "lines_cancelled", "cancellation_requested", "units_added",
    }  # fmt: skip
    database.close()


def die_before_the_commit(url: str) -> None:
    database = Database(url)
    with database.writing() as tx:
        submit(tx, ship(line_1="4"), key="S1")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_killed_before_its_commit_leaves_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("10"))
    child = multiprocessing.get_context("spawn").Process(target=die_before_the_commit, args=(url,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with database.writing() as tx:
        assert figures(tx) == {"1": (10, 0, 0, 0)}
        assert audit(tx) == ()
        assert submit(tx, ship(line_1="4"), key="S1").outcome is Outcome.APPLIED
    database.close()


def make(url: str) -> str | None:
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("1"))
    database.close()
    return database.current()


def test_processes_that_make_the_database_together_do_not_stumble(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        assert len(set(pool.map(make, [url] * PROCESSES, chunksize=1))) == 1
    database = Database(url)
    with database.reading() as tx:
        assert audit(tx) == ()
    database.close()
