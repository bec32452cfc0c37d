"""Short documents to map, written as segments, and the commands that come of them, written as sentences."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from edi import read_850, read_855, read_856, read_860, read_865
from edi.documents import Document, ItemStatus, OrderStatusReport, ReportedLine, ReportedOrder
from edi.envelope import TransactionSet
from edi.findings import Finding
from pipeline.mapping import Origin
from pipeline.partners import Directory, Partner, PartnerAddress, Role
from pipeline.policy import Policy
from storage import commands as c
from storage.outcomes import Given
from tests.unit.edi.build import one_set

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_READERS: Mapping[str, Callable[[TransactionSet], tuple[Document | None, tuple[Finding, ...]]]] = {
    "850": read_850.read,
    "855": read_855.read,
    "856": read_856.read,
    "860": read_860.read,
    "865": read_865.read,
}


def partner(id: str, role: Role, policy: Policy | None = None) -> Partner:
    name = id.upper()
    address = PartnerAddress("ZZ", name)
    return Partner(id=id, name=id.title(), role=role, isa=(address,), gs=(name,), policy=policy or Policy())


def origin(
    kind: str,
    policy: Policy | None = None,
    *,
    resolution: str = "",
    to_hub: bool = False,
    other: Policy | None = None,
    default_counterparty: str = "",
) -> Origin:
    """Acme buys and Globex sells; `policy` is the sender's, `other` the other side's."""
    buys = kind in ("850", "860")
    acme = replace(
        partner("acme", Role.BUYER, policy if buys else other), default_counterparty=default_counterparty
    )
    globex = partner("globex", Role.SELLER, other if buys else policy)
    sender, receiver = (acme, globex) if buys else (globex, acme)
    return Origin(
        sender=sender,
        receiver=None if to_hub else receiver,
        source=c.Source(file="a.edi", interchange="1", group="1", set="0001", type=kind),
        at=AT,
        content_hash="hash",
        directory=Directory((acme, globex, partner("initech", Role.SELLER))),
        issued_at=AT,
        answers=tuple(Given(choice=name) for name in filter(None, resolution.split(","))),
    )


def document(kind: str, text: str) -> Document:
    """The document of some segments, "/" between them; ">" stands between components."""
    segments = [segment.strip() for segment in text.split("/")]
    if kind in _READERS:
        found, findings = _READERS[kind](one_set(kind, *segments))
        assert found is not None, findings
        return found
    rows = [segment.split("*") for segment in segments]
    return OrderStatusReport(report="3", items="PP", reference="R-1", orders=tuple(_reported(rows)))


def _reported(rows: list[list[str]]) -> Iterator[ReportedOrder]:
    """PRF begins an order, PO1 a line; ISR*code*quantity*unit*qualifier is a status with its QTY."""
    number = ""
    lines: list[tuple[list[str], list[ItemStatus]]] = []
    statuses: list[ItemStatus] = []
    for row in [*rows, ["PRF", ""]]:
        row = row + [""] * 4
        status = ItemStatus(
            code=row[1], quantity=_number(row[2]), unit=row[3], quantity_qualifier=row[4] or "01"
        )
        if row[0] == "PRF":
            if number:
                yield ReportedOrder(po_number=number, statuses=tuple(statuses), lines=tuple(_lines_of(lines)))
            number, lines, statuses = row[1], [], []
        elif row[0] == "PO1":
            lines.append((row, []))
        elif lines:
            lines[-1][1].append(status)
        else:
            statuses.append(status)


def _lines_of(lines: list[tuple[list[str], list[ItemStatus]]]) -> Iterator[ReportedLine]:
    for row, statuses in lines:
        yield ReportedLine(number=row[1], quantity=_number(row[2]), unit=row[3], statuses=tuple(statuses))


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
