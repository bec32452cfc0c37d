"""Partners: who may send us documents, under which addresses, by which mailbox and under which agreements.

Shapes and look-ups only; `pipeline.partner_settings` reads and checks them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path

from pipeline.policy import Acknowledge, Policy, RefusalAnswer
from pipeline.settings_reader import Secret

__all__ = [
    "Acknowledge",
    "Directory",
    "MailboxSettings",
    "Partner",
    "PartnerAddress",
    "Policy",
    "RefusalAnswer",
    "Role",
]

QUALIFIER_LENGTH = 2  # ISA05 and ISA07 (element I05)
ISA_ID_LENGTH_MAX = 15  # ISA06 and ISA08 (elements I06, I07), padded with spaces on the wire


@dataclass(frozen=True, slots=True)
class PartnerAddress:
    """An interchange address: ISA05-06 or ISA07-08 without the padding."""

    qualifier: str
    id: str

    def __str__(self) -> str:
        return f"{self.qualifier}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "PartnerAddress":
        """Read "qualifier:id"; a ValueError says in half a sentence what is wrong with it."""
        qualifier, colon, name = text.partition(":")
        if not colon:
            raise ValueError("is not qualifier:id, such as ZZ:ACMESTORES or 01:123456789")
        if len(qualifier) != QUALIFIER_LENGTH or not (qualifier.isascii() and qualifier.isalnum()):
            raise ValueError(
                f"has the qualifier {qualifier!r}; it takes two letters or digits, such as ZZ or 01"
            )
        if not 1 <= len(name) <= ISA_ID_LENGTH_MAX:
            raise ValueError(f"has an id of {len(name)} characters; it takes 1 to {ISA_ID_LENGTH_MAX}")
        if name != name.strip() or not (name.isascii() and name.isprintable()):
            raise ValueError("has an id with characters other than plain text; leave padding spaces out")
        return cls(qualifier, name)


@unique
class Role(Enum):
    """Which side of a purchase order a partner stands on."""

    BUYER = "buyer"  #: sends 850 and 860
    SELLER = "seller"  #: sends 855, 856, 865 and 870


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSettings:
    """A partner's SFTP server and the four folders we use there. Nothing here was tried out yet."""

    host: str
    port: int = 22
    username: str
    key_file: Path | None = None  # may be missing: the connection says so, and other partners go on
    password: Secret | None = None  # asked for when connecting, for the same reason
    host_keys: tuple[str, ...]  # "type base64"; two while the server changes its key
    pickup: str
    processed: str
    rejected: str
    delivery: str
    settle_seconds: float = 10  # how long a file must have been left alone before we take it
    incomplete_seconds: float = 3600  # how long a file that breaks off is left to its writer
    timeout_seconds: float = 20  # for the connection, and then for every single answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A trading partner's profile."""

    id: str  # the name used in settings, commands and the ledger; never shown to other partners' software
    name: str  # for people
    role: Role
    isa: tuple[PartnerAddress, ...]
    gs: tuple[str, ...]
    default_counterparty: str = ""  # partner id; the other party of an 850 that names only the hub
    notify: tuple[str, ...] = ()  # e-mail addresses; empty: nobody at this partner is written to
    mailbox: MailboxSettings | None = None
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    guides: tuple[Path, ...] = ()  # overlays that narrow our guides to this partner's own


class Directory:
    """Looks partners up. No address belongs to two of them; whoever builds one has checked that."""

    __slots__ = ("_by_gs", "_by_id", "_by_isa", "_by_name", "partners")

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        self.partners = tuple(partners)
        self._by_id = {partner.id: partner for partner in self.partners}
        self._by_isa = {address: partner for partner in self.partners for address in partner.isa}
        self._by_gs = {code: partner for partner in self.partners for code in partner.gs}
        self._by_name: dict[str, set[str]] = {}
        for partner in self.partners:
            for name in (*(address.id for address in partner.isa), *partner.gs):
                self._by_name.setdefault(name, set()).add(partner.id)

    def get(self, id: str) -> Partner | None:
        """The partner with this id."""
        return self._by_id.get(id)

    def by_isa(self, qualifier: str, id: str) -> Partner | None:
        """The partner an interchange address belongs to; padding does not matter."""
        return self._by_isa.get(PartnerAddress(qualifier.strip(" "), id.rstrip(" ")))

    def by_gs(self, code: str) -> Partner | None:
        """The partner an application code (GS02, GS03) belongs to."""
        return self._by_gs.get(code.rstrip(" "))

    def by_party_id(self, id: str, role: Role) -> Partner | None:
        """The one partner in that role with this id in an address, whatever the qualifier.

        For N104, whose qualifiers (66) are another list than the envelope's (I05). An id that several
        partners in the role use, under different qualifiers, names none of them.
        """
        found = [self._by_id[name] for name in sorted(self._by_name.get(id.rstrip(" "), ()))]
        found = [partner for partner in found if partner.role is role]
        return found[0] if len(found) == 1 else None
