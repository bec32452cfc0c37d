"""865 that answers: whether it does, and the seller's yes or no to what the buyer asked (spec 1.9, 1.11)."""

from dataclasses import replace

from edi.codes import CHANGE_CLASS, STATUS_CLASS, ChangeClass, StatusClass, words
from edi.documents import ChangeAcknowledgment, ChangedLine, LineAcknowledgment
from pipeline.items import line_reference
from pipeline.mapping.answers import DELETED
from pipeline.mapping.change_lines import called, line_change
from pipeline.mapping.objections import Doubt
from pipeline.mapping.origin import Origin, statement
from storage.commands import AnswerRequest, Change, Consent, LineChange, LineConsent, Locator, Reason
from storage.orders import ZERO
from storage.outcomes import Choice

#: BCA02 (587) by which a change as a whole is agreed to, or refused.
AGREEING = ("AC", "AD", "AE", "AK", "AT")
REFUSING = ("RD", "RF", "RJ", "RN", "RV")
#: Of these, the ones that leave no room for a line that says otherwise.
_WITHOUT_EXCEPTION = ("AK", "AT", "RJ", "RN", "RV")

#: BCA01 of an answer: a response, or the final yes.
ANSWERING = ("06", "11")

_CHOICES = (
    Choice("agreed", "the seller agrees to all that was asked for"),
    Choice("refused", "the seller agrees to nothing of it"),
)


def is_answer(document: ChangeAcknowledgment, purpose: str) -> bool:
    """Whether an 865 answers an 860, or changes the order of the seller's own accord."""
    refuses = any(_refuses(line) for line in document.lines)
    return purpose in ANSWERING or document.type in REFUSING or refuses


def answer(
    document: ChangeAcknowledgment, purpose: str, origin: Origin, order: Locator
) -> AnswerRequest | list[Doubt]:
    """The seller's answer; a list of doubts when it cannot be told. A refused change cancels nothing."""
    consent = _consent(document, purpose)
    chosen = next((c for c in Consent if origin.answered(c.value)), None)
    lines: list[LineConsent] = []
    doubts: list[Doubt] = []
    if chosen is None:
        for line in document.lines:
            found = _line(line, document, purpose, origin)
            if isinstance(found, Doubt):
                doubts.append(found)
            elif found is not None:
                lines.append(found)
        if consent is None and not document.lines:
            said = f"An 865 answers a change of PO {document.po_number} without a yes or no: what is agreed?"
            doubts.append(Doubt(said, _CHOICES))
    if doubts:
        return doubts
    return AnswerRequest(
        **statement(origin, order),
        reason=Reason(document.type, words("587", document.type)) if document.type else Reason(),
        consent=chosen or consent or Consent.REFUSED,  # what nothing was said about is not agreed to
        lines=tuple(lines),
        certain=purpose in ANSWERING or any(_refuses(line) for line in document.lines),
    )


def _consent(document: ChangeAcknowledgment, purpose: str) -> Consent | None:
    """What the heading says by itself."""
    if document.type in REFUSING:
        return Consent.REFUSED
    return Consent.AGREED if document.type in AGREEING or purpose == "06" else None


def _line(
    line: ChangedLine, document: ChangeAcknowledgment, purpose: str, origin: Origin
) -> LineConsent | Doubt | None:
    """What one line answers; None: no more than the heading does."""
    heading = _consent(document, purpose)
    if not line.acknowledgments and not _refuses(line) and heading is not None:
        return None
    found = _said(line, heading)
    strict = document.type in _WITHOUT_EXCEPTION or purpose == "06"
    if found is None or (strict and found is not heading):
        said = ", ".join([line.change, *(ack.status for ack in line.acknowledgments)])
        return Doubt(f"{called(line)}: {said}: is the change agreed to or refused?", _CHOICES)
    deleted = [ack for ack in line.acknowledgments if ack.status == DELETED and ack.quantity]
    change: LineChange | None = None
    if found is Consent.AGREED and not deleted:
        agreed = _said_back(line, origin)
        if isinstance(agreed, Doubt) or agreed is None:
            return agreed
        change = agreed
    return LineConsent(
        line=line_reference(line.number, line.ids, origin.policy),
        consent=found,
        quantity=sum((ack.quantity or ZERO for ack in deleted), ZERO) if deleted else None,
        unit=origin.policy.unit_aliases.of(deleted[0].unit) if deleted else "",
        change=change,
    )


def _said_back(line: ChangedLine, origin: Origin) -> LineChange | Doubt | None:
    """The change that is agreed to; None when it is about no units, as a price without a quantity."""
    change = line_change(line, origin)
    if isinstance(change, Doubt):
        return change
    if change.change is Change.NOTE:
        kept = [ack.quantity for ack in line.acknowledgments if ack.quantity is not None]
        if not kept:
            return None
        change = replace(change, quantity=sum(kept, ZERO))
    return replace(change, answers=(), may_refuse=False)


def _refuses(line: ChangedLine) -> bool:
    return CHANGE_CLASS.get(line.change) is ChangeClass.REFUSE


def _said(line: ChangedLine, heading: Consent | None) -> Consent | None:
    """The line's own yes or no; None when it is neither, or both."""
    if _refuses(line):
        return Consent.REFUSED
    spoken = [ack for ack in line.acknowledgments if ack.quantity != 0] or line.acknowledgments
    said = {_status(ack, line, heading) for ack in spoken}
    return said.pop() if len(said) == 1 else None


def _status(ack: LineAcknowledgment, line: ChangedLine, heading: Consent | None) -> Consent | None:
    """ID: deleted, as was asked. Other rejecting codes refuse the change; accepting must fit its quantity."""
    if ack.status == DELETED:
        return Consent.AGREED
    status = STATUS_CLASS[ack.status]
    if status is StatusClass.CANCEL:
        return Consent.REFUSED
    if status not in (StatusClass.ACCEPT, StatusClass.REDUCE):
        return None
    if CHANGE_CLASS.get(line.change) is ChangeClass.DELETE:  # the deletion accepted, or the line?
        return Consent.AGREED if heading is Consent.AGREED else None
    agrees = ack.quantity == line.quantity or (ack.quantity is None and status is StatusClass.ACCEPT)
    return Consent.AGREED if agrees else None
