"""Fault 48: the clock jumps a day and comes back. Nothing is sent twice, nothing lost, waits stay waits."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.deliver import deliver
from pipeline.errors import OperatorError
from pipeline.mail import SmtpSettings
from pipeline.ports import Mailbox
from pipeline.settings import Security
from pipeline.waiting import expire_waiting
from storage import messages, outbox
from storage.database import Database
from storage.invariants import audit
from storage.states import Kind, Status
from tests.integration.sftp_server import free_port
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import acknowledgment, cancellation, order

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


class Jumping:
    """A clock that can be set; what is measured goes on evenly all the same."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seconds = 0.0

    def now(self) -> datetime:
        return self._house.now

    def monotonic_seconds(self) -> float:
        self._seconds += 1
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:
    made = house_with(tmp_path, "")
    made.database.close()
    made.database = database
    return made


def attempt(house: House) -> list[Status]:
    """One delivery with no mail server there: every attempt fails."""
    settings = SmtpSettings(host="127.0.0.1", port=free_port(), security=Security.NONE, sender="a@b.example")

    def none_of(partner: str) -> Mailbox:
        raise OperatorError(f"{partner} has no mailbox")

    report = deliver(house.database, lambda: settings, none_of, Jumping(house))
    return [one.status for one in report.attempts if one.kind is Kind.EMAIL]


def mail(house: House) -> messages.OutboxMessage:
    (only,) = house.messages(Kind.EMAIL)
    return only


def test_a_jump_ahead_and_back_neither_loses_nor_repeats_a_message(house: House) -> None:
    house.buyer(order("PO-1", 9))
    house.buyer(cancellation("PO-1"))
    start = house.now
    assert attempt(house) == [Status.NEW]
    house.now = start + DAY
    assert attempt(house) == [Status.NEW]  # tried a day early: no more than one attempt
    ahead = mail(house).due_at
    assert start + DAY < ahead <= start + DAY + timedelta(hours=4)
    house.now = start + timedelta(minutes=10)
    # It waits until the time it was told, which is at most a day and four hours, and nothing is given up.
    assert attempt(house) == []
    assert mail(house).status is Status.NEW
    house.now = ahead
    assert attempt(house) == [Status.NEW]
    assert mail(house).attempts == 3


def test_a_jump_back_sends_nothing_again(house: House) -> None:
    house.buyer(order("PO-1", 9))
    house.buyer(cancellation("PO-1"))
    with house.database.writing() as tx:
        for message in outbox.due(tx, house.now):
            fenced = outbox.claim(tx, message)
            assert fenced
    before = house.messages(Kind.EMAIL)
    house.now -= DAY
    house.buyer(order("PO-2", 9))
    assert [m.id for m in house.messages(Kind.EMAIL)] == [m.id for m in before]
    with house.database.reading() as tx:
        assert [m.id for m in outbox.due(tx, house.now) if m.kind is Kind.EMAIL] == []
        assert audit(tx) == ()


def test_a_day_ahead_ends_a_wait_once_and_coming_back_does_not_repeat_it(house: House) -> None:
    """park_hours is 24: a clock a day ahead ends the wait. That is accepted; it is told, and told once."""
    house.seller("855", acknowledgment("PO-9"))
    start = house.now
    house.now = start + DAY - timedelta(minutes=1)
    assert expire_waiting(house.settings, house.database, house.now) == ()
    house.now = start + DAY + timedelta(minutes=1)
    (late,) = expire_waiting(house.settings, house.database, house.now)
    assert late.order == "PO-9"
    told = len(house.messages(Kind.EMAIL))
    house.now = start + timedelta(minutes=5)
    assert expire_waiting(house.settings, house.database, house.now) == ()
    house.now = start + 2 * DAY
    assert expire_waiting(house.settings, house.database, house.now) == ()
    assert len(house.messages(Kind.EMAIL)) == told


def test_a_day_back_keeps_waits_and_orders_apply(house: House) -> None:
    house.seller("855", acknowledgment("PO-9"))
    house.now -= DAY
    assert expire_waiting(house.settings, house.database, house.now) == ()
    report = house.buyer(order("PO-9", 5))
    assert report.outcome.value == "applied"
    with house.database.reading() as tx:
        assert audit(tx) == ()


def test_waiting_is_measured_and_times_of_day_are_utc() -> None:
    """Nothing in the product asks for local time, and nothing measures by the time of day."""
    asked = []
    for room in ("edi", "storage", "pipeline"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    whole = ast.unparse(node.func)
                    if whole in ("time.time", "datetime.utcnow", "datetime.today", "time.localtime"):
                        asked.append(f"{path.relative_to(ROOT)}:{node.lineno} {whole}")
                    if whole == "datetime.now" and not node.args:
                        asked.append(f"{path.relative_to(ROOT)}:{node.lineno} {whole}")
    assert asked == []
    assert datetime.now(UTC).tzinfo is UTC
