"""The eighty faults: each is covered by tests that are there, or argued away in the decisions."""

import ast
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "faults.toml"
DECISIONS = ROOT / "docs" / "decisions.md"
FAULTS = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: what goes wrong, what must come of it, and where that is proven or argued."""

    number: int
    what: str
    expected: str
    tests: tuple[str, ...]  # path::test_name
    decision: str  # the bold first words of a paragraph of the decisions; "" when tests cover it all


def _faults() -> list[Fault]:
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["fault"]
    return [
        Fault(
            number=row["number"],
            what=row["what"],
            expected=row["expected"],
            tests=tuple(row.get("tests", ())),
            decision=row.get("decision", ""),
        )
        for row in rows
    ]


@cache
def _tests_of(path: str) -> frozenset[str]:
    """The names of the test functions and test classes of a module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"), path)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


def test_every_fault_has_its_row() -> None:
    assert [fault.number for fault in _faults()] == list(range(1, FAULTS + 1))


@pytest.mark.parametrize("fault", _faults(), ids=lambda fault: str(fault.number))
def test_a_fault_is_covered_or_argued_away(fault: Fault) -> None:
    assert fault.what
    assert fault.expected
    assert fault.tests or fault.decision, "neither a test nor a decision"
    for test in fault.tests:
        path, _, name = test.partition("::")
        assert name.startswith(("test_", "Test")), test
        assert name in _tests_of(path), test
    if fault.decision:
        assert f"**{fault.decision}" in " ".join(DECISIONS.read_text(encoding="utf-8").split())
