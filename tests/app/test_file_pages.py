"""Pages of received files: why a document waits, what came before, what moved, a replay as it was shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import webhooks
from storage.states import Topic
from tests.api.site import SELLER, Site, served
from tests.app.people import Person, signed_in
from tests.app.support_files import drop, fill, refused_once
from tests.unit.pipeline.ledger_files import order


@pytest.fixture
def reopening(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A site whose sellers may take a shipment back."""
    with served(tmp_path, policy='asn_withdraw = "reopen"') as made:
        yield made


def support(site: Site) -> Person:
    return signed_in(site, "eve@hub.example", name="Eve Adams")


def test_a_held_document_says_what_is_not_clear_and_links_to_the_question(site: Site) -> None:
    eve = support(site)
    eve.get(f"/support/files/{fill(site)['held']}")
    assert 'href="/support/waiting/1"' in eve.page
    assert "IR" in eve.text.partition("What it was answered with")[0]


def test_a_file_shows_the_units_its_documents_moved(site: Site) -> None:
    eve, ids = support(site), fill(site)
    for name, said in (
        ("applied", "Placed 100 units on 2 lines"),
        ("shipped", "Fulfilled 10 units on 1 line"),
        ("cancelled", "Cancelled 90 units on 2 lines"),
    ):
        eve.get(f"/support/files/{ids[name]}")
        assert said in eve.text


def test_a_duplicate_names_the_file_that_came_first_and_its_documents(site: Site) -> None:
    first = drop(site, "850", order("PO-1", 5), number=1, sender="acme", name="first.edi")
    again = drop(site, "850", order("PO-1", 5), number=1, sender="acme", name="again.edi")
    other = drop(site, "850", order("PO-2", 5), number=1, sender="acme", name="other.edi")
    eve = support(site)
    eve.get(f"/support/files/{again}")
    assert "The same came before, in first.edi" in eve.text
    assert "850 0001, PO PO-1 : Applied" in eve.text
    assert f'href="/support/files/{first}"' in eve.page
    eve.get(f"/support/files/{other}")
    assert "Its number was used before, in first.edi" in eve.text
    eve.get(f"/support/files/{first}")
    assert "came before" not in eve.text


def test_webhooks_are_no_answers_to_a_file(site: Site) -> None:
    at = site.application.clock.now()
    with site.application.database.writing() as tx:
        webhooks.add_endpoint(tx, "globex", "https://globex.example/", tuple(Topic), at)
    file_id = drop(site, "850", order("PO-1", 5), number=1, sender="acme")
    eve = support(site)
    eve.get(f"/support/files/{file_id}")
    answers, _, rest = eve.text.partition("What it was answered with")[2].partition("What was posted")
    assert ("997" in answers, "globex.example" in answers) == (True, False)
    assert "globex.example" in rest.partition("What is in it")[0]


def test_a_replay_does_what_its_trial_showed_or_shows_another(reopening: Site) -> None:
    file_id = refused_once(reopening)
    eve = support(reopening)
    eve.get(f"/support/files/{file_id}")
    eve.send(f"/support/files/{file_id}/try")
    assert "Fulfilled 5 of line 1" in eve.text
    shipped = {"shipment_id": "S-7", "lines": [{"line": "1", "quantity": 2}]}
    assert reopening.client("globex").post(f"{SELLER}/1/fulfil", json=shipped).status_code == 200
    assert eve.send(f"/support/files/{file_id}/replay").status_code == 409
    assert "something else than the trial that you looked at, and nothing was done" in eve.text
    assert "Fulfilled 5 of line 1" not in eve.text
    assert reopening.house.line("PO-3") == ("5", "2", "0", "3")
    assert eve.send(f"/support/files/{file_id}/replay").status_code == 200
    assert "It was read again" in eve.text
    assert "Refused" in eve.text
    assert reopening.breaches() == ()
