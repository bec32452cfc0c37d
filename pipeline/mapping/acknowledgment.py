"""855 to commands: a seller's answer to an order (spec 1.9, 1.10, 2.4)."""

from collections.abc import Mapping

from edi.codes import words
from edi.documents import AcknowledgedLine as SaidLine
from edi.documents import PurchaseOrderAcknowledgment
from pipeline.items import line_reference
from pipeline.mapping.answers import line_answer, unknown_statuses
from pipeline.mapping.objections import held, refused_purpose
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, order_parts, statement
from pipeline.mapping.parties import sellers_order
from storage.commands import AcknowledgedLine, AcknowledgeOrder, Reason, Submission, Verdict
from storage.outcomes import Choice

#: BAK02 (587) to what it says about the order as a whole (section 1.9).
VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("AC", "AD", "AE", "AK", "AP", "AT", "NA"), Verdict.LINES),
    **dict.fromkeys(("RF", "RJ", "RN", "RV"), Verdict.REJECTED),
    "RD": Verdict.REJECTED_BY_LINE,
    "RO": Verdict.COUNTER_OFFER,
    "AH": Verdict.ON_HOLD,
}

#: Where the header itself declines, its code is the reason; elsewhere the lines give theirs.
DECLINING = (Verdict.REJECTED, Verdict.REJECTED_BY_LINE, Verdict.COUNTER_OFFER)


def purchase_order_acknowledgment(document: PurchaseOrderAcknowledgment, origin: Origin) -> Mapped:
    """Section 1.8, column BAK01: 01 takes an earlier answer back, and cancels only what it rejects itself."""
    purpose = origin.policy.purpose("855", document.purpose)
    if purpose in ("07", "22"):
        said = words("353", document.purpose)
        return WithoutEffect(f"An 855 that calls itself a {said}; the first one counts.")
    order = sellers_order(document.po_number, document.release, document.parties, origin)
    if purpose in ("02", "03"):
        why = "what was accepted cannot be taken back by sending the document again."
        return refused_purpose(origin, order, "855", purpose, why)
    verdict = Verdict.LINES if origin.answered("lines") else VERDICTS.get(document.type)
    unknown = unknown_statuses(ack for line in document.lines for ack in line.acknowledgments)
    known = purpose in ("00", "01", "04", "05", "06") or origin.answered("lines")
    if verdict is None or unknown or not known:
        code = document.type if verdict is None else ", ".join(unknown) or purpose
        said = f"An 855 for PO {document.po_number} uses {code}, which has no fixed meaning: what is said?"
        return held(
            origin, order, said, *(() if unknown else (Choice("lines", "follow what its lines say"),))
        )
    if purpose == "01" and verdict not in (Verdict.REJECTED, Verdict.REJECTED_BY_LINE):
        verdict = Verdict.WITHDRAWN
    command = AcknowledgeOrder(
        **statement(origin, order),
        reason=Reason(document.type, words("587", document.type)) if verdict in DECLINING else Reason(),
        verdict=verdict,
        lines=tuple(_line(line, origin) for line in document.lines),
        short_accept=origin.policy.short_accept,
        backorder=origin.policy.backorder,
    )
    said_on = document.acknowledged_on.isoformat() if document.acknowledged_on else ""
    named = (document.seller_order_number, said_on, origin.content_hash)
    return Submission(commands=(command,), document=origin.key("855", *order_parts(order), *named))


def _line(line: SaidLine, origin: Origin) -> AcknowledgedLine:
    return AcknowledgedLine(
        line=line_reference(line.number, line.ids, origin.policy),
        answers=tuple(line_answer(ack, origin.policy) for ack in line.acknowledgments),
        quantity=line.quantity,
        unit=origin.policy.unit_aliases.of(line.unit),
    )
