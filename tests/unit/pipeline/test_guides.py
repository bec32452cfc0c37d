"""Companion guides on the way of a document: whose guide counts, and what its faults become."""

from pathlib import Path

import pytest

from pipeline.check import check_file
from pipeline.errors import OperatorError
from pipeline.guides import check_guides, guides_at
from pipeline.settings import load
from storage.database import Database
from storage.outcomes import Outcome
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import file_of, order, write_settings

GUIDE = """<?xml version="1.0" encoding="utf-8"?>
<guide partner="Acme Stores" set="{set}" release="004010">
  <segment path="{segment}"><element position="2" codes="{codes}"/></segment>
</guide>
"""


def guide(folder: Path, name: str, *, set: str, segment: str, codes: str) -> Path:
    path = folder / name
    path.write_text(GUIDE.format(set=set, segment=segment, codes=codes), encoding="utf-8")
    return path


def house(folder: Path, *names: str) -> House:
    """A hub where Acme has these guides."""
    listed = ", ".join(f'"{name}"' for name in names)
    path = write_settings(folder)
    text = path.read_text(encoding="utf-8").replace('id = "acme"\n', f'id = "acme"\nguides = [{listed}]\n')
    path.write_text(text, encoding="utf-8")
    settings = load(path, {})
    return House(settings, Database(settings.database.url))


def test_a_buyers_own_order_is_held_against_its_guide(tmp_path: Path, both_systems: None) -> None:
    guide(tmp_path, "850.xml", set="850", segment="BEG", codes="NE")
    hub = house(tmp_path, "850.xml")
    assert check_guides(hub.settings) == 1
    report = hub.buyer(order("PO-1", 5))
    assert report.outcome is Outcome.FAULTY
    assert report.findings[0].message.startswith("By the guide of Acme Stores, ")
    (answer,) = hub.answers("997")
    assert answer[3:6] == ["AK3*BEG*2**8", "AK4*2*92*7*SA", "AK5*R*5"]


def test_a_seller_is_held_to_the_guide_of_the_buyer_it_answers(tmp_path: Path, both_systems: None) -> None:
    guide(tmp_path, "855.xml", set="855", segment="BAK", codes="AC AD")
    hub = house(tmp_path, "855.xml")
    hub.buyer(order("PO-1", 5))
    rejection = ["BAK*00*RJ*PO-1*20260302", "CTT*0"]
    assert hub.seller("855", rejection).outcome is Outcome.FAULTY
    hub.say("850", order("PO-2", 5), sender="bolt", receiver="globex")
    other = ["BAK*00*RJ*PO-2*20260302", "CTT*0"]
    assert hub.say("855", other, sender="globex", receiver="bolt").outcome is Outcome.APPLIED


def test_a_guide_that_cannot_be_used_is_named_before_anything_is_received(tmp_path: Path) -> None:
    guide(tmp_path, "850.xml", set="850", segment="BEG", codes="QQ")
    with pytest.raises(OperatorError, match=r"850\.xml:3: .*QQ"):
        check_guides(house(tmp_path, "850.xml").settings)
    with pytest.raises(OperatorError, match=r"missing\.xml"):
        guides_at([tmp_path / "missing.xml"])


def test_a_file_can_be_checked_against_a_guide(tmp_path: Path) -> None:
    path = guide(tmp_path, "850.xml", set="850", segment="BEG", codes="NE")
    content = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    assert not check_file("a.edi", content).is_faulty
    assert check_file("a.edi", content, guides_at([path])).is_faulty
