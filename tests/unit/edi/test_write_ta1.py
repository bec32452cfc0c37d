"""The TA1 we write: exact texts, read back by our envelope, and walked through pyx12's own map."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from edi import envelope, write_ta1
from edi.delimiters import Delimiters
from edi.envelope import Interchange
from edi.findings import Finding, FindingCode, Level
from edi.write_envelope import ControlNumbers
from tests.unit.edi import build
from tests.unit.edi.test_write_997 import ISA_4010, ISA_5010, pyx12_errors

NUMBERS = ControlNumbers(interchange=7, group=0, set=0)
AT = datetime(2026, 3, 2, 14, 5, 59, tzinfo=UTC)
CONTROL = "000000001*260301*1200"


def received(data: bytes) -> Interchange:
    (interchange,) = envelope.read(data).interchanges
    return interchange


def write(data: bytes, **more: Any) -> str:
    """The TA1 segment; the interchange around it must be flawless.

    pyx12's map is a 997's: without a group it misses one, and nothing else may it find.
    """
    written = write_ta1.write(received(data), numbers=NUMBERS, at=AT, **more)
    reading = envelope.read(written)
    (interchange,) = reading.interchanges
    assert (reading.findings, interchange.findings, interchange.groups) == ((), (), ())
    text = written.decode("latin-1")
    assert interchange.ta1 == (text.split("~")[1],)
    assert [error for error in pyx12_errors(text) if "(GS_LOOP) missing" not in error] == []
    return interchange.ta1[0]


def of(code: Any) -> Finding:
    return Finding(code=code, message="")


def test_the_whole_interchange() -> None:
    written = write_ta1.write(received(build.order_file()), numbers=NUMBERS, at=AT)
    assert written.decode("latin-1") == f"{ISA_4010}~TA1*{CONTROL}*A*000~IEA*0*000000007~"


def test_005010() -> None:
    written = write_ta1.write(received(build.order_file(delimiters=build.STAR_5010)), numbers=NUMBERS, at=AT)
    assert written.decode("latin-1") == f"{ISA_5010}~TA1*{CONTROL}*A*000~IEA*0*000000007~"


ORDER = build.order_file()


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (ORDER, "A*000"),
        (ORDER.replace(b"IEA*1*", b"IEA*2*"), "R*021"),
        (ORDER.replace(b"IEA*1*000000001", b"IEA*1*000000002"), "R*001"),
        (ORDER.replace(b"IEA*1*000000001", b"IEA*2*000000002"), "R*021"),
        (ORDER.replace(b"IEA*1*000000001~", b""), "R*023"),
        (ORDER.replace(b"~GE*", b"~GE*1*1~GE*", 1).replace(b"~IEA", b"~XYZ*1~IEA"), "R*024"),
    ],
)
def test_findings_of_the_interchange(data: bytes, answer: str) -> None:
    assert write(data) == f"TA1*{CONTROL}*{answer}"


WARNING = SimpleNamespace(level=Level.WARNING, answer="TA1", x12="020")  # there is no such code yet


@pytest.mark.parametrize(
    ("codes", "answer"),
    [
        ((), "A*000"),
        ((FindingCode.INTERCHANGE_CONFLICT,), "R*025"),
        ((FindingCode.SENDER_UNKNOWN, FindingCode.RECEIVER_UNKNOWN), "R*006"),
        ((FindingCode.RECEIVER_UNKNOWN, FindingCode.SENDER_UNKNOWN), "R*009"),
        ((WARNING,), "E*020"),
        ((WARNING, FindingCode.IEA_COUNT), "R*021"),
        ((FindingCode.USAGE_MISMATCH,), "A*000"),
        ((FindingCode.USAGE_MISMATCH, WARNING), "E*020"),
        ((FindingCode.TRAILING_EMPTY,), "A*000"),
        ((FindingCode.SENDER_FOREIGN,), "R*024"),
        ((FindingCode.SENDER_FOREIGN, FindingCode.ISA_VERSION), "R*017"),
    ],
)
def test_findings_given(codes: tuple[Any, ...], answer: str) -> None:
    assert write(ORDER, findings=[of(code) for code in codes]) == f"TA1*{CONTROL}*{answer}"


def test_given_findings_take_the_place_of_the_interchanges() -> None:
    assert write(ORDER.replace(b"IEA*1*", b"IEA*2*"), findings=()) == f"TA1*{CONTROL}*A*000"


@pytest.mark.parametrize("code", [code for code in FindingCode if code.answer == "TA1"])
def test_every_note_makes_a_valid_answer(code: FindingCode) -> None:
    assert write(ORDER, findings=[of(code)]) == f"TA1*{CONTROL}*R*{code.x12}"


@pytest.mark.parametrize("delimiters", build.HOSTILE)
def test_their_delimiters_do_not_matter(delimiters: Delimiters) -> None:
    assert write(build.order_file(delimiters=delimiters)) == f"TA1*{CONTROL}*A*000"


@pytest.mark.parametrize("at", [AT.astimezone(timezone(timedelta(hours=13))), AT.replace(tzinfo=None)])
def test_time_is_utc(at: datetime) -> None:
    interchange = received(ORDER)
    expected = write_ta1.write(interchange, numbers=NUMBERS, at=AT)
    assert write_ta1.write(interchange, numbers=NUMBERS, at=at) == expected


def test_an_unreadable_isa_is_answered_all_the_same() -> None:
    """Padding lost, ISA13 no number, our delimiters in what is echoed: still 106 bytes of ISA, and a TA1."""
    header = "ISA|00||00||ZZ|BU*YER|ZZ|HUB|260301|12~0|U|00401|12A|0||:\n"
    bars = Delimiters(element="|", component=":", terminator="\n")
    data = build.interchange(header=header, delimiters=bars)
    written = write_ta1.write(received(data), numbers=NUMBERS, at=AT)
    text = written.decode("latin-1")
    assert text.split("~") == [
        ISA_4010.replace("BUYER ", "BU YER"), "TA1*12A*260301*12 0*R*022", "IEA*0*000000007", "",
    ]  # fmt: skip
    assert text.index("~") == 105


def test_empty_control_elements_are_filled() -> None:
    interchange = replace(received(ORDER), control_number="", date="", time="")
    written = write_ta1.write(interchange, numbers=NUMBERS, at=AT)
    assert b"~TA1*000000000*000000*0000*A*000~" in written
