"""Quantities and moments come back as they were put in, or are refused."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from storage.database.columns import Instant, Quantity
from storage.quantities import plain
from tests.unit.storage.build import AT

DIALECT = sqlite.dialect()
STORABLE = st.integers(-(10**18) + 1, 10**18 - 1).map(lambda n: Decimal(n).scaleb(-6))


@given(STORABLE)
def test_a_quantity_comes_back_exactly_and_plainly(quantity: Decimal) -> None:
    stored = Quantity().process_bind_param(quantity, DIALECT)
    assert isinstance(stored, int)
    assert abs(stored) < 2**63
    back = Quantity().process_result_value(stored, DIALECT)
    assert back == quantity
    assert str(back) == plain(quantity)


@pytest.mark.parametrize(
    "text",
    [
        "1000000000000",
        "-1000000000000",
        "0.0000001",
        "123456789012.0000000000000000001",
        "NaN",
        "Infinity",
        "1E+30",
    ],
)
def test_a_quantity_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        Quantity().process_bind_param(Decimal(text), DIALECT)


@pytest.mark.parametrize("text", ["999999999999.999999", "0.000001", "1E+2", "60.0"])
def test_a_quantity_at_the_bound_is_kept(text: str) -> None:
    stored = Quantity().process_bind_param(Decimal(text), DIALECT)
    assert stored == int(Decimal(text) * 1_000_000)


@pytest.mark.parametrize("value", [1, 1.5, "1"])
def test_only_decimals_are_quantities(value: object) -> None:
    with pytest.raises(TypeError, match="must be a Decimal"):
        Quantity().process_bind_param(value, DIALECT)  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        Instant().process_bind_param(datetime(2026, 3, 4, 12, 30), DIALECT)  # noqa: DTZ001


def test_a_time_of_another_zone_becomes_utc() -> None:
    abroad = AT.astimezone(timezone(timedelta(hours=-5)))
    stored = Instant().process_bind_param(abroad, DIALECT)
    assert stored is not None
    assert stored.isoformat() == "2026-03-04T12:30:00+00:00"
    assert Instant().process_result_value(stored.replace(tzinfo=None), DIALECT) == AT
