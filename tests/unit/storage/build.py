"""Orders, shipments and cancellations in few words, and the receipts around them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from storage import interchanges, messages, outbox, receipts
from storage.commands import (
    AnswerRequest,
    BuyerCancel,
    CancelLines,
    CancelOrder,
    Change,
    ChangeOrder,
    Command,
    Consent,
    DocumentKey,
    LineCancellation,
    LineChange,
    LineReference,
    Locator,
    NewLine,
    PlaceOrder,
    RecordShipment,
    ShippedLine,
    Source,
    Submission,
    WithdrawShipment,
)
from storage.database import Prepared
from storage.events import EventKind
from storage.evolve import CANCELLING
from storage.interchanges import InterchangeKey, NewSet
from storage.ledger import Result, apply
from storage.models import METADATA
from storage.orders import ItemId
from storage.outcomes import Outcome
from storage.queries import OrderView, find_orders, get_order
from storage.states import Fate, Kind

AT = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
BUYER, SELLER = "acme", "bolt"
_ALL = {made.name: Prepared(select(made)) for made in METADATA.sorted_tables}


def rows(tx: Connection) -> list[tuple[object, ...]]:
    """Everything the database holds."""
    return [(name, *row) for name, all_of in _ALL.items() for row in all_of.all(tx)]


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def locator(po: str = "4500012", release: str = "", **parties: Any) -> Locator:
    return Locator(**{"buyer": BUYER, "seller": SELLER, **parties}, po_number=po, release=release)


def source(kind: str) -> Source:
    return Source(file="drop.edi", interchange="000000001", group="1", set="0001", type=kind)


def change_source(by: str) -> Source:
    """Where a cancellation by this side would come in."""
    return source("865" if by == SELLER else "860")


def new_line(number: str, quantity: str, **more: Any) -> NewLine:
    ids = (ItemId("UP", f"01234567890{number}", "gtin"), ItemId("VN", f"V-{number}", ""))
    return NewLine(**{"number": number, "ids": ids, "quantity": Decimal(quantity), "unit": "EA", **more})


def place(*quantities: str, po: str = "4500012", content: str = "as sent", **more: Any) -> PlaceOrder:
    """An order whose lines are numbered 1, 2, 3 and ordered in these quantities."""
    lines = tuple(new_line(str(number), quantity) for number, quantity in enumerate(quantities, 1))
    values = {"order": locator(po), "by": BUYER, "at": AT, "source": source("850")}
    return PlaceOrder(**{**values, "lines": lines, "content_hash": content, **more})


def cancel(po: str = "4500012", by: str = BUYER, **more: Any) -> CancelOrder:
    return CancelOrder(**{"order": locator(po), "by": by, "at": AT, "source": change_source(by), **more})


def cut(line: str, quantity: str | None, po: str = "4500012", by: str = BUYER, **more: Any) -> CancelLines:
    """Cancel units of one line, or all that is open of it."""
    wanted = None if quantity is None else Decimal(quantity)
    lines = (LineCancellation(line=LineReference(number=line), quantity=wanted),)
    values = {"order": locator(po), "by": by, "at": AT, "source": change_source(by)}
    return CancelLines(**{**values, "lines": lines, **more})


def ask(line: str, quantity: str | None, po: str = "4500012", **more: Any) -> CancelLines:
    """Cancel units of one line as far as the seller agrees."""
    return cut(line, quantity, po, effect=BuyerCancel.REQUESTED, **more)


def answer(consent: Consent, po: str = "4500012", **more: Any) -> AnswerRequest:
    """The seller's word on all that was asked for."""
    values = {"order": locator(po), "by": SELLER, "at": AT, "source": source("865"), "consent": consent}
    return AnswerRequest(**{**values, **more})


def change(po: str = "4500012", *lines: LineChange, **more: Any) -> ChangeOrder:
    values = {"order": locator(po), "by": BUYER, "at": AT, "source": source("860"), "lines": lines}
    return ChangeOrder(**{**values, **more})


def raised(line: str, quantity: str) -> LineChange:
    """The line's quantity is to be this much, which is more than before."""
    where = LineReference(number=line)
    return LineChange(line=where, change=Change.INCREASE, quantity=Decimal(quantity), code="QI")


def added(line: str, quantity: str) -> LineChange:
    new = new_line(line, quantity)
    where = LineReference(number=line, ids=new.ids)
    return LineChange(line=where, change=Change.ADD, quantity=new.quantity, new=new, code="AI")


def withdraw(
    po: str = "4500012", shipment: str = "S1", file: str = "late.edi", **quantities: str
) -> WithdrawShipment:
    """The shipment did not leave, or these units of it only: withdraw(line_1="4")."""
    return WithdrawShipment(
        order=locator(po),
        by=SELLER,
        at=AT,
        source=Source(file=file, interchange="000000009", group="1", set="0001", type="856"),
        shipment_id=shipment,
        lines=shipped(**quantities),
    )


