"""ACK segments to what a seller says about the units of a line (spec 1.10), for an 855 and an 865."""

from collections.abc import Iterable, Mapping

from edi.codes import STATUS_CLASS, StatusClass, words
from edi.documents import LineAcknowledgment
from pipeline.policy import Policy
from storage.commands import Answer, LineAnswer, Reason

DELETED = "ID"  # ACK01

_ANSWERS: Mapping[StatusClass, Answer] = {
    StatusClass.ACCEPT: Answer.ACCEPTED,
    StatusClass.REDUCE: Answer.QUANTITY_CHANGED,
    StatusClass.OPEN: Answer.BACKORDERED,
    StatusClass.MIXED: Answer.PARTLY,
    StatusClass.HOLD: Answer.ON_HOLD,
    StatusClass.CANCEL: Answer.REJECTED,
}


def unknown_statuses(acknowledgments: Iterable[LineAcknowledgment]) -> tuple[str, ...]:
    """The line item statuses (668) that have no fixed meaning."""
    return tuple(sorted({ack.status for ack in acknowledgments} - STATUS_CLASS.keys()))


def line_answer(ack: LineAcknowledgment, policy: Policy) -> LineAnswer:
    """One ACK with a known status. Partners differ on what BP counts, so that its quantity is not read."""
    status = STATUS_CLASS[ack.status]
    waits = status in (StatusClass.OPEN, StatusClass.HOLD)
    the_rest = status is StatusClass.MIXED or (waits and ack.quantity == 0)
    return LineAnswer(
        answer=_ANSWERS[status],
        quantity=None if the_rest else ack.quantity,
        unit=policy.unit_aliases.of(ack.unit),
        code=ack.status,
        reason=Reason(ack.status, words("668", ack.status)),
    )


def may_refuse(acknowledgments: Iterable[LineAcknowledgment]) -> bool:
    """Whether they may reject the change they stand below; beside others, as a split, they reject units.

    Deleted (ID) is said of units alone.
    """
    said = {ack.status for ack in acknowledgments}
    rejecting = {status for status in said if STATUS_CLASS.get(status) is StatusClass.CANCEL}
    return bool(said) and said == rejecting - {DELETED}
