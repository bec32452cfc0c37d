"""870 to commands: of all that a seller reports, only what says plainly that it is cancelled (spec 1.6)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from edi.codes import REPORT_CLASS, ReportClass
from edi.documents import ItemStatus, OrderStatusReport, ReportedLine, ReportedOrder
from pipeline.items import line_reference
from pipeline.mapping.objections import Doubt, cancel_all, held_doubts
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, statement
from pipeline.mapping.parties import buyers_policy, sellers_order
from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    CancelOrder,
    Command,
    LineAnswer,
    Locator,
    Reason,
    Submission,
    Verdict,
)
from storage.outcomes import Choice

#: The statuses (368) that may cancel, in words.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "IC": "item cancelled",
        "CU": "line item cancelled",
        "DE": "order deleted",
        "CP": "shipped in part, and nothing more to come",
        "DI": "discontinued",
    }
)


def order_status_report(document: OrderStatusReport, origin: Origin) -> Mapped:
    """One command for each order of which something is cancelled; all or none of them is applied."""
    commands: list[Command] = []
    doubtful: list[tuple[Locator, Doubt]] = []
    for reported in document.orders:
        order = sellers_order(reported.po_number, reported.release, document.parties, origin)
        command, doubts = _order(reported, order, origin)
        commands += [command] if command else []
        doubtful += [(order, doubt) for doubt in doubts]
    if doubtful:
        others = (Choice("others", "leave these aside, and apply what is clear"),) if commands else ()
        return held_doubts(origin, doubtful[0][0], [doubt for _, doubt in doubtful], *others)
    if not commands:
        said = ", ".join(sorted({status.code for status in _statuses(document)})) or "no status"
        return WithoutEffect(f"An 870 that reports {said}; nothing is cancelled by it.")
    key = origin.key("870", document.reference, origin.content_hash)
    return Submission(commands=tuple(commands), document=key)


def _order(reported: ReportedOrder, order: Locator, origin: Origin) -> tuple[Command | None, list[Doubt]]:
    """What of one order is cancelled. DE cancels all of it, unless a line has another status."""
    codes = [status.code for status in reported.statuses if status.code in REPORT_CLASS]
    against = [line for line in reported.lines if not all(s.code in REPORT_CLASS for s in line.statuses)]
    deleted = [code for code in codes if REPORT_CLASS[code] is ReportClass.CANCEL_ORDER]
    if deleted and not against:
        return _cancellation(order, origin, deleted[0]), []
    if codes and origin.answered("cancel"):
        return _cancellation(order, origin, codes[0]), []
    if codes and not origin.answered("others"):
        said = f"PO {order.po_number} as a whole: {codes[0]} ({WORDS[codes[0]]})"
        asked = f"{said}, with lines that have another status" if against else said
        return None, [Doubt(f"{asked}: is it cancelled?", (cancel_all(order.po_number),))]
    return _lines(reported, order, origin)


def _lines(reported: ReportedOrder, order: Locator, origin: Origin) -> tuple[Command | None, list[Doubt]]:
    lines: list[AcknowledgedLine] = []
    doubts: list[Doubt] = []
    for line in reported.lines:
        answers: list[LineAnswer] = []
        for status in line.statuses:
            counts = status.quantity_qualifier in ("", "01")  # others count what was ordered, shipped ...
            cancels = REPORT_CLASS.get(status.code) is ReportClass.CANCEL_ITEM
            clear = cancels and counts and status.quantity != 0
            if clear or (status.code in REPORT_CLASS and origin.answered("cancel")):
                answers.append(_answer(status, origin, whole=not clear))
            elif status.code in REPORT_CLASS and not origin.answered("others"):
                doubts.append(_doubt(line, status))
        if answers:
            reference = line_reference(line.number, line.ids, origin.policy)
            lines.append(AcknowledgedLine(line=reference, answers=tuple(answers)))
    if not lines:
        return None, doubts
    said = statement(origin, order)
    return AcknowledgeOrder(**said, verdict=Verdict.LINES, lines=tuple(lines)), doubts


def _answer(status: ItemStatus, origin: Origin, *, whole: bool) -> LineAnswer:
    """The QTY below an ISR counts what is cancelled; without one it is the whole line."""
    return LineAnswer(
        answer=Answer.REJECTED,
        quantity=None if whole else status.quantity,
        unit="" if whole else origin.policy.unit_aliases.of(status.unit),
        code=status.code,
        reason=Reason(status.code, WORDS[status.code]),
        certain=True,
    )


def _doubt(line: ReportedLine, status: ItemStatus) -> Doubt:
    called = f"Line {line.number}" if line.number else f"The line at segment {line.position}"
    counted = "" if status.quantity is None else f", quantity {status.quantity:f}"
    said = f"{called}: {status.code} ({WORDS[status.code]}{counted}): is what is open of it cancelled?"
    return Doubt(said, (Choice("cancel", "cancel what is open of it"),))


def _cancellation(order: Locator, origin: Origin, code: str) -> Command:
    part_shipped = buyers_policy(order, origin).cancel_part_shipped
    reason = Reason(code, WORDS[code])
    return CancelOrder(**statement(origin, order), reason=reason, part_shipped=part_shipped)


def _statuses(document: OrderStatusReport) -> Iterator[ItemStatus]:
    for reported in document.orders:
        yield from reported.statuses
        for line in reported.lines:
            yield from line.statuses
