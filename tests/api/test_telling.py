"""Who is told of what the API changes, and how: as of a document, and as of staff."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edi.codes import REPORT_CLASS, STATUS_CLASS, StatusClass
from pipeline.cli import run
from pipeline.contents import text_of
from pipeline.reasons import CancelReason, named_reason, reason_said
from storage.commands import Reason
from tests.api.site import BUYER, SELLER, Site, served
from tests.unit.pipeline.ledger_files import write_settings


@pytest.fixture(params=["edi", "both"])
def told_by_x12(request: pytest.FixtureRequest, tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A site whose partners are told by X12, or by X12 and e-mail."""
    with served(tmp_path, policy=f'tell = "{request.param}"', mailboxes=True) as made:
        yield made


def test_a_seller_is_told_by_an_860_and_a_buyer_by_an_865_with_the_reason(told_by_x12: Site) -> None:
    site = told_by_x12
    order_id, acme, globex = site.place("PO-1", 10, 4), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    globex.post(f"{SELLER}/{order_id}/lines/2/cancel", json={"reason": "out_of_stock"})
    globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"reason": "out_of_stock", "quantity": 1})
    (change,) = site.house.answers("860")
    assert any(segment.startswith("POC*1*QD*6*6*EA") for segment in change)
    dropped, less = site.house.answers("865")
    assert any(segment.startswith("ACK*R4*4*EA") for segment in dropped)
    assert any(segment.startswith("ACK*IQ*5*EA") for segment in less)
    by_mail = site.application.settings.partners[0].policy.tell.value == "both"
    assert len(site.mails()) == (3 if by_mail else 0)
    assert site.breaches() == ()


def test_the_preview_says_how_the_other_side_is_told(told_by_x12: Site) -> None:
    site = told_by_x12
    order_id = site.place("PO-1", 10)
    seen = site.client("globex").post(f"{SELLER}/{order_id}/cancellation-preview", json={}).json()
    ways = {"edi": ["x12"], "both": ["email", "x12"]}
    assert seen["told"] == [
        {"partner": "acme", "name": "Acme Stores",
         "by": ways[site.application.settings.partners[0].policy.tell.value]}
    ]  # fmt: skip


def test_a_party_without_an_address_is_told_by_the_hubs_people(tmp_path: Path, both_systems: None) -> None:
    path = write_settings(tmp_path)
    path.write_text(path.read_text().replace('notify = ["desk@globex.example"]', "notify = []"))
    with served(tmp_path, settings_file=path) as site:
        order_id, acme = site.place("PO-1", 10), site.client("acme")
        seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json={}).json()
        assert [told["by"] for told in seen["told"]] == [["support"]]
        acme.post(f"{BUYER}/{order_id}/cancel", json={})
        assert [mail.to for mail in site.mails()] == ["support@hub.example"]


def test_staff_takes_reasons_from_the_same_list_and_still_takes_codes(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = site.place("PO-1", 10)
    config = ["--config", str(write_settings(tmp_path))]
    cut = ["cancel", "PO-1", "--by", "globex", "--line", "1", "--quantity", "1", *config]
    assert run([*cut, "--reason", "discontinued"]) == 0
    assert run([*cut, "--reason", "R9"]) == 0
    capsys.readouterr()
    events = site.client("acme").get(f"{BUYER}/{order_id}").json()["events"]
    assert [(event["reason"], event["reason_text"]) for event in events[1:]] == [
        ("discontinued", "Item discontinued"), ("R9", ""),
    ]  # fmt: skip
    assert [event["actor"] for event in events] == ["API key 1 (ERP)", "staff", "staff"]
    named, coded = site.mails("acme")
    assert "Item discontinued" in text_of(named)
    assert "Code R9" in text_of(coded)


def test_every_reason_has_its_words() -> None:
    for reason in CancelReason:
        assert reason_said(reason.value) == reason.reason
        assert reason.reason.text == reason.meaning.words
        assert named_reason(reason.value) is reason
    assert reason_said("") == Reason()
    assert reason_said("R4") == Reason("R4")
    assert len({reason.meaning.words for reason in CancelReason}) == len(CancelReason)


def test_the_codes_of_reasons_are_ones_that_cancel() -> None:
    for reason in CancelReason:
        assert STATUS_CLASS[reason.meaning.acknowledged] is StatusClass.CANCEL
        assert reason.meaning.reported in REPORT_CLASS or reason.meaning.reported == "DS"
