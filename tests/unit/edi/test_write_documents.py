"""855, 860, 865 and 824 as we write them: read back whole, flawless for our guide and for pyx12's walker."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi import (
    envelope,
    guide,
    read_824,
    read_855,
    read_860,
    read_865,
    write_824,
    write_855,
    write_860,
    write_865,
)
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
from edi.envelope import TransactionSet
from tests.unit.edi.outgoing import ACKNOWLEDGMENTS, ADVICE, ANSWERS, AT, CHANGES, NUMBERS, RELEASES, route
from tests.unit.edi.test_guide_oracle import pyx12_errors

Written = PurchaseOrderChange | ChangeAcknowledgment | PurchaseOrderAcknowledgment | ApplicationAdvice
WRITERS: dict[type, Callable[..., bytes]] = {
    PurchaseOrderChange: write_860.write,
    ChangeAcknowledgment: write_865.write,
    PurchaseOrderAcknowledgment: write_855.write,
    ApplicationAdvice: write_824.write,
}
READERS: dict[type, Callable[..., tuple[Any, tuple[Any, ...]]]] = {
    PurchaseOrderChange: read_860.read,
    ChangeAcknowledgment: read_865.read,
    PurchaseOrderAcknowledgment: read_855.read,
    ApplicationAdvice: read_824.read,
}
EXAMPLES = {
    f"{type(document).__name__}: {name}": document
    for table in (CHANGES, ANSWERS, ACKNOWLEDGMENTS, ADVICE)
    for name, document in table.items()
}


# --- helpers ------------------------------------------------------------------------------------------------


def write(document: Written, release: str) -> bytes:
    return WRITERS[type(document)](document, route(release), numbers=NUMBERS, at=AT)


def set_of(written: bytes, release: str) -> TransactionSet:
    """The one set of an interchange without any finding by our envelope reader and guide."""
    reading = envelope.read(written)
    (interchange,) = reading.interchanges
    (group,) = interchange.groups
    (one,) = group.sets
    assert (reading.findings, interchange.findings, group.findings, one.findings) == ((), (), (), ())
    assert guide.check(one, release) == ()
    return one


def read_back(document: Written, release: str) -> Any:
    read, findings = READERS[type(document)](set_of(write(document, release), release))
    assert findings == ()
    return placeless(read)


def placeless(value: Any) -> Any:
    """The document without its segments' positions, which a document to be written has not; TED04 stays."""
    if type(value) is tuple:
        return tuple(placeless(one) for one in value)
    names = getattr(value, "_fields", ())
    if is_dataclass(value) and not isinstance(value, AdviceError):
        names = tuple(field.name for field in fields(value))
    if not names:
        return value
    changed = {name: placeless(getattr(value, name)) for name in names}
    if "position" in changed:
        changed["position"] = 0
    return type(value)(**changed)


# --- examples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_read_back_as_they_were(name: str, release: str) -> None:
    document = EXAMPLES[name]
    read = read_back(document, release)
    for field in fields(document):
        assert getattr(read, field.name) == getattr(document, field.name), field.name


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_pyx12_accepts_the_examples(name: str, release: str) -> None:
    one = set_of(write(EXAMPLES[name], release), release)
    assert pyx12_errors(release, one.segments) == []


# --- anything ---------------------------------------------------------------------------------------------

