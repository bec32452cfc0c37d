"""Partners are found by what an envelope or a party says, and never one for another."""

from pipeline.partners import Directory, Partner, PartnerAddress, Role


def partner(id: str, role: Role, isa: str, gs: str) -> Partner:
    """A partner with one address."""
    return Partner(id=id, name=id.title(), role=role, isa=(PartnerAddress.parse(isa),), gs=(gs,))


ACME = partner("acme", Role.BUYER, "ZZ:ACME", "ACME")
BOLT = partner("bolt", Role.BUYER, "01:42", "BOLT")
CORE = partner("core", Role.SELLER, "ZZ:42", "CORE")
DASH = partner("dash", Role.SELLER, "12:42", "DASH")
DIRECTORY = Directory((ACME, BOLT, CORE, DASH))


def test_partners_are_found_by_id() -> None:
    assert DIRECTORY.get("bolt") is BOLT
    assert DIRECTORY.get("nobody") is None


def test_padding_does_not_hide_an_address() -> None:
    assert DIRECTORY.by_isa("ZZ", "ACME           ") is ACME
    assert DIRECTORY.by_isa("01", "ACME           ") is None
    assert DIRECTORY.by_gs("ACME ") is ACME


def test_a_party_id_names_a_partner_when_only_one_can_be_meant() -> None:
    assert DIRECTORY.by_party_id("42", Role.BUYER) is BOLT
    assert DIRECTORY.by_party_id("42", Role.SELLER) is None
    assert DIRECTORY.by_party_id("ACME", Role.SELLER) is None
    assert DIRECTORY.by_party_id("", Role.BUYER) is None
