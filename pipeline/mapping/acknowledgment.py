"""855 to commands: a seller's answer to an order (spec 1.9, 1.10, 2.4)."""

from collections.abc import Mapping

from edi.codes import words
from edi.documents import AcknowledgedLine as SaidLine
from edi.documents import PurchaseOrderAcknowledgment
from pipeline.items import line_reference
from pipeline.mapping.answers import line_answer, unknown_statuses
from pipeline.mapping.objections import STATEMENTS_MAX, held, refused_purpose
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

#: Accepted with another item (section 1.10). The buyer must learn of it, and the order keeps its own items.
_SUBSTITUTED = "IS"
SUBSTITUTE = Choice(
    "substitute",
    "the buyer was told and takes it: go on with what the lines say; ship notices name the item ordered",
)


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
    substitutes = _substitutes(document)
    if substitutes and not origin.answered(SUBSTITUTE.name):
        asked = "Does the buyer take that? Nobody has told the buyer yet."
        return held(origin, order, f"{substitutes} {asked}", SUBSTITUTE)
    if purpose == "01" and verdict not in (Verdict.REJECTED, Verdict.REJECTED_BY_LINE):
        verdict = Verdict.WITHDRAWN
    command = AcknowledgeOrder(
        **statement(origin, order),
        reason=Reason(document.type, words("587", document.type)) if verdict in DECLINING else Reason(),
        note=substitutes,
        verdict=verdict,
        lines=tuple(_line(line, origin) for line in document.lines),
        short_accept=origin.policy.short_accept,
        backorder=origin.policy.backorder,
    )
    said_on = document.acknowledged_on.isoformat() if document.acknowledged_on else ""
    named = (document.seller_order_number, said_on, origin.content_hash)
    return Submission(commands=(command,), document=origin.key("855", *order_parts(order), *named))


def _substitutes(document: PurchaseOrderAcknowledgment) -> str:
    """What is to be delivered instead of what was ordered, a sentence for each line; "" when nothing is."""
    said = []
    for line in document.lines:
        for ack in line.acknowledgments:
            if ack.status == _SUBSTITUTED and ack.quantity != 0:
                called = f"Line {line.number}" if line.number else f"The line at segment {line.position}"
                others = [f"{pid.qualifier} {pid.id}" for pid in ack.ids if pid not in line.ids]
                counted = "" if ack.quantity is None else f" {ack.quantity:f}"
                item = ", ".join(others) or "an item that is not named"
                said.append(f"{called}: the seller delivers {item} instead ({ack.status}{counted}).")
    more = f" So it is with {len(said) - STATEMENTS_MAX} more lines." if len(said) > STATEMENTS_MAX else ""
    return " ".join(said[:STATEMENTS_MAX]) + more


def _line(line: SaidLine, origin: Origin) -> AcknowledgedLine:
    return AcknowledgedLine(
        line=line_reference(line.number, line.ids, origin.policy),
        answers=tuple(line_answer(ack, origin.policy) for ack in line.acknowledgments),
        quantity=line.quantity,
        unit=origin.policy.unit_aliases.of(line.unit),
    )
