"""Who is told what: the other side of a cancellation, who was refused, and the hub's support."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.actors import CLOCK, PARTNER, source_words
from pipeline.mail import render
from pipeline.notices.contexts import (
    FINDINGS_MAX,
    LINES_MAX,
    Cancellation,
    CancellationRefused,
    DocumentRefused,
    DocumentRejected,
    LinesCancelled,
    Notice,
    OrderCancelled,
    Party,
    Problem,
    Total,
)
from pipeline.reasons import reason_words
from pipeline.telling.for_support import Unusable, document_rejected_notices
from pipeline.telling.notifications import (
    TOLD,
    Addressees,
    cancellation_notices,
    cancellation_refused_notices,
    document_refused_notices,
)
from pipeline.telling.words import status_words
from storage.commands import (
    CancelOrder,
    LineReference,
    Locator,
    PartShipped,
    Reason,
    RecordShipment,
    ShippedLine,
    Source,
)
from storage.events import EventKind, LedgerEvent, Units
from storage.orders import ItemId, LineState, OrderKey, OrderState
from storage.outcomes import Choice, Outcome, Question
from storage.refusals import Decision
from storage.rules import decide

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SOURCE = Source(file="acme-1.edi", interchange="000000123", group="7", set="0001", type="850")
NO_REASON = Reason()
KEY = OrderKey(buyer="acme", seller="bolt", po_number="4500012")


@dataclass(frozen=True)
class Contact:
    name: str
    notify: tuple[str, ...] = ()


ADDRESSEES = Addressees(
    partners={
        "acme": Contact("Acme Stores", ("buying@acme.example",)),
        "bolt": Contact("Bolt Supply", ("desk@bolt.example", "night@bolt.example", "desk@bolt.example")),
        "mute": Contact("Mute Ltd"),
    },
    hub="Example Hub",
    support="support@hub.example",
)


def line(number: int, ordered: int, *, fulfilled: int = 0, cancelled: int = 0, unit: str = "EA") -> LineState:
    return LineState(
        id=number, line=str(number), assigned=True, ids=(ItemId("BP", f"A-{number}"), ItemId("ZZ", "x")),
        unit=unit, ordered=Decimal(ordered), fulfilled=Decimal(fulfilled), cancelled=Decimal(cancelled),
        description=f"Article {number}",
    )  # fmt: skip


def event(kind: EventKind, by: str, *units: tuple[int, int], reason: Reason = NO_REASON) -> LedgerEvent:
    return LedgerEvent(
        id=31, order_id=1, sequence=2, kind=kind, by=by, at=AT, reason=reason, note="Range withdrawn",
        source=SOURCE,
        units=tuple(
            Units(line_id=number, line=str(number), quantity=Decimal(count), reason=reason)
            for number, count in units
        ),
    )  # fmt: skip


def order(*lines: LineState, key: OrderKey = KEY) -> OrderState:
    return OrderState(id=1, key=key, lines=lines)


def only(notices: tuple[Notice, ...]) -> Notice:
    assert len(notices) == 1
    return notices[0]


def test_the_seller_is_told_of_a_whole_order_cancelled_by_the_buyer_once_per_address() -> None:
    after = order(line(1, 48, cancelled=48), line(2, 12, fulfilled=2, cancelled=10))
    cancelled = event(
        EventKind.ORDER_CANCELLED, "acme", (1, 48), (2, 10), reason=Reason("R9", "Discontinued")
    )
    notices = cancellation_notices(cancelled, after, ADDRESSEES)
    assert [(notice.to, notice.dedupe_key) for notice in notices] == [
        ("desk@bolt.example", "event:31:order_cancelled:desk@bolt.example"),
        ("night@bolt.example", "event:31:order_cancelled:night@bolt.example"),
    ]
    context = notices[0].context
    assert isinstance(context, OrderCancelled)
    assert context.by == Party("Acme Stores", "buyer")
    assert context.other == Party("Bolt Supply", "seller")
    assert context.lines_cancelled == 2
    assert context.totals == (
        Total(
            unit="EA", quantity=Decimal(58), ordered=Decimal(60), fulfilled=Decimal(2), cancelled=Decimal(58)
        ),
    )
    assert context.lines[0].items == ("Buyer part A-1", "ZZ x")
    assert context.lines[0].why == ""  # the lines share the event's reason
    assert context.reason == "Discontinued [R9]"
    assert context.status == "Complete, nothing is open: 2 units fulfilled, 58 units cancelled"
    text = render(context).text
    assert "everything still open on PO 4500012, 58 units on 2" in text
    assert "What was fulfilled before, 2 units, is not affected." in text


def test_a_whole_cancellation_lists_the_lines_that_stay_too() -> None:
    after = order(line(1, 48, fulfilled=48), line(2, 12, cancelled=12))
    context = only(
        cancellation_notices(event(EventKind.ORDER_CANCELLED, "bolt", (2, 12)), after, ADDRESSEES)
    ).context
    assert isinstance(context, OrderCancelled)
    assert [shown.quantity for shown in context.lines] == [Decimal(0), Decimal(12)]
    assert context.lines_cancelled == 1


def test_the_buyer_is_told_of_lines_cancelled_by_the_seller() -> None:
    after = order(line(1, 48, cancelled=18), line(2, 12), line(3, 5, unit="CA"))
    cancelled = event(EventKind.LINES_CANCELLED, "bolt", (1, 18))
    per_line = Units(line_id=1, line="1", quantity=Decimal(18), reason=Reason("R4", "Not available"))
    notice = only(cancellation_notices(replace(cancelled, units=(per_line,)), after, ADDRESSEES))
    assert notice.to == "buying@acme.example"
    context = notice.context
    assert isinstance(context, LinesCancelled)
    assert [shown.line for shown in context.lines] == ["1"]
    assert (context.reason, context.lines[0].why) == ("Not available [R4]", "")
    assert context.remaining == "42 units and 5 cases"
    assert context.by == Party("Bolt Supply", "seller")


def test_without_an_address_support_is_asked_to_pass_it_on() -> None:
    key = replace(KEY, seller="mute")
    cancelled = event(EventKind.ORDER_CANCELLED, "acme", (1, 5))
    notice = only(cancellation_notices(cancelled, order(line(1, 5, cancelled=5), key=key), ADDRESSEES))
    assert notice.to == "support@hub.example"
    assert notice.context.pass_on == "Mute Ltd"
    assert "no address to notify for Mute Ltd" in render(notice.context).text


def test_without_any_address_the_notice_says_so_by_an_empty_one() -> None:
    key = replace(KEY, seller="gone")  # a partner that left the settings
    nobody = replace(ADDRESSEES, support="")
    cancelled = event(EventKind.ORDER_CANCELLED, "acme", (1, 5))
    notice = only(cancellation_notices(cancelled, order(line(1, 5, cancelled=5), key=key), nobody))
    assert (notice.to, notice.context.pass_on) == ("", "gone")


@pytest.mark.parametrize(
    ("kind", "by", "template"),
    [
        (EventKind.CANCELLATION_REQUESTED, "acme", "cancellation_requested"),
        (EventKind.REQUEST_REFUSED, "bolt", "request_refused"),
        (EventKind.REQUEST_WITHDRAWN, "acme", "request_withdrawn"),
    ],
)
def test_a_request_and_its_refusal_are_told_to_the_other_side(
    kind: EventKind, by: str, template: str
) -> None:
    notice = cancellation_notices(event(kind, by, (1, 5)), order(line(1, 5)), ADDRESSEES)[0]
    assert isinstance(notice.context, Cancellation)
    assert (notice.template, notice.context.by.role) == (template, "buyer" if by == "acme" else "seller")


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind not in TOLD])
def test_other_events_tell_nobody(kind: EventKind) -> None:
    assert cancellation_notices(event(kind, "acme", (1, 5)), order(line(1, 5)), ADDRESSEES) == ()


def test_a_cancellation_that_moved_nothing_tells_nobody() -> None:
    assert cancellation_notices(event(EventKind.ORDER_CANCELLED, "acme"), order(line(1, 5)), ADDRESSEES) == ()


def test_a_long_order_is_cut_and_its_totals_are_not() -> None:
    count = LINES_MAX + 3
    after = order(*(line(number, 2, cancelled=2) for number in range(1, count + 1)))
    cancelled = event(EventKind.ORDER_CANCELLED, "acme", *((number, 2) for number in range(1, count + 1)))
    context = cancellation_notices(cancelled, after, ADDRESSEES)[0].context
    assert isinstance(context, OrderCancelled)
    assert (len(context.lines), context.lines_left_out) == (LINES_MAX, 3)
    assert context.totals[0].quantity == 2 * count
    assert "3 more lines not shown" in render(context).text
    assert len(render(context).html) < 102_000


def cancel(by: str = "acme", part_shipped: PartShipped = PartShipped.REST) -> CancelOrder:
    where = Locator(buyer="acme", seller="bolt", po_number="4500012")
    return CancelOrder(order=where, by=by, at=AT, source=SOURCE, part_shipped=part_shipped)


def ruled(before: OrderState, command: CancelOrder | RecordShipment) -> Decision:
    decision = decide((before,), command)
    assert decision.refusals
    return decision


def test_who_asked_is_told_what_was_cancelled_and_what_could_not_be() -> None:
    before = order(line(1, 48), line(2, 12, fulfilled=12))
    decision = ruled(before, cancel())
    after = order(line(1, 48, cancelled=48), line(2, 12, fulfilled=12))
    cancelled = event(EventKind.ORDER_CANCELLED, "acme", (1, 48))
    notice = only(
        cancellation_refused_notices("event:31", cancel(), decision.refusals, after, (cancelled,), ADDRESSEES)
    )
    assert notice.to == "buying@acme.example"
    assert notice.dedupe_key == "event:31:cancellation_refused:buying@acme.example"
    context = notice.context
    assert isinstance(context, CancellationRefused)
    assert (context.cancelled, context.fulfilled) == ("48 units", "12 units")
    assert [(shown.line, shown.fulfilled) for shown in context.refused] == [("2", Decimal(12))]
    assert "agree a return with Bolt Supply" in " ".join(render(context).text.split())


def test_who_may_only_ask_is_not_told_that_anything_is_cancelled() -> None:
    before = order(line(1, 48), line(2, 12, fulfilled=12))
    asked, refusals = (
        event(EventKind.CANCELLATION_REQUESTED, "acme", (1, 48)),
        ruled(before, cancel()).refusals,
    )
    context = only(
        cancellation_refused_notices("event:31", cancel(), refusals, before, (asked,), ADDRESSEES)
    ).context
    assert isinstance(context, CancellationRefused)
    assert (context.cancelled, context.requested) == ("", "48 units")
    words = " ".join(render(context).text.split())
    assert "Bolt Supply has been asked to agree to 48 units" in words
    assert "Nothing is cancelled until Bolt Supply agrees" in words
    assert "could be cancelled" not in words
    assert "cannot be undone" not in words


def test_a_cancellation_refused_as_a_whole_says_that_nothing_changed() -> None:
    before = order(line(1, 48, fulfilled=48))
    decision = ruled(before, cancel())
    context = only(
        cancellation_refused_notices("set:9", cancel(), decision.refusals, before, (), ADDRESSEES)
    ).context
    assert isinstance(context, CancellationRefused)
    assert context.refused == ()
    assert context.problems == (decision.refusals[0].message,)
    assert render(context).subject == "Not cancelled: PO 4500012"


def shipment(by: str, number: str = "1") -> RecordShipment:
    return RecordShipment(
        order=Locator(buyer="acme", seller="bolt", po_number="4500012"), by=by, at=AT,
        source=replace(SOURCE, type="856"), shipment_id="S1",
        lines=(ShippedLine(line=LineReference(number=number), quantity=Decimal(40)),),
    )  # fmt: skip


@pytest.mark.parametrize("number", ["1", "9"])
def test_the_sender_of_a_refused_document_is_told_why_with_figures(number: str) -> None:
    before = order(line(1, 48, fulfilled=20))
    command = shipment("bolt", number)
    notices = document_refused_notices("set:9", command, ruled(before, command).refusals, before, ADDRESSEES)
    assert [notice.to for notice in notices] == ["desk@bolt.example", "night@bolt.example"]
    context = notices[0].context
    assert isinstance(context, DocumentRefused)
    assert (context.type, context.document) == ("856", "ship notice")
    assert bool(context.refused) is (number == "1")
    assert bool(context.problems) is (number == "9")
    text = render(context).text
    assert "28" in text if number == "1" else "Line 9" in text


def test_a_third_party_learns_nothing_about_the_order() -> None:
    before = order(line(1, 48, fulfilled=20))
    command = shipment("mute")
    context = only(
        document_refused_notices("set:9", command, ruled(before, command).refusals, before, ADDRESSEES)
    ).context
    text = render(context).text
    assert "Mute Ltd" in text
    for secret in ("Acme", "Bolt", "20 units", "Article"):
        assert secret not in text


def test_support_is_told_of_a_held_document_and_how_to_answer() -> None:
    question = Question(
        "Cancel it?", (Choice("cancel", "cancel everything open"), Choice("ignore", "change nothing"))
    )
    held = Unusable(
        origin="set:4", at=AT, source=SOURCE, partner="acme", outcome=Outcome.HELD, question=question,
        held="17", po_number="4500012",
    )  # fmt: skip
    notice = only(document_rejected_notices(held, ADDRESSEES))
    assert (notice.to, notice.dedupe_key) == (
        "support@hub.example",
        "set:4:document_rejected:support@hub.example",
    )
    words = render(notice.context)
    assert words.subject == "Held: acme-1.edi from Acme Stores"
    assert "countermand release 17 --as cancel" in words.text
    assert "countermand held" in words.text


def test_support_is_told_of_an_unreadable_file_and_how_to_look_again() -> None:
    problems = tuple(Problem(place=f"byte {n}", message="Not X12.", remedy="Send X12.") for n in range(25))
    file = Unusable(
        origin="file:3",
        at=AT,
        source=Source(file="x.edi"),
        partner="",
        outcome=Outcome.FAULTY,
        problems=problems,
    )
    context = only(document_rejected_notices(file, ADDRESSEES)).context
    assert isinstance(context, DocumentRejected)
    assert (len(context.problems), context.problems_left_out) == (FINDINGS_MAX, 5)
    text = render(context).text
    assert text.startswith("x.edi from an unknown sender could not be read")
    assert "countermand replay x.edi" in text
    assert "Send X12." in text


def test_a_quarantined_interchange_is_not_to_be_corrected_but_looked_into() -> None:
    foreign = Unusable(
        origin="file:3", at=AT, source=Source(file="x.edi", interchange="000000009"), partner="acme",
        outcome=Outcome.FAULTY, quarantined=True,
        problems=(Problem(place="ISA06", message="BOLT.", remedy="-"),),
    )  # fmt: skip
    text = " ".join(render(only(document_rejected_notices(foreign, ADDRESSEES)).context).text.split())
    assert "Interchange 000000009 in x.edi from Acme Stores was quarantined" in text
    assert "Find out who sent it" in text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SOURCE, "X12 850, interchange 000000123, group 7, set 0001, file acme-1.edi"),
        (Source(actor="staff"), "entered by staff of Example Hub"),
        (Source(actor="jo@acme.example"), "entered by jo@acme.example"),
        (Source(actor=PARTNER), "entered by Acme Stores"),
        (Source(actor=CLOCK), "the clock of Example Hub: the time to answer was over"),
        (Source(file="x.edi"), "file x.edi"),
    ],
)
def test_sources_in_words(source: Source, words: str) -> None:
    assert source_words(source, "Example Hub", "Acme Stores") == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason(), ""),
        (Reason("R9"), "Code R9"),
        (Reason("", "Too late"), "Too late"),
        (Reason("R9", "Gone"), "Gone [R9]"),
    ],
)
def test_reasons_in_words(reason: Reason, words: str) -> None:
    assert reason_words(reason) == words


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((line(1, 5),), "Open: 5 units open"),
        ((line(1, 5, cancelled=2),), "Open: 2 units cancelled, 3 units open"),
        ((line(1, 5, fulfilled=2),), "Partly fulfilled: 2 units fulfilled, 3 units open"),
        ((line(1, 5, fulfilled=5),), "Fulfilled: everything ordered was fulfilled"),
        ((line(1, 5, cancelled=5),), "Cancelled: nothing is open"),
    ],
)
def test_status_in_words(lines: tuple[LineState, ...], words: str) -> None:
    assert status_words(order(*lines)) == words