def shipped(**quantities: str) -> tuple[ShippedLine, ...]:
    return tuple(
        ShippedLine(line=LineReference(number=name.removeprefix("line_")), quantity=Decimal(quantity))
        for name, quantity in quantities.items()
    )


def ship(po: str = "4500012", shipment: str = "S1", **quantities: str) -> RecordShipment:
    """Ship units: ship(line_1="4", line_2="1")."""
    return RecordShipment(
        order=locator(po),
        by=SELLER,
        at=AT,
        source=source("856"),
        shipment_id=shipment,
        lines=shipped(**quantities),
    )


def submit(tx: Connection, *commands: Command, key: str = "", content: str = "as sent") -> Result:
    """Apply a document's commands; what it cancels or asks to cancel is told, as the audit wants it."""
    document = DocumentKey(partner=commands[0].by, kind="doc", key=key, content_hash=content) if key else None
    result = apply(tx, Submission(commands=commands, document=document))
    for event in (event for entry in result.entries for event in entry.events):
        if event.kind in CANCELLING | {EventKind.CANCELLATION_REQUESTED, EventKind.REQUEST_LAPSED}:
            outbox.enqueue(tx, mail(f"event:{event.id}:{SELLER}", order_id=event.order_id), AT)
    return result


def mail(dedupe_key: str, **more: Any) -> messages.NewMessage:
    values = {
        "kind": Kind.EMAIL,
        "partner": SELLER,
        "to": "orders@bolt.example",
        "subject": "Cancelled",
        "payload": b"Subject: Cancelled\r\n\r\nTen units.\r\n",
        "identity": f"<{dedupe_key}@hub.example>",
        "dedupe_key": dedupe_key,
    }
    return messages.NewMessage(**{**values, **more})


def upload(dedupe_key: str, **more: Any) -> messages.NewMessage:
    return mail(dedupe_key, **{"kind": Kind.ACKNOWLEDGMENT, "to": "bolt", "payload": b"ISA*997~", **more})


def order(tx: Connection, po: str = "4500012") -> OrderView:
    """The only order with this number."""
    (summary,) = find_orders(tx, po)
    found = get_order(tx, summary.id)
    assert found is not None
    return found


def figures(tx: Connection, po: str = "4500012") -> dict[str, tuple[int, int, int, int]]:
    """ordered, fulfilled, cancelled, declined by line."""
    return {
        line.line: (int(line.ordered), int(line.fulfilled), int(line.cancelled), int(line.declined))
        for line in order(tx, po).lines
    }


def requested(tx: Connection, po: str = "4500012") -> dict[str, int]:
    """Units that wait for the seller's answer, by line."""
    return {line.line: int(line.requested) for line in order(tx, po).lines if line.requested}


def interchange_key(control_number: str = "000000001") -> InterchangeKey:
    return InterchangeKey(
        partner=BUYER, sender="ZZ:ACME", receiver="ZZ:HUB", control_number=control_number, usage="P"
    )


def received(tx: Connection, content: bytes = b"ISA*~", name: bytes = b"drop.edi") -> int:
    return receipts.keep(tx, partner=BUYER, mailbox="acme", name=name, content=content, at=AT).id


def opened_interchange(
    tx: Connection, file_id: int, ordinal: int = 1, content_hash: str = "interchange", **key: str
) -> int:
    return interchanges.open_interchange(
        tx,
        interchange_key(**key),
        file_id=file_id,
        ordinal=ordinal,
        date="260304",
        time="1230",
        content_hash=content_hash,
    )


def opened_set(tx: Connection, interchange_id: int, ordinal: int = 1, **more: Any) -> int:
    values = {
        "group_control_number": "1",
        "functional_id": "PO",
        "control_number": f"{ordinal:04}",
        "type": "850",
        "content_hash": "set",
        "po_number": "4500012",
    }
    return interchanges.open_set(tx, interchange_id, NewSet(ordinal=ordinal, **{**values, **more}))


def receipt(tx: Connection, outcome: Outcome = Outcome.APPLIED, order_id: int | None = None) -> int:
    """A file with one interchange with one set, all closed; the set's id."""
    file_id = received(tx)
    interchange_id = opened_interchange(tx, file_id)
    set_id = opened_set(tx, interchange_id)
    interchanges.close_set(tx, set_id, outcome=outcome, at=AT, order_id=order_id)
    interchanges.close_interchange(tx, interchange_id, outcome=Fate.ACCEPTED, key=interchange_key())
    receipts.mark_done(tx, file_id, at=AT)
    return set_id
