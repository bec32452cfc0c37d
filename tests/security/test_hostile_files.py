"""Syntax under attack, from bytes to the ledger: what is tolerated takes effect once, all else has none."""

import time
from collections.abc import Callable

import pytest

from edi.delimiters import Delimiters
from pipeline.report import FileReport
from storage import order_lists, queries
from storage.outcomes import Outcome
from tests.unit.edi.build import HOSTILE, group, interchange, isa, transaction_set
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, file_of, order, shipment

BARS = Delimiters(element="|", component=":", terminator="\n")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_on_both_systems: None) -> House:
    return house_with(tmp_path_factory.mktemp("hub"), "")


def one(house: House, document: list[str] | None = None, **options: object) -> bytes:
    """An order of its own, from acme to globex."""
    house.numbers += 1
    number = f"{house.numbers:09d}"
    one_set = transaction_set("850", *(document or order(f"PO-{number}", 5)))
    groups = group("PO", one_set, control_number=str(house.numbers), sender="ACME", receiver="GLOBEX")
    names = {"control_number": number, "sender": "ACME", "receiver": "GLOBEX"}
    return interchange(groups, **(names | options))  # type: ignore[arg-type]


def placed(house: House) -> int:
    with house.database.reading() as tx:
        return len(order_lists.list_orders(tx, limit=10_000))


def outcomes(report: FileReport) -> list[Outcome]:
    return [found.outcome for found in report.all_sets]


@pytest.mark.parametrize("delimiters", [BARS, *HOSTILE])
def test_60_interchanges_of_one_file_may_have_other_delimiters(delimiters: Delimiters, house: House) -> None:
    before = placed(house)
    report = house.drop(one(house) + one(house, delimiters=delimiters) + one(house))
    assert outcomes(report) == [Outcome.APPLIED] * 3
    assert placed(house) == before + 3


#: what is done to the file, and whether something then lies outside its interchange that must be named
TOLERATED: dict[str, tuple[Callable[[bytes], bytes], bool]] = {
    "empty segments": (lambda data: data[:-1].replace(b"~", b"~~") + b"~", False),
    "CRLF": (lambda data: data.replace(b"~", b"~\r\n"), False),
    "LF is the terminator": (lambda data: data.replace(b"~", b"\n"), False),
    "byte order mark": (lambda data: b"\xef\xbb\xbf" + data, False),
    "blanks before": (lambda data: b" \r\n\t" + data, False),
    "NUL behind": (lambda data: data + b"\0" * 512, True),
    "end-of-file mark": (lambda data: data + b"\x1a", True),
    "text behind": (lambda data: data + b"-- end of batch --", True),
    "text before": (lambda data: b"$$ADD ID=ACME\n" + data, True),
}


@pytest.mark.parametrize("case", TOLERATED)
def test_61_65_what_is_tolerated_takes_effect_and_what_lies_outside_is_named(case: str, house: House) -> None:
    change, is_named = TOLERATED[case]
    report = house.drop(change(one(house)))
    assert outcomes(report) == [Outcome.APPLIED]
    assert [finding.code for finding in report.findings] == ["text_outside_interchange"] * is_named


def test_61_lower_case_is_no_x12(house: House) -> None:
    before = placed(house)
    assert house.drop(one(house).lower()).outcome is Outcome.FAULTY
    assert placed(house) == before


def test_65_garbage_between_interchanges_is_named_where_it_stands(house: House) -> None:
    first = one(house)
    report = house.drop(first + b"GARBAGE" + one(house) + b"MORE")
    assert outcomes(report) == [Outcome.APPLIED] * 2
    assert [finding.message.partition(":")[0] for finding in report.findings] == [
        "7 bytes stand outside ISA to IEA", "4 bytes stand outside ISA to IEA",
    ]  # fmt: skip


