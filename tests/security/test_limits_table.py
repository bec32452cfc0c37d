"""Every limit of edi/limits stands here: how it keeps n and not n + 1, or where that is tested."""

import inspect
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

import pytest

from edi import envelope, limits, values
from edi.delimiters import Delimiters, Header, find
from edi.findings import Finding, FindingCode
from edi.guide import check
from edi.numbers import read_decimal
from edi.write_envelope import echo, form_of, number
from tests.security import test_bounds
from tests.unit.edi import test_limits, test_write_997
from tests.unit.edi.build import isa, one_set, order_file
from tests.unit.edi.test_write_997 import faulty, written_with

LONG = FindingCode.ELEMENT_LONG

#: Tested at n and at n + 1 elsewhere: the module names the limit.
ELSEWHERE: dict[str, ModuleType] = {
    **dict.fromkeys(
        (
            "file_bytes_max", "interchanges_per_file_max", "delimiters_per_file_max", "groups_per_file_max",
            "sets_per_file_max", "segments_per_set_max", "segment_bytes_max", "elements_per_segment_max",
            "findings_per_file_max", "findings_per_interchange_max",
        ),
        test_limits,
    ),
    "set_findings_per_file_max": test_bounds,
    "ak4_per_ak3_max": test_write_997,
}  # fmt: skip
#: No bound: a width of the standard.
NO_BOUND = {"isa_bytes"}


def stray_texts(count: int) -> int:
    """How many of so many texts outside interchanges are shown."""
    reading = envelope.read((b"?" + order_file()) * count)
    return sum(finding.code is FindingCode.TEXT_OUTSIDE for finding in reading.findings)


def shown_of(count: int) -> int:
    (finding,) = envelope.read(b"?" * count + order_file()).findings
    return finding.message.count("?")


def faults(count: int) -> int:
    lines = [f"PO1*{line}*TEN*EA*1**VN*W" for line in range(count)]
    return len(check(one_set("850", "BEG*00*SA*1**20260301", *lines), "004010"))


def isa_of(length: int) -> Header | Finding:
    """An ISA of so many bytes to its terminator, by padding of ISA02."""
    text = isa().replace("*00*", "*00*" + " " * (length - limits.isa_bytes), 1)
    return find(text.encode("latin-1"), 0)


def control(value: int) -> bool:
    try:
        return len(number(value, 9)) == 9
    except ValueError:
        return False


def positions(position: int) -> int:
    return sum(line.startswith("AK3") for line in written_with(faulty(position=position)))


def codes(answer: str, count: int) -> int:
    """How many codes an AK5 shows of a set with so many."""
    some = [code for code in FindingCode if code.answer == answer][:count]
    lines = written_with(*[faulty(code=code) for code in some])
    return lines[-1].count("*") - 1


BAD = "B" * 200
#: limit -> what it is asked with n and with n + 1, and the two answers
HERE: dict[str, tuple[Callable[[int], object], object, object]] = {
    "isa_bytes_max": (lambda n: isinstance(isa_of(n), Header), True, False),
    "findings_outside_max": (stray_texts, 1_000, 1_000),
    "excerpt_chars_max": (shown_of, 80, 80),
    "findings_per_set_max": (faults, 100, 100),
    "quantity_integer_digits_max": (lambda n: read_decimal("9" * n), Decimal("9" * 12), LONG),
    "quantity_decimals_max": (lambda n: read_decimal("0." + "9" * n), Decimal("0." + "9" * 6), LONG),
    "number_chars_max": (lambda n: read_decimal("5".zfill(n)), Decimal(5), LONG),
    "control_number_max": (control, True, False),
    "ak3_position_max_004010": (positions, 1, 0),
    "bad_value_chars_max": (lambda n: len(echo(BAD[:n], form_of("004010"), "?")), 99, 99),
    "codes_per_ak5_max": (lambda n: codes("AK5", n), 5, 5),
    "numbers_kept_max": (lambda n: kept_decimals(n), 32_768, 1),
}
SAME_KIND = {"codes_per_ak9_max": "codes_per_ak5_max", "packs_kept_max": "numbers_kept_max"}


def kept_decimals(count: int) -> int:
    """How many number texts are remembered after so many different ones."""
    values._decimals.clear()
    reader = values.Values(one_set("850", "BEG*00*SA*1**20260301"))
    for value in range(count):
        segment = values.Segment(["PO1", "1", str(value)], 2)
        reader.decimal(segment, 2, "330")
    return len(values._decimals)


def names() -> list[str]:
    return [
        name for name, value in vars(limits).items() if isinstance(value, int) and not name.startswith("_")
    ]


def test_every_limit_has_its_entry_and_every_entry_its_limit() -> None:
    placed = [*ELSEWHERE, *HERE, *SAME_KIND, *NO_BOUND]
    assert sorted(placed) == sorted(names())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_tested_elsewhere_is_named_there(name: str) -> None:
    assert name in inspect.getsource(ELSEWHERE[name])


@pytest.mark.parametrize("name", HERE)
def test_a_limit_keeps_n_and_not_n_plus_one(name: str) -> None:
    ask, within, beyond = HERE[name]
    bound = getattr(limits, name)
    assert (ask(bound), ask(bound + 1)) == (within, beyond)


def test_an_ordinary_isa_is_read() -> None:
    found = isa_of(limits.isa_bytes)
    assert isinstance(found, Header)
    assert found.delimiters == Delimiters(element="*", component=">", terminator="~")
