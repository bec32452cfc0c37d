"""824 as exact texts, and what becomes of a partner's values that cannot be repeated."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edi import write_824
from edi.documents import AdviceError, AdvisedTransaction, ApplicationAdvice
from edi.set_body import UnwritableError
from tests.unit.edi.outgoing import ADVICE, AT, LONG, NUMBERS, advised, route


def body(advice: ApplicationAdvice, version: str = "004010", at: datetime = AT) -> list[str]:
    """BGN to the last segment before SE."""
    return write_824.write(advice, route(version), numbers=NUMBERS, at=at).decode("latin-1").split("~")[3:-4]


def told(**said: object) -> str:
    """The TED of one error."""
    error = AdviceError(**{"code": "008", **said})  # type: ignore[arg-type]
    return body(replace(ADVICE["refused"], parties=(), transactions=(advised("TR", error),)))[2]


def identified(**said: object) -> str:
    """The OTI of one transaction."""
    transaction = replace(advised("TR"), **said)  # type: ignore[arg-type]
    return body(replace(ADVICE["refused"], parties=(), transactions=(transaction,)))[1]


def test_the_whole_interchange() -> None:
    assert write_824.write(ADVICE["refused"], route(), numbers=NUMBERS, at=AT).decode("latin-1") == (
        "ISA*00*          *00*          *ZZ*HUB            *01*BUYER          "
        "*260302*1405*U*00401*000000007*0*P*>~"
        "GS*AG*HUBGS*BUYERGS*20260302*1405*8*X*004010~ST*824*0009~"
        "BGN*11*7-1*20260302*1405~N1*BY*A BUYER*92*0042~N1*SE*A SELLER~"
        "OTI*TR*PO*4500012*BUYERGS*HUBGS***17*0004*860~"
        "TED*008*Line 2 of order 4500012 cannot be cancelled: 40 of 100*POC*4***50~"
        "NTE*ADD*pieces were shipped on 2026-03-01 with notice SHIP-1, and what has been shipped~"
        "NTE*ADD*cannot be cancelled. The other 60 pieces were cancelled.~"
        "SE*9*0009~GE*1*8~IEA*1*000000007~"
    )


def test_several_transactions() -> None:
    assert body(ADVICE["several"], "005010") == [
        "BGN*11*7-2*20260302*14055925",
        "OTI*TA*PO*4500012*BUYERGS*HUBGS***17*0004*860",
        "OTI*TP*SI*SHIP-1",
        "REF*PO*4500012",
        "REF*IA*123456",
        "TED*Q",
        "TED*NAU*Not your order.",
    ]


def test_no_word_of_a_long_text_is_lost() -> None:
    lines = body(ADVICE["refused"])
    texts = [line.split("*")[2] for line in lines if line.startswith(("TED", "NTE"))]
    assert " ".join(texts) == LONG
    assert [len(text) <= most for text, most in zip(texts, (60, 80, 80), strict=True)] == [True] * 3


def test_no_more_than_a_hundred_notes() -> None:
    lines = body(
        replace(ADVICE["refused"], transactions=(advised("TR", AdviceError(code="008", text="X" * 9_000)),))
    )
    assert [line.partition("*")[0] for line in lines].count("NTE") == 100


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"text": "A*B~C>D\r\nE"}, "TED*008*A B C D E"),
        ({"text": "\u0141\xf3d\u017a"}, "TED*008*Lodz"),
        ({"segment": "PO1", "position": 999_999}, "TED*008**PO1*999999"),
        ({"segment": "PO1", "position": 1_000_000}, "TED*008**PO1"),
        ({"segment": "X", "position": -1}, "TED*008"),
        ({"segment": "TOOLONG", "position": 3}, "TED*008***3"),
        ({"value": "v" * 120}, f"TED*008******{'v' * 99}"),
    ],
)
def test_errors(said: dict[str, object], expected: str) -> None:
    assert told(**said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "OTI*TR*PO*4500012*BUYERGS*HUBGS***17*0004*860"),
        ({"reference": "45*12"}, "OTI*TR*PO*45 12*BUYERGS*HUBGS***17*0004*860"),
        ({"reference": "x" * 40}, f"OTI*TR*PO*{'x' * 30}*BUYERGS*HUBGS***17*0004*860"),
        ({"reference": ""}, "OTI*TR*PO*0*BUYERGS*HUBGS***17*0004*860"),
        ({"reference": "*"}, "OTI*TR*PO*0*BUYERGS*HUBGS***17*0004*860"),
        ({"group_sender": "X", "group_receiver": "y" * 16}, "OTI*TR*PO*4500012*****17*0004*860"),
        ({"group_control_number": "A1"}, "OTI*TR*PO*4500012*BUYERGS*HUBGS*****860"),
        ({"group_control_number": ""}, "OTI*TR*PO*4500012*BUYERGS*HUBGS*****860"),
        ({"set_control_number": "123"}, "OTI*TR*PO*4500012*BUYERGS*HUBGS***17**860"),
        ({"set_control_number": "1234567890"}, "OTI*TR*PO*4500012*BUYERGS*HUBGS***17**860"),
        ({"set_type": "86"}, "OTI*TR*PO*4500012*BUYERGS*HUBGS***17*0004"),
    ],
)
def test_transactions(said: dict[str, object], expected: str) -> None:
    assert identified(**said) == expected


def test_no_more_than_twelve_references() -> None:
    transaction = replace(advised("TR"), references=tuple(("IA", str(n)) for n in range(20)))
    lines = body(replace(ADVICE["refused"], transactions=(transaction,)))
    assert [line for line in lines if line.startswith("REF")] == [f"REF*IA*{n}" for n in range(12)]


def test_without_a_date_it_is_that_of_writing_in_utc() -> None:
    late = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    advice = replace(ADVICE["several"], created_on=None, created_at=None, reference="")
    assert body(advice, at=late)[0] == "BGN*11*0*20260303"


def test_a_code_of_a_later_release_is_our_own_mistake() -> None:
    advice = replace(ADVICE["refused"], transactions=(advised("TR", AdviceError(code="141")),))
    with pytest.raises(UnwritableError, match=r'TED01 .*: "141" is no code of 004010'):
        body(advice)
    assert body(advice, "005010")[-1] == "TED*141"


def test_advice_about_nothing_is_our_own_mistake() -> None:
    with pytest.raises(UnwritableError, match="OTI"):
        body(replace(ADVICE["refused"], transactions=()))


def test_an_unknown_verdict_is_our_own_mistake() -> None:
    transaction = AdvisedTransaction(verdict="ZZ", qualifier="PO", reference="1")
    with pytest.raises(UnwritableError, match="OTI01"):
        body(replace(ADVICE["refused"], transactions=(transaction,)))