LARGE = {
    "a segment of 70 kB": [f"NTE**{'A' * 70_000}"],
    "a segment of 20 MB": [f"NTE**{'A' * 20_000_000}"],
    "a million segments": ["Q"] * 1_000_001,
    "a million elements": ["REF" + "*" * 1_000_000],
}


@pytest.mark.parametrize("case", LARGE)
def test_62_what_is_too_large_is_refused_soon_and_with_its_place(case: str, house: House) -> None:
    before = placed(house)
    head, *lines = order("PO-LARGE", 5)
    content = one(house, [head, *LARGE[case], *lines])
    began = time.process_time()
    report = house.drop(content)
    assert time.process_time() - began < 100
    assert outcomes(report) == [Outcome.FAULTY]
    assert "limit_exceeded" in {finding.code for found in report.all_sets for finding in found.findings}
    assert placed(house) == before


AMBIGUOUS = [
    Delimiters(element="*", component="*", terminator="~"),
    Delimiters(element="*", component="~", terminator="~"),
    Delimiters(element="~", component=">", terminator="~"),
    Delimiters(element="A", component=">", terminator="~"),
    Delimiters(element="1", component=">", terminator="~"),
    Delimiters(element="*", component=">", terminator="0"),
    Delimiters(element="\0", component=">", terminator="~"),
    Delimiters(element="\n", component=">", terminator="~"),
    Delimiters(element="*", component=">", terminator="\0"),
]


@pytest.mark.parametrize("delimiters", AMBIGUOUS, ids=repr)
def test_63_delimiters_that_are_data_or_each_other_split_nothing(
    delimiters: Delimiters, house: House
) -> None:
    before = placed(house)
    report = house.drop(one(house, delimiters=delimiters))
    assert (report.outcome, report.is_unusable) == (Outcome.FAULTY, True)
    assert placed(house) == before


COUNTS: dict[str, Callable[[bytes], bytes]] = {
    "SE01": lambda data: data.replace(b"SE*5*0002", b"SE*9*0002"),
    "SE02": lambda data: data.replace(b"SE*5*0002", b"SE*5*0009"),
    "SE missing": lambda data: data.replace(b"SE*5*0002~", b""),
    "ST02 twice": lambda data: data.replace(b"*0002~", b"*0001~"),
}


@pytest.mark.parametrize("case", COUNTS)
def test_64_a_set_with_wrong_counts_is_rejected_alone(case: str, house: House) -> None:
    house.numbers += 1
    number = house.numbers
    documents = [order(f"PO-{number}-{place}", 5) for place in (1, 2, 3)]
    content = file_of("850", *documents, number=number, sender="acme", receiver="globex")
    assert COUNTS[case](content) != content
    report = house.drop(COUNTS[case](content))
    assert outcomes(report) == [Outcome.APPLIED, Outcome.FAULTY, Outcome.APPLIED]


@pytest.mark.parametrize(
    ("old", "new"), [(b"GE*1*", b"GE*2*"), (b"IEA*1*", b"IEA*2*"), (b"IEA*1*0", b"IEA*1*9"), (b"IEA", b"IEB")]
)
def test_64_a_wrong_envelope_is_used_for_nothing(old: bytes, new: bytes, house: House) -> None:
    before = placed(house)
    assert Outcome.APPLIED not in outcomes(house.drop(one(house).replace(old, new)))
    assert placed(house) == before


QUANTITIES = (
    "1e400", "1E3", "NaN", "INF", "0x10", "1_000", "1,000", "+5", "--5", "5-", " 5", "5 5", "5.5.5", ".", "-",
    "\xb2", "\xbd", "9" * 30, "0.1234567", "\uff11\uff10".encode().decode("latin-1"),
    "\u0663".encode().decode("latin-1"),
)  # fmt: skip


@pytest.mark.parametrize("quantity", QUANTITIES, ids=ascii)
def test_66_a_quantity_is_digits_and_nothing_else(quantity: str, house: House) -> None:
    before = placed(house)
    document = ["BEG*00*SA*PO-Q**20260301", f"PO1*1*{quantity}*EA*1**{ITEM}", "CTT*1"]
    assert outcomes(house.drop(one(house, document))) == [Outcome.FAULTY]
    assert placed(house) == before


