"""Lapsing: requests to cancel whose time is over are ended, and sellers are reminded half-way.

What is done about a request is one transaction: the ledger decides, both parties are told, and the deadline
is closed. Another process, or the seller's answer, may be first; then nothing is left to do. What was kept of
a seller's files before the deadline is read before it counts.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from pipeline import journal
from pipeline.actors import CLOCK
from pipeline.entering import enter, located
from pipeline.report import SetReport, with_result
from pipeline.settings import Settings
from pipeline.telling.owing import remind
from storage import deadlines
from storage.commands import LapseRequest, Source
from storage.database import Database, lock_names
from storage.deadlines import Reminder
from storage.loading import load_order
from storage.orders import OrderKey
from storage.outcomes import Outcome
from storage.queries import events_of
from storage.requests import requested_of, waiting

LAPSES_PER_ROUND_MAX = 1_000
REMINDERS_PER_ROUND_MAX = 1_000


def lapse_requests(settings: Settings, database: Database, at: datetime) -> tuple[SetReport, ...]:
    """End the requests that were not answered in time, and remind of others; a report of each order's end."""
    partners = [partner.id for partner in settings.partners]
    with database.reading() as tx:
        late = deadlines.late(tx, at, LAPSES_PER_ROUND_MAX, partners=partners)
        reminders = deadlines.to_remind(tx, at, REMINDERS_PER_ROUND_MAX)
    reports = [_end(settings, database, order_id, key, at) for order_id, key in late]
    for reminder in reminders:
        _remind(settings, database, reminder, at)
    return tuple(report for report in reports if report is not None)


def _end(
    settings: Settings, database: Database, order_id: int, key: OrderKey, at: datetime
) -> SetReport | None:
    """End what waits of one order's requests; None when nothing does: they were answered."""
    report = database.run(partial(_lapse, settings=settings, order_id=order_id, key=key, at=at))
    if report is not None:
        journal.event("request_lapsed", order=key.po_number, partner=key.seller)
    return report


def _lapse(
    tx: Connection, *, settings: Settings, order_id: int, key: OrderKey, at: datetime
) -> SetReport | None:
    command = LapseRequest(order=located(key), by=key.seller, at=at, source=Source(actor=CLOCK))
    result = enter(tx, settings, command, f"lapse:{order_id}:{at.isoformat()}")
    deadlines.close(tx, order_id, at)
    if result.outcome is not Outcome.APPLIED:
        return None
    report = SetReport(type="", control_number="", outcome=result.outcome, order=key.po_number)
    return with_result(report, result)


def _remind(settings: Settings, database: Database, reminder: Reminder, at: datetime) -> None:
    """Remind of one request, if anything of it waits; once, whoever else looks at it."""
    if database.run(partial(_write, settings=settings, reminder=reminder, at=at)):
        journal.event("seller_reminded", order=reminder.po_number)


def _write(tx: Connection, *, settings: Settings, reminder: Reminder, at: datetime) -> bool:
    lock_names(tx, [f"order:{reminder.po_number}"])  # as the ledger does: no answer comes meanwhile
    loaded = load_order(tx, reminder.order_id)
    if loaded is None or not deadlines.mark_reminded(tx, reminder.event_id, at):
        return False
    order = deadlines.with_requests(tx, loaded.order)
    waits = waiting(order.asked, requested_of(order.lines))
    left = next((units for one, units in waits if one.event_id == reminder.event_id), None)
    if left is None:
        return False
    event = next(one for one in events_of(tx, order.id) if one.id == reminder.event_id)
    units = tuple(replace(unit, quantity=left[unit.line_id]) for unit in event.units if unit.line_id in left)
    remind(tx, settings, replace(event, units=units), order, at)
    return True