# Our delimiters, control characters, letters of latin-1 and beyond, signs that take three characters.
HOSTILE = st.one_of(st.sampled_from("*>~^\x00\x07\r\n\x1c\x1f\x7f\x85\x9f  ABCabc019.-/"), st.characters())
# What names a thing is refused when too long: a third of the limit never is, whatever its characters become.
NAMES = {limit: st.text(HOSTILE, max_size=limit // 3) for limit in (8, 20, 22, 30, 48, 80)}
TEXT = st.text(HOSTILE, max_size=300)
DATE = st.dates(min_value=date(1800, 1, 1))
QUANTITY = st.decimals(min_value=-999_999_999, max_value=999_999_999, places=4)
MAYBE = st.none() | QUANTITY
UNIT = st.sampled_from(("", "EA", "CA", "KG", "ZZ"))
TIME = st.builds(
    time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.sampled_from((0, 250_000))
)


@st.composite
def product_ids(draw: st.DrawFn, most: int) -> tuple[ProductId, ...]:
    """Different ones, since a reader takes the same pair said twice for one."""
    ids = draw(st.lists(NAMES[48].map(lambda id: id[:12]), max_size=most))
    return tuple(ProductId("VN", f"{number}{id}" if id else "") for number, id in enumerate(ids))


PARTY = st.builds(
    Party, entity=st.sampled_from(("BY", "SE", "ST")), name=TEXT, qualifier=st.just("92"), id=NAMES[80]
)
PARTIES = st.lists(PARTY, max_size=3).map(tuple)
PACK = st.builds(Pack, units=st.integers(0, 999_999), inner=st.integers(0, 999_999))
# A place of one character has a blank beside it: 67 is AN 2/80.
STORE = st.builds(
    StoreQuantity, location=NAMES[80].map(lambda name: f"S{name}"), quantity=QUANTITY, unit=UNIT
)
SCHEDULED = st.builds(ScheduledQuantity, quantity=QUANTITY, unit=UNIT, date_qualifier=st.just("002"), on=DATE)
COMPONENT = st.builds(
    Component,
    number=NAMES[20].map(lambda name: f"1{name}"),
    relationship=st.sampled_from("IOADS"),
    quantity=MAYBE,
    unit=UNIT,
    ids=product_ids(10),
)
ACK = st.builds(
    LineAcknowledgment,
    status=st.sampled_from(("IA", "IR", "IQ", "ID", "R4")),
    quantity=MAYBE,
    unit=UNIT,
    date_qualifier=st.sampled_from(("", "067")),
    on=st.none() | DATE,
    ids=product_ids(10),
)
ACKED_LINE = st.builds(
    AcknowledgedLine,
    number=NAMES[20],
    quantity=MAYBE,
    unit=UNIT,
    price=MAYBE,
    ids=product_ids(26),
    pack=PACK,
    acknowledgments=st.lists(ACK, max_size=3).map(tuple),
    component_acknowledgments=st.just(()),
)


def changed_lines(acknowledgments: st.SearchStrategy[tuple[LineAcknowledgment, ...]]) -> Any:
    line = st.builds(
        ChangedLine,
        number=NAMES[20],
        change=st.sampled_from(("QD", "DI", "CA", "NC", "RC")),
        quantity=MAYBE,
        left_to_receive=MAYBE,
        unit=UNIT,
        price=MAYBE,
        ids=product_ids(26),
        description=TEXT,
        pack=PACK,
        stores=st.lists(STORE, max_size=12).map(tuple),
        schedule=st.lists(SCHEDULED, max_size=2).map(tuple),
        components=st.lists(COMPONENT, max_size=2).map(tuple),
        acknowledgments=acknowledgments,
    )
    return st.lists(line, max_size=3).map(tuple)


HEADING = {
    "purpose": st.sampled_from(("00", "01", "04", "05", "06")),
    "po_number": NAMES[22].map(lambda name: f"P{name}"),
    "release": NAMES[30],
    "ordered_on": st.none() | DATE,
    "seller_order_number": TEXT,
    "parties": PARTIES,
}
CHANGE = st.builds(
    PurchaseOrderChange,
    **HEADING,
    order_type=st.sampled_from(("SA", "DS")),
    change_number=NAMES[8],
    changed_on=st.none() | DATE,
    references=st.lists(st.tuples(st.just("DP"), TEXT), max_size=3).map(tuple),
    dates=st.lists(st.tuples(st.just("001"), DATE), max_size=3).map(tuple),
    lines=changed_lines(st.just(())),
)
ANSWER = st.builds(
    ChangeAcknowledgment,
    **HEADING,
    type=st.sampled_from(("", "AC", "RJ")),
    change_number=NAMES[8],
    changed_on=st.none() | DATE,
    acknowledged_on=st.none() | DATE,
    lines=changed_lines(st.lists(ACK, max_size=3).map(tuple)),
)
ACKNOWLEDGMENT = st.builds(
    PurchaseOrderAcknowledgment,
    **HEADING,
    type=st.sampled_from(("AC", "RD")),
    acknowledged_on=st.none() | DATE,
    lines=st.lists(ACKED_LINE, max_size=3).map(tuple),
)
ERROR = st.builds(
    AdviceError,
    code=st.sampled_from(("008", "POI", "ZZZ")),
    text=st.text(HOSTILE, max_size=900),
    segment=NAMES[8],
    position=st.integers(-1, 10**11),
    value=TEXT,
)
ADVISED = st.builds(
    AdvisedTransaction,
    verdict=st.sampled_from(("TR", "TA", "TP", "TE")),
    qualifier=st.sampled_from(("PO", "SI", "TN")),
    reference=TEXT,
    group_sender=NAMES[48],
    group_receiver=NAMES[48],
    group_control_number=st.sampled_from(("", "0", "17", "1234567890", "X")) | NAMES[8],
    set_control_number=NAMES[48],
    set_type=NAMES[20],
    references=st.lists(st.tuples(st.just("IA"), TEXT), max_size=14).map(tuple),
    errors=st.lists(ERROR, max_size=3).map(tuple),
)
APPLICATION_ADVICE = st.builds(
    ApplicationAdvice,
    purpose=st.just("11"),
    reference=TEXT,
    created_on=st.none() | DATE,
    created_at=st.none() | TIME,
    parties=PARTIES,
    transactions=st.lists(ADVISED, min_size=1, max_size=3).map(tuple),
)
ANYTHING = {
    "860": CHANGE, "865": ANSWER, "855": ACKNOWLEDGMENT, "824": APPLICATION_ADVICE,
}  # fmt: skip


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("set_type", ANYTHING)
def test_anything_is_written_flawlessly_and_read_back_as_it_was_cleaned(set_type: str, release: str) -> None:
    """What the cleaning leaves is said exactly: writing what was read gives the same bytes again."""

    @settings(max_examples=50, deadline=None)
    @given(ANYTHING[set_type])
    def check(document: Written) -> None:
        written = write(document, release)
        read, findings = READERS[type(document)](set_of(written, release))
        assert findings == ()
        assert write(read, release) == written
        if isinstance(document, ApplicationAdvice):
            assert len(read.transactions) == len(document.transactions)
        else:
            assert is_known_again(document.po_number, read.po_number)
            assert [line.quantity for line in read.lines] == [line.quantity for line in document.lines]

    check()


def is_known_again(name: str, said: str) -> bool:
    """Whether the letters and digits that every character set has are said, in their order."""
    left = iter(said)
    return all(one in left for one in name if one.isascii() and one.isalnum())


def test_decimals_are_as_exact_as_they_were() -> None:
    line = ChangedLine(change="CA", quantity=Decimal("1234567890.12345"), unit="EA", price=Decimal("1E-3"))
    read = read_back(replace(CHANGES["whole order"], lines=(line,)), "004010")
    assert (read.lines[0].quantity, read.lines[0].price) == (Decimal("1234567890.12345"), Decimal("0.001"))
