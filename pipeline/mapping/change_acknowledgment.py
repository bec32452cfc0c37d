"""865 to commands: a seller's answer to a change, or its own change of an order (spec 1.8, 1.9, 1.11)."""

from edi.codes import CHANGE_CLASS, STATUS_CLASS, ChangeClass, StatusClass, words
from edi.documents import ChangeAcknowledgment, ChangedLine
from pipeline.mapping.answers import unknown_statuses
from pipeline.mapping.change_answers import AGREEING, REFUSING, answer, is_answer
from pipeline.mapping.change_lines import called, cancels_order, line_changes, others_choice
from pipeline.mapping.objections import Doubt, cancel_all, held, held_doubts, refused_purpose
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, order_parts, statement
from pipeline.mapping.parties import buyers_policy, sellers_order
from storage.commands import (
    NO_REASON,
    AnswerRequest,
    CancelOrder,
    ChangeOrder,
    Command,
    Consent,
    Locator,
    Reason,
    Submission,
)
from storage.outcomes import Choice

#: BCA02 (587) that neither agrees nor refuses, and says nothing against the lines.
_SILENT = ("", "AP", "NA")
#: Statuses (668) by which units are kept, whatever is deleted beside them.
_KEEPING = (StatusClass.ACCEPT, StatusClass.REDUCE, StatusClass.OPEN, StatusClass.MIXED, StatusClass.HOLD)


def change_acknowledgment(document: ChangeAcknowledgment, origin: Origin) -> Mapped:
    """Section 1.8, column BCA01; 05 replaces the earlier 865, so that a line left out is not cancelled."""
    purpose = origin.policy.purpose("865", document.purpose)
    if purpose in ("07", "22"):
        said = words("353", document.purpose)
        return WithoutEffect(f"An 865 that calls itself a {said}; the first one counts.")
    order = sellers_order(document.po_number, document.release, document.parties, origin)
    if purpose in ("02", "03"):
        why = "say at each line what changes (AI, DI), or have this purpose agreed with the hub."
        return refused_purpose(origin, order, "865", purpose, why)
    if (asked := _unclear(document, purpose, origin)) is not None:
        return held(origin, order, *asked)
    if purpose == "01":
        return _cancellation(document, origin, order)
    if is_answer(document, purpose):
        found = answer(document, purpose, origin, order)
        if isinstance(found, list):
            return held_doubts(origin, order, found)
        return _submission(document, origin, found)
    return _own_change(document, origin, order)


def _unclear(
    document: ChangeAcknowledgment, purpose: str, origin: Origin
) -> tuple[str, *tuple[Choice, ...]] | None:
    """What in the heading, or in a line's status, has no fixed meaning."""
    unknown = unknown_statuses(ack for line in document.lines for ack in line.acknowledgments)
    lines = Choice("lines", "follow what its lines say")
    begins = f"An 865 for PO {document.po_number}"
    if unknown:
        return (f"{begins} uses {', '.join(unknown)}, which has no fixed meaning: what is said?",)
    if origin.answered("lines"):
        return None
    if document.type in ("AH", "RO"):
        said = f"{begins} says {words('587', document.type)} ({document.type}): what is agreed?"
        return (said, lines)
    if document.type not in (*_SILENT, *AGREEING, *REFUSING):
        return (f"{begins} uses {document.type}, which has no fixed meaning: what is said?", lines)
    if purpose not in ("00", "01", "04", "05", "06", "11"):
        return (f"{begins} has purpose {purpose} ({words('353', purpose)}): what is said?", lines)
    return None


def _cancellation(document: ChangeAcknowledgment, origin: Origin, order: Locator) -> Submission:
    """BCA01=01: the seller cancels what is open, unless the same document says otherwise."""
    against = next((called(line) for line in document.lines if _keeps(line)), "")
    if (against or document.type in REFUSING) and not origin.answered("cancel"):
        why = f"{against} is not cancelled" if against else words("587", document.type)
        said = f"An 865 cancels PO {document.po_number} and contradicts itself ({why}): what is meant?"
        return held(origin, order, said, cancel_all(document.po_number))
    return _cancel(document, origin, order, NO_REASON)


def _keeps(line: ChangedLine) -> bool:
    """Whether a line says that units of it stay."""
    accepts = any(STATUS_CLASS[a.status] in _KEEPING and a.quantity != 0 for a in line.acknowledgments)
    deletes = CHANGE_CLASS.get(line.change) in (ChangeClass.DELETE, ChangeClass.CANCEL_ORDER)
    stays = not deletes and bool(line.quantity) and not line.acknowledgments
    return accepts or stays


def _own_change(document: ChangeAcknowledgment, origin: Origin, order: Locator) -> Mapped:
    if not document.lines and document.type in AGREEING:
        return _submission(document, origin, _agreement(document, origin, order))
    whole = cancels_order(document.lines)
    if whole or (whole is None and origin.answered("cancel")):
        return _cancel(document, origin, order, Reason("CF", words("670", "CF")))
    if whole is None:
        said = (
            f"An 865 cancels PO {document.po_number} as a whole (CF) and changes lines of it: what is meant?"
        )
        return held(origin, order, said, cancel_all(document.po_number))
    clear = [line for line in document.lines if not _contradicts(line)]
    changes, doubts = line_changes(clear, origin)
    if not origin.answered("others"):
        said = "{} is deleted and accepted at once: which counts?"
        doubts += [Doubt(said.format(called(line))) for line in document.lines if _contradicts(line)]
    if doubts:
        return held_doubts(origin, order, doubts, *others_choice(changes, restates=False))
    if not changes:
        return WithoutEffect(f"An 865 for PO {document.po_number} that changes no line; nothing is changed.")
    command = ChangeOrder(
        **statement(origin, order),
        lines=changes,
        sequence=document.change_number,
        issued_at=origin.issued_at,
        content_hash=origin.content_hash,
        part_shipped=buyers_policy(order, origin).cancel_part_shipped,
    )
    return _submission(document, origin, command)


def _agreement(document: ChangeAcknowledgment, origin: Origin, order: Locator) -> Command:
    """A yes without lines: to what was asked, if anything was; the document does not say that it answers."""
    reason = Reason(document.type, words("587", document.type))
    said = statement(origin, order)
    return AnswerRequest(**said, reason=reason, consent=Consent.AGREED, certain=False)


def _contradicts(line: ChangedLine) -> bool:
    """Deleted (DI) by the change and kept by the status. Other figures the ledger compares."""
    return CHANGE_CLASS.get(line.change) is ChangeClass.DELETE and _keeps(line)


def _cancel(document: ChangeAcknowledgment, origin: Origin, order: Locator, reason: Reason) -> Submission:
    part_shipped = buyers_policy(order, origin).cancel_part_shipped
    command = CancelOrder(
        **statement(origin, order), reason=reason, sequence=document.change_number, part_shipped=part_shipped
    )
    return _submission(document, origin, command)


def _submission(document: ChangeAcknowledgment, origin: Origin, command: Command) -> Submission:
    said_on = document.acknowledged_on or document.changed_on
    # BCA05 may be the number of the change that is answered, and one change may have several answers.
    named = (document.change_number, said_on.isoformat() if said_on else "", origin.content_hash)
    key = origin.key("865", *order_parts(command.order), *named)
    return Submission(commands=(command,), document=key)
