"""The documents we write, as examples for tests: whole and part refusals, changes, long texts."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from edi.documents import (
    AcknowledgedLine,
    AdviceError,
    AdvisedTransaction,
    ApplicationAdvice,
    ChangeAcknowledgment,
    ChangedLine,
    Component,
    LineAcknowledgment,
    Pack,
    Party,
    ProductId,
    PurchaseOrderAcknowledgment,
    PurchaseOrderChange,
    ScheduledQuantity,
    StoreQuantity,
)
from edi.envelope import Address
from edi.write_envelope import ControlNumbers, Route

NUMBERS = ControlNumbers(interchange=7, group=8, set=9)
AT = datetime(2026, 3, 2, 14, 5, 59, tzinfo=UTC)
TODAY, ORDERED = date(2026, 3, 2), date(2026, 2, 20)
RELEASES = ("004010", "005010")


def route(version: str = "004010", usage: str = "P") -> Route:
    """From the hub to a buyer."""
    return Route(
        sender=Address("ZZ", "HUB"),
        receiver=Address("01", "BUYER"),
        group_sender="HUBGS",
        group_receiver="BUYERGS",
        usage=usage,
        version=version,
    )


IDS = (ProductId("UP", "012345678905"), ProductId("VN", "W-1"))
PARTIES = (
    Party(entity="BY", name="A BUYER", qualifier="92", id="0042"),
    Party(entity="SE", name="A SELLER"),
)
STORES = tuple(
    StoreQuantity(location=f"{store:04d}", quantity=Decimal(1), unit="EA") for store in range(1, 13)
)
LONG = (
    "Line 2 of order 4500012 cannot be cancelled: 40 of 100 pieces were shipped on 2026-03-01 with notice "
    "SHIP-1, and what has been shipped cannot be cancelled. The other 60 pieces were cancelled."
)


def acknowledged(status: str, quantity: int | None = None, unit: str = "EA") -> LineAcknowledgment:
    amount = None if quantity is None else Decimal(quantity)
    return LineAcknowledgment(status=status, quantity=amount, unit="" if amount is None else unit)


DECREASED = ChangedLine(
    number="1",
    change="QD",
    quantity=Decimal(60),
    left_to_receive=Decimal(20),
    unit="EA",
    price=Decimal("12.50"),
    ids=IDS,
)
DELETED = ChangedLine(number="0002", change="DI", ids=(ProductId("IN", "59123"),))
FULL_LINE = ChangedLine(
    number="3",
    change="CA",
    quantity=Decimal(12),
    left_to_receive=Decimal(12),
    unit="CA",
    price=Decimal("0.333"),
    ids=IDS,
    description="A BLUE WIDGET " * 10 + "AND NO MORE",
    pack=Pack(units=6, inner=2),
    stores=STORES,
    schedule=(ScheduledQuantity(quantity=Decimal(12), unit="CA", date_qualifier="002", on=date(2026, 4, 1)),),
    components=(
        Component(number="1", relationship="I", quantity=Decimal("0.5"), unit="EA", ids=IDS[:1]),
        Component(number="2", relationship="O"),
    ),
)

CHANGES = {
    "whole order": PurchaseOrderChange(
        purpose="01", order_type="SA", po_number="4500012", ordered_on=ORDERED, changed_on=TODAY
    ),
    "part of two lines": PurchaseOrderChange(
        purpose="04",
        order_type="SA",
        po_number="4500012",
        release="001",
        change_number="2",
        ordered_on=ORDERED,
        seller_order_number="SO-77",
        changed_on=TODAY,
        parties=PARTIES,
        lines=(DECREASED, DELETED),
    ),
    "everything": PurchaseOrderChange(
        purpose="04",
        order_type="DS",
        po_number="0000000000000004500012",
        ordered_on=ORDERED,
        parties=PARTIES,
        references=(("DP", "0913"), ("IA", "123456")),
        dates=(("001", date(2026, 4, 1)), ("010", date(2026, 3, 20))),
        lines=(DECREASED, DELETED, FULL_LINE),
    ),
}
ANSWERS = {
    "yes to all": ChangeAcknowledgment(
        purpose="11", type="AT", po_number="4500012", ordered_on=ORDERED, acknowledged_on=TODAY
    ),
    "no to all": ChangeAcknowledgment(
        purpose="11",
        type="RJ",
        po_number="4500012",
        change_number="2",
        ordered_on=ORDERED,
        acknowledged_on=TODAY,
        changed_on=TODAY,
    ),
    "part refused": ChangeAcknowledgment(
        purpose="11",
        type="AC",
        po_number="4500012",
        release="001",
        change_number="2",
        ordered_on=ORDERED,
        seller_order_number="SO-77",
        acknowledged_on=TODAY,
        parties=PARTIES,
        lines=(
            ChangedLine(
                number="1",
                change="DI",
                quantity=Decimal(0),
                left_to_receive=Decimal(0),
                unit="EA",
                ids=IDS,
                acknowledgments=(acknowledged("ID", 60),),
            ),
            ChangedLine(
                number="2",
                change="RC",
                quantity=Decimal(100),
                left_to_receive=Decimal(60),
                unit="EA",
                acknowledgments=(acknowledged("IR", 50),),
            ),
        ),
    ),
}
ACKNOWLEDGMENTS = {
    "whole order refused": PurchaseOrderAcknowledgment(
        purpose="00", type="RJ", po_number="4500012", ordered_on=ORDERED, acknowledged_on=TODAY
    ),
    "split lines": PurchaseOrderAcknowledgment(
        purpose="00",
        type="AC",
        po_number="4500012",
        ordered_on=ORDERED,
        release="001",
        seller_order_number="SO-77",
        acknowledged_on=TODAY,
        parties=PARTIES,
        lines=(
            AcknowledgedLine(
                number="1",
                quantity=Decimal(90),
                unit="EA",
                price=Decimal("9.95"),
                ids=IDS,
                pack=Pack(units=6),
                acknowledgments=(
                    LineAcknowledgment(
                        status="IA",
                        quantity=Decimal(88),
                        unit="EA",
                        date_qualifier="067",
                        on=date(2026, 4, 1),
                        ids=IDS,
                    ),
                    acknowledged("IB", 1),
                    acknowledged("IR", 1),
                ),
            ),
            AcknowledgedLine(ids=IDS[1:], acknowledgments=(acknowledged("ID"),)),
        ),
    ),
}


def advised(verdict: str, *errors: AdviceError) -> AdvisedTransaction:
    return AdvisedTransaction(
        verdict=verdict,
        qualifier="PO",
        reference="4500012",
        group_sender="BUYERGS",
        group_receiver="HUBGS",
        group_control_number="17",
        set_control_number="0004",
        set_type="860",
        errors=errors,
    )


ADVICE = {
    "refused": ApplicationAdvice(
        purpose="11",
        reference="7-1",
        created_on=TODAY,
        created_at=time(14, 5),
        parties=PARTIES,
        transactions=(
            advised("TR", AdviceError(code="008", text=LONG, segment="POC", position=4, value="50")),
        ),
    ),
    "several": ApplicationAdvice(
        purpose="11",
        reference="7-2",
        created_on=TODAY,
        created_at=time(14, 5, 59, 250_000),
        transactions=(
            advised("TA"),
            AdvisedTransaction(
                verdict="TP",
                qualifier="SI",
                reference="SHIP-1",
                references=(("PO", "4500012"), ("IA", "123456")),
                errors=(AdviceError(code="Q"), AdviceError(code="NAU", text="Not your order.")),
            ),
        ),
    ),
}
