"""The steps of a walk: what each rule sends, as a submission.

Quantities are words ("one more than is open"), so that every walk meets the edges of what is allowed; the
model knows what they come to. A step is plain data: it can be printed, kept and run again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    AnswerRequest,
    Backorder,
    BuyerCancel,
    CancelLines,
    CancelOrder,
    Change,
    ChangeOrder,
    CloseRest,
    Command,
    Consent,
    DocumentKey,
    LapseRequest,
    LineAnswer,
    LineCancellation,
    LineChange,
    LineConsent,
    LineReference,
    Locator,
    NewLine,
    Object,
    Objection,
    OverShip,
    PartShipped,
    PlaceOrder,
    QuantityReading,
    RecordShipment,
    ShippedLine,
    ShortAccept,
    Source,
    Submission,
    Verdict,
    WithdrawShipment,
)
from storage.orders import ItemId
from tests.model.book import BUYER, SELLER, Book
from tests.model.orders import NONE, Line

START = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
POS = ("A", "B", "C", "D")
ASKING = ("C", "D")  # orders of which the buyer's cancellations are requests
ANSWERED_HOURS = (None, 6, 6, 30)  # the time that sellers have for an answer, by turns
UNKNOWN_LINE = "77"

Step = tuple[str, Mapping[str, Any]]


@dataclass(slots=True)
class Desk:
    """What turns steps into submissions: it counts documents, tells the time and keeps what was sent."""

    book: Book
    world: str  # in every order number, so that worlds in one database do not meet
    sent: list[Submission]
    number: int = 0
    at: datetime = START

    def po(self, name: str) -> str:
        return f"{self.world}-{name}"

    def line(self, po: str, number: str) -> Line:
        """The line as the model has it; an empty one when there is none."""
        order = self.book.orders.get(self.po(po))
        found = order.lines.get(number) if order else None
        return found or Line(number, item(number), NONE)

    def amount(self, po: str, number: str, word: str) -> Decimal:
        for counter in ("open", "current", "ordered", "fulfilled", "declined", "cancelled", "requested"):
            if word.startswith(counter):
                return Decimal(getattr(self.line(po, number), counter)) + Decimal(word[len(counter) :] or 0)
        return Decimal(word)

    def common(self, po: str, by: str, kind: str, *, hand: bool = False, file: str = "") -> dict[str, Any]:
        """What every command carries; every third document shares its interchange with its neighbours."""
        self.number += 1
        source = (
            Source(actor="staff")
            if hand
            else Source(
                file=file or f"{self.world}-{self.number // 3}.edi",
                interchange="000000001",
                group="1",
                set="0001",
                type=kind,
            )
        )
        order = Locator(buyer=BUYER, seller=SELLER, po_number=self.po(po))
        hours = ANSWERED_HOURS[self.number % len(ANSWERED_HOURS)] if po in ASKING and by == BUYER else None
        answer_by = None if hours is None else self.at + timedelta(hours=hours)
        return {"order": order, "by": by, "at": self.at, "source": source, "answer_by": answer_by}

    def submission(self, *commands: Command, key: str = "") -> Submission:
        """A document of its own, with content of its own, unless it was entered by hand."""
        first = commands[0]
        document = None
        if first.source.type:
            name = key or f"{self.world}:{self.number}"
            document = DocumentKey(
                partner=first.by, kind=first.source.type, key=name, content_hash=f"content {self.number}"
            )
        return Submission(commands=commands, document=document)


def item(number: str) -> str:
    return f"V-{number}"


def ids(number: str) -> tuple[ItemId, ...]:
    return (ItemId("VN", item(number), "VN"),)


def reference(number: str, how: str) -> LineReference:
    match how:
        case "number":
            return LineReference(number=number)
        case "item":
            return LineReference(ids=ids(number))
        case "both":
            return LineReference(number=number, ids=ids(number))
        case "crossed":
            return LineReference(number=number, ids=ids("1" if number != "1" else "2"))
    return LineReference(number=UNKNOWN_LINE)


def new_line(number: str, quantity: Decimal | None) -> NewLine:
    return NewLine(number=number, ids=ids(number), quantity=quantity, unit="EA")


def effect(po: str) -> BuyerCancel:
    return BuyerCancel.REQUESTED if po in ASKING else BuyerCancel.EFFECTIVE


def place(
    desk: Desk, *, po: str, by: str, quantities: Sequence[str], content: str, repeat: bool
) -> Submission:
    lines = tuple(new_line(str(n), Decimal(quantity)) for n, quantity in enumerate(quantities, 1))
    command = PlaceOrder(
        **desk.common(po, by, "850"), lines=lines, content_hash=f"{content}{quantities}", repeat=repeat
    )
    return desk.submission(command)


def cancel_order(desk: Desk, *, po: str, by: str, hand: bool, part_shipped: PartShipped) -> Submission:
    common = desk.common(po, by, "860" if by == BUYER else "865", hand=hand)
    return desk.submission(CancelOrder(**common, part_shipped=part_shipped, effect=effect(po)))


def cancel_lines(
    desk: Desk,
    *,
    po: str,
    by: str,
    hand: bool,
    how: str,
    line: str,
    amount: str | None,
    total: bool,
    more: Any,
) -> Submission:
    units = None if amount is None else desk.amount(po, line, amount)
    cut = LineCancellation(line=reference(line, how))
    cuts = [replace(cut, new_total=units) if total else replace(cut, quantity=units)]
    if more is not None and more[0] != line:
        cuts.append(LineCancellation(line=reference(more[0], "both"), quantity=desk.amount(po, *more)))
    common = desk.common(po, by, "860" if by == BUYER else "865", hand=hand)
    return desk.submission(CancelLines(**common, lines=tuple(cuts), effect=effect(po)))


def ask(desk: Desk, *, po: str, hand: bool, line: str, amount: str) -> Submission:
    """What the buyer of such an order often does: units of a line that are open."""
    return cancel_lines(
        desk, po=po, by=BUYER, hand=hand, how="both", line=line, amount=amount, total=False, more=None
    )


def change_lines(
    desk: Desk,
    *,
    po: str,
    by: str,
    how: str,
    line: str,
    change: Change,
    amount: str,
    second: str | None,
    reading: QuantityReading,
    more: Any,
    sequence: int | None,
    part_shipped: PartShipped,
) -> Submission:
    lines = [
        LineChange(
            line=reference(line, how),
            change=change,
            quantity=desk.amount(po, line, amount),
            second=None
            if second is None or reading is QuantityReading.DELTA
            else desk.amount(po, line, second),
            reading=reading,
        )
    ]
    if more is not None and more[0] != line:
        also = LineChange(line=reference(more[0], "both"), change=Change.SET, quantity=desk.amount(po, *more))
        lines.append(also)
    order = desk.book.orders.get(desk.po(po))
    last = order.sequences.get(by, 0) if order else 0
    command = ChangeOrder(
        **desk.common(po, by, "860" if by == BUYER else "865"),
        lines=tuple(lines),
        sequence="" if sequence is None else str(max(last + sequence, 0)),
        effect=effect(po),
        part_shipped=part_shipped,
    )
    return desk.submission(command)


def add_line(desk: Desk, *, po: str, by: str, line: str, amount: str) -> Submission:
    quantity = desk.amount(po, line, amount)
    added = LineChange(
        line=LineReference(number=line, ids=ids(line)),
        change=Change.ADD,
        quantity=quantity,
        new=new_line(line, quantity),
    )
    common = desk.common(po, by, "860" if by == BUYER else "865")
    return desk.submission(ChangeOrder(**common, lines=(added,), effect=effect(po)))


def restate(
    desk: Desk, *, po: str, by: str, words: Mapping[str, str | None], part_shipped: PartShipped
) -> Submission:
    """The order as it should be: by line its quantity, None for a line that is left out."""
    lines = []
    for number, word in words.items():
        if word is None:
            continue
        quantity = desk.amount(po, number, word)
        lines.append(
            LineChange(
                line=LineReference(number=number, ids=ids(number)),
                change=Change.SET,
                quantity=quantity,
                new=new_line(number, quantity),
            )
        )
    command = ChangeOrder(
        **desk.common(po, by, "850" if by == BUYER else "865"),
        lines=tuple(lines),
        restates=True,
        effect=effect(po),
        part_shipped=part_shipped,
    )
    return desk.submission(command)


def acknowledge(
    desk: Desk,
    *,
    po: str,
    by: str,
    how: str,
    verdict: Verdict,
    line: str,
    answers: Any,
    of: str | None,
    part: Any,
    more: Any,
    short_accept: ShortAccept,
    backorder: Backorder,
    certain: bool,
) -> Submission:
    said = tuple(
        LineAnswer(
            answer=kind, quantity=None if word is None else desk.amount(po, line, word), certain=certain
        )
        for kind, word in answers
    )
    units = None if of is None else desk.amount(po, line, of)
    lines = [AcknowledgedLine(line=reference(line, how), answers=said, quantity=units)]
    if part is not None and units is not None:  # the line in two places
        word, kind, figure = part
        others = LineAnswer(
            answer=kind, quantity=None if figure is None else Decimal(figure), certain=certain
        )
        left = desk.line(po, line).ordered - units if word == "rest" else desk.amount(po, line, word)
        lines.append(AcknowledgedLine(line=reference(line, "both"), answers=(others,), quantity=left))
    if more is not None and more[0] != line:
        also = LineAnswer(answer=Answer.QUANTITY_CHANGED, quantity=desk.amount(po, *more))
        lines.append(AcknowledgedLine(line=reference(more[0], "both"), answers=(also,)))
    command = AcknowledgeOrder(
        **desk.common(po, by, "855"),
        verdict=verdict,
        lines=tuple(lines),
        short_accept=short_accept,
        backorder=backorder,
    )
    return desk.submission(command)


def ship(
    desk: Desk,
    *,
    po: str,
    by: str,
    how: str,
    line: str,
    amount: str,
    more: Any,
    again: Any,
    over_percent: int | None,
    close_rest: CloseRest,
) -> Submission:
    lines = [ShippedLine(line=reference(line, how), quantity=desk.amount(po, line, amount))]
    if more is not None:
        lines.append(ShippedLine(line=reference(more[0], "both"), quantity=desk.amount(po, *more)))
    if again is not None:  # one more carton of the same line
        lines.append(ShippedLine(line=reference(line, "both"), quantity=desk.amount(po, line, again)))
    common = desk.common(po, by, "856")
    name = f"S{desk.number}"
    command = RecordShipment(
        **common,
        shipment_id=name,
        lines=tuple(lines),
        over_ship=OverShip.REFUSE if over_percent is None else OverShip.FLAG,
        over_percent=Decimal(over_percent or 0),
        close_rest=close_rest,
    )
    return desk.submission(command, key=f"{desk.world}:{name}")


def ship_two_orders(desk: Desk, *, po: str, other: str, line: str, amount: str, more: str) -> Submission:
    """One ship notice for two orders: both are served, or neither."""
    commands: list[Command] = []
    for name, word in ((po, amount), (other, more)):
        if any(command.order.po_number == desk.po(name) for command in commands):
            continue
        lines = (ShippedLine(line=reference(line, "both"), quantity=desk.amount(name, line, word)),)
        commands.append(
            RecordShipment(**desk.common(name, SELLER, "856"), shipment_id=f"S{desk.number}", lines=lines)
        )
    return desk.submission(*commands)


def withdraw(
    desk: Desk, *, po: str, by: str, back: int, line: str, amount: str, same_file: bool
) -> Submission:
    order = desk.book.orders.get(desk.po(po))
    names = list(order.shipments) if order else []
    name = names[-back] if 0 < back <= len(names) else "S-never"
    lines: tuple[ShippedLine, ...] = ()
    if amount not in ("all", "left"):
        lines = (ShippedLine(line=reference(line, "both"), quantity=desk.amount(po, line, amount)),)
    if order and name in order.shipments and amount == "left":
        lines = tuple(
            ShippedLine(line=reference(n, "both"), quantity=units - 1)
            for n, units in order.shipments[name].items()
            if units > 1
        )
    file = "" if same_file else f"{desk.world}-w{desk.number}.edi"
    command = WithdrawShipment(**desk.common(po, by, "856", file=file), shipment_id=name, lines=lines)
    return desk.submission(command)


def answer(
    desk: Desk,
    *,
    po: str,
    by: str,
    consent: Consent,
    line: str | None,
    line_consent: Consent,
    amount: str | None,
    certain: bool,
) -> Submission:
    lines: tuple[LineConsent, ...] = ()
    if line is not None:
        # Without a figure, all that was asked for is meant; a document that says 0 says the same.
        quantity = None if amount is None else desk.amount(po, line, amount) or None
        lines = (LineConsent(line=reference(line, "both"), consent=line_consent, quantity=quantity),)
    command = AnswerRequest(**desk.common(po, by, "865"), consent=consent, lines=lines, certain=certain)
    return desk.submission(command)


def lapse(desk: Desk, *, po: str, by: str, hand: bool, hours: int) -> Submission:
    """An order of which something waits, where there is one; by a clock that goes on without us."""
    asked = (name for name in ASKING if any(desk.line(name, number).requested for number in ("1", "2", "3")))
    po = next(asked, po)
    command = LapseRequest(**desk.common(po, by, "865", hand=hand))
    return desk.submission(replace(command, at=command.at + timedelta(hours=hours), answer_by=None))


def object_to(desk: Desk, *, po: str, by: str, objection: Objection) -> Submission:
    return desk.submission(
        Object(**desk.common(po, by, "860"), objection=objection, statement="What is meant?")
    )


def again(desk: Desk, *, back: int) -> Submission | None:
    """A document that was sent before, to the letter."""
    return desk.sent[-back] if back <= len(desk.sent) else None


def twisted(desk: Desk, *, back: int) -> Submission | None:
    """A document under a number that was sent before, with other content."""
    if back > len(desk.sent) or desk.sent[-back].document is None:
        return None
    earlier = desk.sent[-back]
    document = earlier.document
    assert document is not None
    other = replace(document, content_hash=f"{document.content_hash}, twisted")
    return Submission(commands=earlier.commands, document=other)


def clock(desk: Desk, *, hours: int) -> None:
    """The clock jumps; nothing that was agreed changes by that."""
    desk.at += timedelta(hours=hours)


def nothing(desk: Desk) -> None:
    """Commits and crashes are the walk's own matter."""
