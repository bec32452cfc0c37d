"""Code tables: every code of a list has one class and words of our own."""

import pytest

from edi.codes import (
    CHANGE_CLASS,
    REPORT_CLASS,
    STATUS_CLASS,
    ChangeClass,
    ChangeType,
    LineItemStatus,
    ReportClass,
    meanings,
    words,
)

CHANGES = [
    ("DI", ChangeClass.DELETE),
    ("QD", ChangeClass.DECREASE),
    ("QI", ChangeClass.INCREASE),
    ("QC", ChangeClass.QUANTITY_CHANGE),
    ("CF", ChangeClass.CANCEL_ORDER),
    ("AI", ChangeClass.ADD),
    ("CA PQ RQ MU RZ", ChangeClass.SET),
    ("PC PR RS CT CB CC CE CG RA RB", ChangeClass.NOTE),
    ("NC", ChangeClass.CONFIRM),
    ("RC", ChangeClass.REFUSE),
    ("RE RM", ChangeClass.REPLACE),
    ("TI", ChangeClass.TRANSFER),
    ("CH CI OA OC AA", ChangeClass.IGNORE),
]


@pytest.mark.parametrize(("codes", "kind"), CHANGES)
def test_what_a_change_code_says_about_a_line(codes: str, kind: ChangeClass) -> None:
    assert {code for code, found in CHANGE_CLASS.items() if found is kind} == set(codes.split(" "))


def test_every_code_that_has_words_has_a_class() -> None:
    assert set(CHANGE_CLASS) == {one.value for one in ChangeType}
    assert set(STATUS_CLASS) == {one.value for one in LineItemStatus}


def test_only_three_order_states_cancel_and_two_are_for_a_person() -> None:
    kinds = {
        kind: sorted(code for code, found in REPORT_CLASS.items() if found is kind) for kind in ReportClass
    }
    assert kinds == {
        ReportClass.CANCEL_ITEM: ["CU", "IC"],
        ReportClass.CANCEL_ORDER: ["DE"],
        ReportClass.UNCLEAR: ["CP", "DI"],
    }
    assert set(REPORT_CLASS) < set(meanings("368"))


@pytest.mark.parametrize(
    ("element", "code", "said"),
    [
        ("353", "01", "cancellation"),
        ("670", "QD", "quantity decreased"),
        ("368", "IC", "item cancelled"),
        ("110", "TR", "transaction set rejected"),
        ("110", "IP", "item accepted in part"),
        ("110", "BH", "BH"),
        ("647", "POI", "purchase order number not valid"),
        ("723", "7", "not a valid code"),
        ("621", "7", "not a valid code"),
        ("621", "I12", "not of the pattern asked for"),
        ("723", "I12", "I12"),
        ("668", "QQ", "QQ"),
        ("9999", "A", "A"),
    ],
)
def test_words_are_ours_or_the_code_itself(element: str, code: str, said: str) -> None:
    assert words(element, code) == said


@pytest.mark.parametrize(
    ("element", "count"),
    [("110", 22), ("368", 102), ("618", 25), ("620", 14), ("621", 19), ("670", 31), ("715", 7), ("716", 25),
     ("717", 6), ("718", 23), ("720", 9), ("723", 13), ("9999", 0)],
)  # fmt: skip
def test_a_list_is_whole(element: str, count: int) -> None:
    found = meanings(element)
    assert len(found) == count
    assert all(text and text == text.strip() for text in found.values())
