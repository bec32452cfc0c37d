"""Requests with a deadline: who is told when, what a late answer is told, and who wins a race."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from pipeline import staff
from pipeline.errors import OperatorError
from pipeline.lapsing import lapse_requests
from pipeline.partners import Directory
from pipeline.policy import Policy
from pipeline.settings import Settings
from pipeline.telling.company_mail import choose
from pipeline.wiring import Application
from storage import digests, people, queries, receipts
from storage.commands import Consent
from storage.events import EventKind
from storage.invariants import audit
from storage.queries import OrderView
from storage.refusals import Refusal
from storage.states import MailPace, MailTopic, UserRole
from tests.crash.points import Passages, watch
from tests.processes import in_process
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import order

pytestmark = pytest.mark.usefixtures("both_systems")

AGREED = 'buyer_cancel = "requested"\nrequest_deadline_hours = 48'


@dataclass
class At:
    """A clock that a test sets."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    def now(self) -> datetime:
        return self.moment

    def monotonic_seconds(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Hub:
    """A hub where requests lapse after 48 hours."""

    house: House
    clock: At = field(default_factory=At)

    @property
    def application(self) -> Application:
        return Application(settings=self.house.settings, database=self.house.database, clock=self.clock)

    def asked(self, po_number: str, quantity: int = 10) -> None:
        """An order of so many units, all of which the buyer asked to cancel."""
        self.house.now = self.clock.now()
        self.house.buyer(order(po_number, quantity))
        staff.cancel(self.application, staff.Cancellation(po_number=po_number, by="acme"))

    def later(self, hours: float) -> list[str]:
        """So many hours pass; the orders whose requests lapsed."""
        self.clock.moment += timedelta(hours=hours)
        return [
            one.order for one in lapse_requests(self.house.settings, self.house.database, self.clock.now())
        ]

    def answer(self, po_number: str, said: Consent = Consent.AGREED) -> str:
        """The seller's answer, through staff: applied, or why not."""
        report = staff.answer(self.application, staff.Cancellation(po_number=po_number, by="globex"), said)
        return report.refusals[0].refusal.name if report.refusals else report.outcome.value

    def view(self, po_number: str) -> OrderView:
        with self.house.database.reading() as tx:
            found = queries.get_order(tx, queries.find_orders(tx, po_number)[0].id)
        assert found is not None
        return found

    def figures(self, po_number: str) -> tuple[int, ...]:
        """What of the line is cancelled, open, and asked to be cancelled."""
        line = self.view(po_number).lines[0]
        return int(line.cancelled), int(line.open), int(line.requested)

    def kinds(self, po_number: str) -> list[EventKind]:
        return [one.kind for one in self.view(po_number).events]

    def mails(self) -> Counter[str]:
        """How many mails begin so: the word of each subject before its order."""
        return Counter(
            f"{to.partition('@')[2]}: {subject.partition(':')[0]}" for to, subject in self.house.mails()
        )


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(house_with(tmp_path, AGREED))
    yield made
    with made.house.database.reading() as tx:
        assert list(audit(tx)) == []
    made.house.database.close()


def test_the_seller_is_reminded_once_half_way_and_both_are_told_once_at_the_end(hub: Hub) -> None:
    hub.asked("PO-1")
    asked = Counter({"globex.example: Cancellation requested": 1})
    assert hub.later(23.9) == []
    assert hub.mails() == asked
    assert (hub.later(0.1), hub.later(0), hub.later(10)) == ([], [], [])
    asked["globex.example: Reminder, cancellation requested"] += 1
    assert hub.mails() == asked
    assert hub.later(14) == ["PO-1"]
    assert (hub.later(0), hub.later(99)) == ([], [])
    asked.update(["acme.example: Request lapsed", "globex.example: No answer in time"])
    assert hub.mails() == asked
    assert hub.figures("PO-1") == (0, 10, 0)
    assert hub.kinds("PO-1")[-1] is EventKind.REQUEST_LAPSED


def test_the_moment_stands_in_the_event_and_in_the_order_until_it_is_answered(hub: Hub) -> None:
    promised = hub.clock.now() + timedelta(hours=48)
    hub.asked("PO-1")
    view = hub.view("PO-1")
    assert view.answer_by == view.events[-1].answer_by == promised
    assert view.events[-1].notes[-1].startswith("It can be answered until 2026-03-03 12:00 UTC")
    hub.answer("PO-1", Consent.REFUSED)
    assert hub.view("PO-1").answer_by is None


def test_what_is_agreed_later_moves_no_promise(hub: Hub) -> None:
    hub.asked("PO-1")
    hub.house.settings = _with_hours(hub.house.settings, 1)
    hub.asked("PO-2")
    assert hub.later(1) == ["PO-2"]
    assert hub.later(46.9) == []
    assert hub.later(0.1) == ["PO-1"]


def _with_hours(settings: Settings, hours: int) -> Settings:
    def other(policy: Policy) -> Policy:
        return replace(policy, request_deadline_hours=hours)

    partners = tuple(replace(one, policy=other(one.policy)) for one in settings.partners)
    return replace(settings, directory=Directory(partners))


def test_after_an_outage_nobody_is_reminded_of_what_is_over(hub: Hub) -> None:
    hub.asked("PO-1")
    assert hub.later(1000) == ["PO-1"]
    assert "globex.example: Reminder, cancellation requested" not in hub.mails()


@pytest.mark.parametrize("said", Consent)
def test_a_late_answer_is_refused_and_says_why(hub: Hub, said: Consent) -> None:
    hub.asked("PO-1")
    hub.later(48)
    before = hub.view("PO-1")
    assert hub.answer("PO-1", said) == Refusal.REQUEST_LAPSED.name
    assert hub.view("PO-1") == before


def test_where_nothing_was_asked_or_it_was_answered_it_is_said_as_ever(hub: Hub) -> None:
    hub.asked("PO-1")
    hub.later(48)
    staff.cancel(hub.application, staff.Cancellation(po_number="PO-1", by="acme"))
    assert hub.answer("PO-1") == "applied"
    with pytest.raises(OperatorError, match="or it was answered"):
        hub.answer("PO-1")
    assert hub.figures("PO-1") == (10, 0, 0)


def test_an_answer_that_the_hub_has_and_has_not_read_comes_first(hub: Hub) -> None:
    hub.asked("PO-1")
    hub.asked("PO-2")
    with hub.house.database.writing() as tx:
        file = _kept(tx, hub.clock.now() + timedelta(hours=47))
    assert hub.later(48) == []
    with hub.house.database.writing() as tx:
        receipts.mark_done(tx, file, at=hub.clock.now(), error="nothing in it")
        _kept(tx, hub.clock.now() + timedelta(hours=1))  # after the deadline: it came too late
    assert hub.later(0) == ["PO-1", "PO-2"]


def _kept(tx: Connection, at: datetime) -> int:
    return receipts.keep(
        tx, partner="globex", mailbox="globex", name=f"{at:%H%M}.edi".encode(), content=b"ISA", at=at
    ).id


def test_what_could_not_be_committed_is_undone_whole_and_done_the_next_time(hub: Hub) -> None:
    hub.asked("PO-1")
    before, mails = hub.view("PO-1"), hub.mails()

    def fail(*said: object) -> None:
        if str(said[2]).startswith("UPDATE request_deadline"):  # the last thing that is written
            raise InterruptedError

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(InterruptedError):
            hub.later(48)
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert (hub.view("PO-1"), hub.mails()) == (before, mails)
    assert hub.later(0) == ["PO-1"]
    assert hub.mails() - mails == Counter(
        ["acme.example: Request lapsed", "globex.example: No answer in time"]
    )


def test_an_answer_and_two_passes_at_once_come_to_one_end_of_each_request(hub: Hub) -> None:
    orders = [f"PO-{number}" for number in range(1, 13)]
    for po_number in orders:
        hub.asked(po_number)
    told, now = hub.mails(), hub.clock.moment + timedelta(hours=48)
    hub.clock.moment = now
    begin = threading.Barrier(3)

    def lapse() -> list[str]:
        begin.wait()
        return [one.order for one in lapse_requests(hub.house.settings, hub.house.database, now)]

    def answer() -> dict[str, str]:
        begin.wait()
        return {po_number: hub.answer(po_number) for po_number in reversed(orders)}

    with ThreadPoolExecutor(3) as pool:
        passes = [pool.submit(lapse), pool.submit(lapse)]
        answers = pool.submit(answer).result()
        lapsed = [po_number for one in passes for po_number in one.result()]
    assert len(set(lapsed)) == len(lapsed)
    for po_number in orders:
        late = po_number in lapsed
        assert answers[po_number] == (Refusal.REQUEST_LAPSED.name if late else "applied")
        assert hub.figures(po_number) == ((0, 10, 0) if late else (10, 0, 0))
        assert len(hub.kinds(po_number)) == 3
    cancelled = Counter({"acme.example: Cancelled in part": len(orders) - len(lapsed)})
    ended = {"acme.example: Request lapsed": len(lapsed), "globex.example: No answer in time": len(lapsed)}
    assert hub.mails() - told == +Counter(ended) + +cancelled


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("site", "hours"), [("_remind", 24), ("_end", 48)])
def test_a_process_killed_over_it_leaves_all_of_it_or_nothing_and_the_next_one_goes_on(
    hub: Hub, site: str, hours: int, moment: str
) -> None:
    hub.asked("PO-1")
    asked = hub.mails()
    hub.clock.moment += timedelta(hours=hours)
    hub.house.database.close()  # no connection is shared with the process that dies
    at = (f"commit lapsing.{site}: {moment}", 1)

    def killed() -> None:
        watch(Passages(at, lambda: os.kill(os.getpid(), signal.SIGKILL)))
        hub.later(0)

    assert in_process(killed) == signal.SIGKILL
    assert (hub.mails() == asked) is (moment == "before")
    hub.later(0)
    assert hub.later(0) == []
    told = ["globex.example: Reminder, cancellation requested"]
    if site == "_end":
        told = ["acme.example: Request lapsed", "globex.example: No answer in time"]
    assert hub.mails() - asked == Counter(told)
    assert hub.figures("PO-1") == (0, 10, 0 if site == "_end" else 10)


