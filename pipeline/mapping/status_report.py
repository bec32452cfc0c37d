"""870 to commands: of all that a seller reports, only what says plainly that it is cancelled (spec 1.6)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
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
_EARLIER = "CK"  # cancelled from a previous order: says nothing about this one


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
    """What is cancelled by item, and what else is said of items: it says which units are not cancelled."""
    lines: list[AcknowledgedLine] = []
    doubts: list[Doubt] = []
    for line in reported.lines:
        doubtful = [status for status in line.statuses if _is_doubtful(status)]
        if not origin.answered("cancel") and not origin.answered("others"):
            doubts += [_doubt(line, status) for status in doubtful]
        lines.append(_line(line, origin, whole=bool(doubtful) and origin.answered("cancel")))
    if not any(answer.answer is Answer.REJECTED for line in lines for answer in line.answers):
        return None, doubts
    said = statement(origin, order)
    return AcknowledgeOrder(**said, verdict=Verdict.LINES, lines=tuple(lines)), doubts


def _line(line: ReportedLine, origin: Origin, *, whole: bool) -> AcknowledgedLine:
    """One item. `whole`: a person said that what is open of it is cancelled, whatever it speaks of."""
    answers = [_answer(status, origin, whole=whole) for status in line.statuses if status.code != _EARLIER]
    if whole:
        answers = [one for one in answers if one.answer is Answer.REJECTED or one.quantity is not None]
    return AcknowledgedLine(
        line=line_reference(line.number, line.ids, origin.policy),
        answers=tuple(answers) or (LineAnswer(answer=Answer.KEPT),),
        quantity=None if whole else line.quantity,
        unit=origin.policy.unit_aliases.of(line.unit),
    )


def _is_clear(status: ItemStatus) -> bool:
    """Whether it says by itself that the item's units, or so many of them, are cancelled."""
    cancels = REPORT_CLASS.get(status.code) is ReportClass.CANCEL_ITEM
    return cancels and _counts(status) and status.quantity != 0


def _is_doubtful(status: ItemStatus) -> bool:
    return status.code in REPORT_CLASS and not _is_clear(status)


def _counts(status: ItemStatus) -> bool:
    """Whether a quantity below it is that of the units it is about, and not of those ordered, shipped ..."""
    return status.quantity_qualifier in ("", "01")


def _answer(status: ItemStatus, origin: Origin, *, whole: bool) -> LineAnswer:
    """The QTY below an ISR counts the units it is about; without one it is the whole line, or all else."""
    clear = _is_clear(status)
    if not clear and not (whole and _is_doubtful(status)):
        counted = status if _counts(status) else replace(status, quantity=None, unit="")
        unit = origin.policy.unit_aliases.of(counted.unit)
        return LineAnswer(answer=Answer.KEPT, quantity=counted.quantity, unit=unit, code=status.code)
    return LineAnswer(
        answer=Answer.REJECTED,
        quantity=status.quantity if clear else None,
        unit=origin.policy.unit_aliases.of(status.unit) if clear else "",
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
