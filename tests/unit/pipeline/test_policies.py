"""The page about policies names every switch with its default, and its examples are true."""

import re
from enum import Enum
from pathlib import Path

import pytest

from pipeline.policy import PURPOSES_READ, Aliases, Policy
from tests.unit.pipeline.mapping_words import Case, cases

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES = cases("\n\n".join(re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)))
ROWS = dict(re.findall(r"^\| \[(\w+)\]\(#\w+\) \| (.*) \| [^|]+ \|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("case", EXAMPLES, ids=str)
def test_an_example_is_true(case: Case) -> None:
    assert case.outcome() == case.expected


def test_every_switch_has_its_place() -> None:
    switches = list(Policy.__dataclass_fields__)
    assert list(ROWS) == switches
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == switches


@pytest.mark.parametrize("switch", Policy.__dataclass_fields__)
def test_its_row_names_every_value_and_the_default(switch: str) -> None:
    values, default = ROWS[switch].split(" | ")
    usual = getattr(Policy(), switch)
    if isinstance(usual, Enum):
        assert values == ", ".join(choice.value for choice in type(usual))
        assert default == usual.value
    elif isinstance(usual, Aliases | tuple):
        assert default == "none"
    else:
        assert default == str(usual).lower()


def test_whatever_changes_how_a_document_is_read_is_shown_on_one() -> None:
    shown = " ".join(case.given for case in EXAMPLES)
    start, end = (list(ROWS).index(name) for name in ("buyer_cancel", "qualifier_aliases"))
    assert [switch for switch in list(ROWS)[start:end] if switch not in shown] == []


DOCUMENTS = {
    "850": "BEG*{}*SA*PO-1**20260301 / PO1*1*5*EA",
    "855": "BAK*{}*AC*PO-1*20260301 / PO1*1*5*EA / ACK*IA",
    "856": "BSN*{}*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**5*EA",
    "860": "BCH*{}*SA*PO-1 / POC*1*DI",
    "865": "BCA*{}*AC*PO-1 / POC*1*DI",
}


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in PURPOSES_READ.items() for code in codes]
)
def test_what_a_purpose_may_be_made_to_mean_is_read_by_rule(kind: str, code: str) -> None:
    case = Case("", kind, DOCUMENTS[kind].format(code), 'asn_withdraw = "reopen"', "", "")
    assert not case.outcome().startswith(("held", "refused purpose"))