def read_hourly(hub: Hub) -> None:
    """A person of either side chooses one mail an hour for everything."""
    with hub.house.database.writing() as tx:
        for email, partner in (("ann@acme.example", "acme"), ("gus@globex.example", "globex")):
            user = people.add_user(tx, email, UserRole.PARTNER, hub.clock.now(), partner=partner)
            assert user is not None
            choose(tx, hub.house.settings, user, dict.fromkeys(MailTopic, MailPace.HOURLY))


def waiting(hub: Hub) -> dict[str, list[MailTopic]]:
    """What waits for whose digest."""
    with hub.house.database.reading() as tx:
        return {one.to: [entry.topic for entry in digests.waiting(tx, one)] for one in digests.readers(tx)}


def test_who_reads_hourly_is_reminded_at_once_and_told_of_the_end_in_a_digest(hub: Hub) -> None:
    read_hourly(hub)
    hub.asked("PO-1")
    hub.later(24)
    hub.later(24)
    assert waiting(hub) == {
        "gus@globex.example": [MailTopic.REQUESTS] * 2, "ann@acme.example": [MailTopic.REFUSALS],
    }  # fmt: skip
    asked, reminded = "Cancellation requested", "Reminder, cancellation requested"
    told_at_once = Counter({f"globex.example: {asked}": 1, f"globex.example: {reminded}": 2})
    told_at_once.update(["acme.example: Request lapsed", "globex.example: No answer in time"])
    assert hub.mails() == told_at_once


@pytest.mark.parametrize(("hours", "at_once"), [(1, True), (2, True), (3, False), (0, False)])
def test_what_must_be_answered_soon_waits_for_no_digest(hub: Hub, hours: int, at_once: bool) -> None:
    read_hourly(hub)
    hub.house.settings = _with_hours(hub.house.settings, hours)
    hub.asked("PO-1")
    assert hub.mails()["globex.example: Cancellation requested"] == 1 + at_once
    assert waiting(hub) == ({} if at_once else {"gus@globex.example": [MailTopic.REQUESTS]})
