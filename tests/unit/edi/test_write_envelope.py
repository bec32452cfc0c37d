"""The envelope around what we send: the route out, and the way back to whoever is answered."""

from dataclasses import replace

import pytest

from edi import envelope
from edi.envelope import Address
from edi.write_envelope import Route, route_back, write_set
from tests.unit.edi import build
from tests.unit.edi.outgoing import AT, NUMBERS, route


def written(on: Route) -> list[list[str]]:
    """The segments, split at the elements."""
    data = write_set(
        on, ["AK1*PO*1", "AK9*A*1*1*1"], functional_id="FA", set_type="997", numbers=NUMBERS, at=AT
    )
    return [text.split("*") for text in data.decode("latin-1").split("~")[:-1]]


def test_the_route_is_who_and_what() -> None:
    isa, gs, st, *_, se, ge, iea = written(route("005010", "T"))
    assert isa[5:9] == ["ZZ", "HUB            ", "01", "BUYER          "]
    assert isa[11:] == ["^", "00501", "000000007", "0", "T", ">"]
    assert gs == ["GS", "FA", "HUBGS", "BUYERGS", "20260302", "1405", "8", "X", "005010"]
    assert [st, se, ge, iea] == [
        ["ST", "997", "0009"], ["SE", "4", "0009"], ["GE", "1", "8"], ["IEA", "1", "000000007"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "isa12", "gs08"),
    [
        ("004010", "00401", "004010"),
        ("004010VICS", "00401", "004010VICS"),
        ("005010UCS", "00501", "005010UCS"),
        ("004030", "00401", "004010"),
        ("005030", "00501", "005010"),
        ("", "00401", "004010"),
    ],
)
def test_versions(version: str, isa12: str, gs08: str) -> None:
    isa, gs, *_ = written(route(version))
    assert (isa[12], gs[8]) == (isa12, gs08)


def test_group_addresses_are_the_interchanges_where_not_said() -> None:
    gs = written(replace(route(), group_sender="", group_receiver="*"))[1]
    assert gs[2:4] == ["HUB", "BUYER"]


def test_addresses_cannot_break_the_envelope() -> None:
    hostile = replace(
        route(), sender=Address("Z*", "HUB~*>" + "x" * 20), group_receiver="B*Y~\x00R", usage="~"
    )
    isa, gs, *_ = written(hostile)
    assert isa[5:7] == ["Z ", "HUB   xxxxxxxxx"]
    assert (isa[15], gs[3]) == ("P", "B Y  R")


def test_the_way_back() -> None:
    delimiters = build.STAR_5010
    data = build.interchange(build.group("PO", version="005010UCS"), delimiters=delimiters, usage="T")
    (interchange,) = envelope.read(data).interchanges
    assert route_back(interchange, interchange.groups[0]) == Route(
        sender=Address("ZZ", "HUB"),
        receiver=Address("ZZ", "BUYER"),
        group_sender="HUBGS",
        group_receiver="BUYERGS",
        usage="T",
        version="005010UCS",
    )
    assert route_back(interchange) == Route(
        sender=Address("ZZ", "HUB"),
        receiver=Address("ZZ", "BUYER"),
        group_sender="",
        group_receiver="",
        usage="T",
        version="005010",
    )
