"""What of several requests waits, and which lapse: the rule against a queue that is kept as things happen."""

from collections import deque
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from storage.commands import (
    AnswerRequest,
    BuyerCancel,
    CancelLines,
    Command,
    Consent,
    LapseRequest,
    LineCancellation,
    LineConsent,
    LineReference,
    Locator,
    RecordShipment,
    ShippedLine,
    Source,
)
from storage.events import EventKind
from storage.evolve import evolve
from storage.orders import AskedBefore, ItemId, LineState, OrderKey, OrderState
from storage.outcomes import Outcome
from storage.refusals import Decision
from storage.rules import decide
from tests.unit.storage.build import AT, BUYER, SELLER

WALKS, STEPS = 300, 25
ONE = LineReference(number="1")


class Walk:
    """One order of one line, and beside it the requests that wait as a queue: the oldest is served first."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        line = LineState(
            id=1_000_001, line="1", assigned=True, ids=(ItemId("UP", "1"),), unit="EA",
            ordered=Decimal(40), fulfilled=Decimal(0), cancelled=Decimal(0),
        )  # fmt: skip
        key = OrderKey(buyer=BUYER, seller=SELLER, po_number="PO-1")
        self.order = OrderState(id=1, key=key, lines=(line,))
        self.queue: deque[tuple[int, int | None]] = deque()  # units, and the hour they lapse
        self.hour = 0
        self.lapsed = 0

    def step(self) -> None:
        self.hour += self.chance.randint(0, 4)
        self.chance.choice((self._ask, self._ask, self._agree, self._ship, self._lapse))()
        line = self.order.lines[0]
        assert line.requested == sum(units for units, _ in self.queue)
        assert line.open >= line.requested >= 0

    def _ask(self) -> None:
        line = self.order.lines[0]
        units = self.chance.randint(1, 6)
        hours = self.chance.choice((None, 2, 5, 9))
        due = None if hours is None else self.hour + hours
        answer_by = None if due is None else AT + timedelta(hours=due)
        cut = LineCancellation(line=ONE, quantity=Decimal(units))
        decision = self._say(
            CancelLines(
                **self._common(BUYER), lines=(cut,), effect=BuyerCancel.REQUESTED, answer_by=answer_by
            )
        )
        for fact in decision.facts:
            assert fact.answer_by == answer_by
            more = int(fact.units[0].quantity)
            self.queue.append((more, due))
            asked = AskedBefore(len(self.order.asked) + 1, ((line.id, Decimal(more)),), answer_by)
            self.order = replace(self.order, asked=(*self.order.asked, asked))

    def _agree(self) -> None:
        if not self.queue:
            return
        units = self.chance.randint(1, sum(units for units, _ in self.queue))
        agreed = LineConsent(line=ONE, consent=Consent.AGREED, quantity=Decimal(units))
        decision = self._say(AnswerRequest(**self._common(SELLER), consent=Consent.AGREED, lines=(agreed,)))
        assert decision.outcome is Outcome.APPLIED
        self._serve(units)

    def _ship(self) -> None:
        line = self.order.lines[0]
        units = self.chance.randint(1, 5)
        if units > line.open:
            return
        shipped = (ShippedLine(line=ONE, quantity=Decimal(units)),)
        name = f"S-{self.chance.random()}"
        self._say(RecordShipment(**self._common(SELLER), shipment_id=name, lines=shipped))
        self._serve(int(line.requested - min(line.requested, line.open - units)))

    def _lapse(self) -> None:
        late = sum(units for units, due in self.queue if due is not None and due <= self.hour)
        decision = self._say(LapseRequest(**self._common(SELLER)))
        assert [fact.kind for fact in decision.facts] == [EventKind.REQUEST_LAPSED] * bool(late)
        assert sum(unit.quantity for fact in decision.facts for unit in fact.units) == late
        self.queue = deque(one for one in self.queue if one[1] is None or one[1] > self.hour)
        if late:
            at = AT + timedelta(hours=self.hour)
            ended = AskedBefore(len(self.order.asked) + 1, ((1_000_001, Decimal(late)),), lapsed_at=at)
            self.order = replace(self.order, asked=(*self.order.asked, ended))
        self.lapsed += late

    def _serve(self, units: int) -> None:
        while units:
            waiting, due = self.queue.popleft()
            served = min(units, waiting)
            units -= served
            if waiting > served:
                self.queue.appendleft((waiting - served, due))

    def _common(self, by: str) -> dict[str, Any]:
        where = Locator(buyer=BUYER, seller=SELLER, po_number="PO-1")
        at = AT + timedelta(hours=self.hour)
        return {"order": where, "by": by, "at": at, "source": Source(actor="staff")}

    def _say(self, command: Command) -> Decision:
        decision = decide((self.order,), command)
        for fact in decision.facts:
            self.order = evolve(self.order, fact)
        return decision


def test_what_lapses_is_what_a_queue_of_requests_says() -> None:
    lapsed = 0
    for seed in range(WALKS):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
        lapsed += walk.lapsed
    assert lapsed > WALKS
