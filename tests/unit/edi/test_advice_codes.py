"""TED01 by situation and release: the table of spec 1.7, and each code is one its release has."""

import pytest

from edi.advice_codes import Situation, advice_code
from edi.guide import guide_for

TABLE = """
ORDER_UNKNOWN            POI  POI
ORDER_CANCELLED          012  141
ORDER_COMPLETE           012  138
DUPLICATE_ORDER          006  111
DUPLICATE_SHIPMENT       006  119
LINE_UNKNOWN             Q    133
QUANTITY_OUT_OF_RANGE    008  008
QUANTITY_NEGATIVE        008  109
QUANTITY_ZERO            008  131
UNIT_MISMATCH            H    H
PURPOSE_NOT_ALLOWED      T    T
ACTION_NOT_ALLOWED       V    V
LOCATION_NOT_ON_ORDER    MA   108
NOT_AUTHORISED           NAU  NAU
CONTRADICTORY            012  012
OTHER                    024  024
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("name", "in_004010", "in_005010"), ROWS)
def test_codes(name: str, in_004010: str, in_005010: str) -> None:
    situation = Situation[name]
    assert advice_code(situation, "004010") == in_004010
    assert advice_code(situation, "005010") == in_005010
    assert advice_code(situation, "003040") == in_004010
    assert advice_code(situation, "005030") == in_005010


def test_the_table_names_every_situation() -> None:
    assert [row[0] for row in ROWS] == [situation.name for situation in Situation]


@pytest.mark.parametrize("release", ["004010", "005010"])
def test_each_code_is_in_its_releases_list(release: str) -> None:
    guide = guide_for(release, "824")
    assert guide is not None
    (codes,) = {place.segment.elements[0].codes for place in guide.grammar.places if place.tag == "TED"}
    assert {advice_code(situation, release) for situation in Situation} <= codes


def test_the_telling_codes_came_after_004010() -> None:
    guide = guide_for("004010", "824")
    assert guide is not None
    (codes,) = {place.segment.elements[0].codes for place in guide.grammar.places if place.tag == "TED"}
    assert not codes & {"141", "138", "111", "119", "133", "109", "131", "108"}
