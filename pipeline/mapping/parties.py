"""Parties: which order a document means, by its sender, its receiver and the parties it names."""

from edi.codes import RELEASE_ORDER_TYPES
from edi.documents import Party
from pipeline.mapping.origin import Origin
from pipeline.partners import Role
from pipeline.policy import Policy
from storage.commands import Locator

_RELEASE = "RL"  # element 92

#: N101 codes that name the seller and the buyer of an order.
SELLER_ENTITIES = ("SE", "SU", "VN")
BUYER_ENTITIES = ("BY", "BT")


def buyers_order(
    po_number: str, release: str, order_type: str, parties: tuple[Party, ...], origin: Origin
) -> Locator:
    """A buyer's order: the seller is the receiver, else the party named in N1, else not known.

    For the order types (92) that have releases, the release is part of the order's name (spec 6); a release
    order that is spoken of without its release may be any of them.
    """
    seller = origin.receiver.id if origin.receiver else _named(parties, SELLER_ENTITIES, origin, Role.SELLER)
    return Locator(
        buyer=origin.sender.id,
        seller=seller,
        po_number=po_number,
        release=release,
        exact=order_type in RELEASE_ORDER_TYPES and (bool(release) or order_type != _RELEASE),
    )


def sellers_order(po_number: str, release: str, parties: tuple[Party, ...], origin: Origin) -> Locator:
    """An order a seller speaks of: the buyer is the receiver, else the party named in N1, else not known."""
    buyer = origin.receiver.id if origin.receiver else _named(parties, BUYER_ENTITIES, origin, Role.BUYER)
    return Locator(buyer=buyer, seller=origin.sender.id, po_number=po_number, release=release)


def buyers_policy(order: Locator, origin: Origin) -> Policy:
    """The policy of the order's buyer, whoever speaks; the usual one when the buyer is not known."""
    buyer = origin.directory.get(order.buyer)
    return buyer.policy if buyer else Policy()


def _named(parties: tuple[Party, ...], entities: tuple[str, ...], origin: Origin, role: Role) -> str:
    for entity in entities:
        for party in parties:
            if party.entity == entity and party.id:
                partner = origin.directory.by_party_id(party.id, role)
                if partner is not None:
                    return partner.id
    return ""