def test_66_a_negative_quantity_is_refused_and_a_point_at_the_end_is_none(house: House) -> None:
    def said(po_number: str, quantity: str) -> list[str]:
        return [f"BEG*00*SA*{po_number}**20260301", f"PO1*1*{quantity}*EA*1**{ITEM}", "CTT*1"]

    assert outcomes(house.drop(one(house, said("PO-NEG", "-5")))) == [Outcome.REFUSED]
    assert outcomes(house.drop(one(house, said("PO-TEN", "10.")))) == [Outcome.APPLIED]
    assert house.line("PO-TEN")[0] == "10"


def test_67_another_unit_is_never_converted(house: House) -> None:
    house.drop(one(house, order("PO-UNIT", 5)))
    house.numbers += 1
    cases = [segment.replace("*EA", "*CA") for segment in shipment("S-UNIT", "PO-UNIT", 5)]
    report = house.drop(file_of("856", cases, number=house.numbers, sender="globex", receiver="acme"))
    (found,) = report.all_sets
    assert [refusal.refusal.name for refusal in found.refusals] == ["UNIT_MISMATCH"]
    assert house.line("PO-UNIT") == ("5", "0", "0", "5")


@pytest.mark.parametrize(
    "day", ["00000000", "20260230", "20261301", "260301", "2026-3-1", "202603011", "2026030"]
)
def test_68_a_date_is_a_day_of_the_calendar(day: str, house: House) -> None:
    before = placed(house)
    document = [f"BEG*00*SA*PO-D**{day}", f"PO1*1*5*EA*1**{ITEM}", "CTT*1"]
    assert outcomes(house.drop(one(house, document))) == [Outcome.FAULTY]
    assert placed(house) == before


@pytest.mark.parametrize("hour", ["2460", "2400", "1260", "12", "99999999"])
def test_68_a_time_is_one_of_the_day(hour: str, house: House) -> None:
    house.numbers += 1
    document = [f"BSN*00*S-T*20260303*{hour}", *shipment("S-T", "PO-T", 5)[1:]]
    report = house.drop(file_of("856", document, number=house.numbers, sender="globex", receiver="acme"))
    assert outcomes(report) == [Outcome.FAULTY]


NAMES = {
    "utf-8": "Größe 日本".encode().decode("latin-1"),
    "latin-1": "Gr\xf6\xdfe",
    "invalid utf-8": "\xff\xfe\xc3\x28",
    "windows": "\x80\x93\x94",
}


@pytest.mark.parametrize("case", NAMES)
def test_69_bytes_beyond_ascii_are_kept_as_they_came(case: str, house: House) -> None:
    name = NAMES[case]
    number = f"PO-{case[:5]}"
    document = [f"BEG*00*SA*{number}**20260301", f"PO1*1*5*EA*1**{ITEM}", f"PID*F****{name}", "CTT*1"]
    assert outcomes(house.drop(one(house, document))) == [Outcome.APPLIED]
    with house.database.reading() as tx:
        (found,) = queries.find_orders(tx, number)
        view = queries.get_order(tx, found.id)
    assert view is not None
    assert view.lines[0].description.encode("latin-1") == name.encode("latin-1")


@pytest.mark.parametrize("encoding", ["cp037", "cp500", "utf-16", "utf-16-le", "utf-32"])
def test_69_a_file_in_another_encoding_is_no_x12(encoding: str, house: House) -> None:
    before = placed(house)
    report = house.drop(one(house).decode("latin-1").encode(encoding))
    assert (report.outcome, report.is_unusable) == (Outcome.FAULTY, True)
    assert placed(house) == before


def test_the_isa_behind_the_cases_is_good() -> None:
    assert len(isa()) == 106
