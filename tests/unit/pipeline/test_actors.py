"""Who did something, as each reader may know it: nobody's name goes to another company."""

from dataclasses import replace

import pytest

from pipeline.actors import CLOCK, HUB, PARTNER, STAFF, seen_by
from storage.commands import Source

OWN = ("API key 1", "API key 7 (ERP (old))", "ada@acme.example", "Ada Baker (ada@acme.example)")
HUBS = (STAFF, "eve@hub.example of Example Hub", "Eve Olsen (eve@hub.example) of Example Hub", "somebody")
DOCUMENT = Source(file="a.edi", interchange="1", group="1", set="1", type="855")


@pytest.mark.parametrize("actor", OWN)
def test_own_people_and_systems_are_named_to_their_company_and_to_the_hub(actor: str) -> None:
    said = Source(actor=actor)
    assert seen_by("acme", "acme", said) == seen_by(HUB, "acme", said) == said
    assert seen_by("globex", "acme", said).actor == PARTNER


@pytest.mark.parametrize("actor", HUBS)
def test_the_hubs_people_are_its_staff_to_either_party(actor: str) -> None:
    said = Source(actor=actor)
    assert seen_by("acme", "acme", said).actor == seen_by("globex", "acme", said).actor == STAFF
    assert seen_by(HUB, "acme", said) == said


@pytest.mark.parametrize("actor", [*OWN, *HUBS])
def test_who_had_a_document_decided_is_somebody_of_the_hub_and_the_document_stays(actor: str) -> None:
    said = replace(DOCUMENT, actor=actor)
    for reader in ("acme", "globex"):
        assert seen_by(reader, "acme", said) == replace(said, actor=STAFF)
    assert seen_by("acme", "acme", DOCUMENT) == DOCUMENT


def test_the_clock_is_nobody_and_everybody_sees_it() -> None:
    assert {seen_by(reader, "globex", Source(actor=CLOCK)).actor for reader in ("acme", "globex", HUB)} == {
        CLOCK
    }
