"""Reading [[partner]] tables: each partner by itself, then all together: nobody may speak for another."""

import base64
import binascii
import posixpath
import re
from collections.abc import Iterable

from pipeline.partners import MailboxSettings, Partner, PartnerAddress, Role
from pipeline.policy_settings import read_policy
from pipeline.settings_reader import HOST_KEY_LENGTH_MAX, TableReader

GS_CODE_LENGTH_MAX = 15  # GS02 and GS03 (elements 142, 124)

_PARTNER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # a word of commands and file names


def read_partners(top: TableReader, *, hub_isa: PartnerAddress, hub_gs: str) -> tuple[Partner, ...]:
    """All partners, each checked by itself and then against the others and the hub."""
    partners: list[Partner] = []
    tables: list[TableReader] = []
    for table in top.tables("partner", "id"):
        partners.append(_partner(table))
        tables.append(table)
    _check_ids(partners, tables)
    _check_addresses(partners, tables, {("isa", str(hub_isa)): "the hub's", ("gs", hub_gs): "the hub's"})
    _check_counterparties(partners, tables)
    _check_pickups(partners, tables)
    return tuple(partners)


def _partner(table: TableReader) -> Partner:
    partner = Partner(
        id=_partner_id(table),
        name=table.text("name"),
        role=table.choice("role", Role),
        isa=tuple(read_address(table, "isa", text) for text in table.texts("isa")),
        gs=tuple(read_code(table, "gs", text) for text in table.texts("gs")),
        default_counterparty=table.text("default_counterparty", ""),
        notify=table.emails("notify"),
        mailbox=_mailbox(table.table("mailbox")),
        policy=read_policy(table.table("policy")),
        guides=table.paths("guides"),
    )
    table.done()
    for key, given in (("isa", partner.isa), ("gs", partner.gs)):
        if not given:
            raise table.fail(key, "is empty; without it nothing the partner sends can be told to be its own")
    return partner


def _partner_id(table: TableReader) -> str:
    name = table.text("id")
    if not _PARTNER_ID.fullmatch(name):
        problem = f"is {name!r}; it takes up to 64 letters, digits, dots, hyphens and underscores"
        raise table.fail("id", f"{problem}, the first a letter or digit")
    return name


def _mailbox(table: TableReader | None) -> MailboxSettings | None:
    if table is None:
        return None
    mailbox = MailboxSettings(
        host=table.text("host"),
        port=table.integer("port", 22, 1, 65535),
        username=table.text("username"),
        key_file=table.path("key_file"),
        password=table.secret("password"),
        host_keys=tuple(_host_key(table, key) for key in table.texts("host_keys", limit=HOST_KEY_LENGTH_MAX)),
        pickup=table.text("pickup"),
        processed=table.text("processed"),
        rejected=table.text("rejected"),
        delivery=table.text("delivery"),
        settle_seconds=table.seconds("settle_seconds", 10, 0, 3600),
        incomplete_seconds=table.seconds("incomplete_seconds", 3600, 0, 604_800),
        timeout_seconds=table.seconds("timeout_seconds", 20, 1, 600),
    )
    table.done()
    if not mailbox.host_keys:
        scan = f"ssh-keyscan -t ed25519 {'' if mailbox.port == 22 else f'-p {mailbox.port} '}{mailbox.host}"
        raise table.fail("host_keys", f"is empty; pin the server's key, e.g. with: {scan}")
    if mailbox.key_file is None and mailbox.password is None:
        raise table.fail("key_file", "is missing; name the private key, or a password with password_env")
    for key in ("processed", "rejected", "delivery"):
        # Moving a file to where we look would bring it back for ever; so would reading our own answers.
        if _folder(getattr(mailbox, key)) == _folder(mailbox.pickup):
            raise table.fail(key, "is the pickup folder; what we put there would be taken for new")
    for key in ("processed", "rejected"):
        # The partner takes what lies in delivery, and would get its own documents back.
        if _folder(getattr(mailbox, key)) == _folder(mailbox.delivery):
            raise table.fail(key, "is the delivery folder; the partner would take its own files for ours")
    return mailbox


def _host_key(table: TableReader, text: str) -> str:
    """A public key as OpenSSH writes it; the comment is dropped. The type is written twice and must agree."""
    words = text.split(" ")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        blob = b""
    kind = words[0].encode()
    if blob[: 4 + len(kind)] != len(kind).to_bytes(4, "big") + kind or len(blob) <= 4 + len(kind):
        raise table.fail(
            "host_keys",
            f"has {text[:40]!r}, which is not a key; write type and base64, without the host's name",
        )
    return f"{words[0]} {words[1]}"


def _check_ids(partners: list[Partner], tables: list[TableReader]) -> None:
    seen: set[str] = set()
    for partner, table in zip(partners, tables, strict=True):
        if partner.id.lower() in seen:
            raise table.fail("id", "is another partner's too (capitals do not count); give each its own")
        seen.add(partner.id.lower())


def _check_addresses(
    partners: list[Partner], tables: list[TableReader], owners: dict[tuple[str, str], str]
) -> None:
    """An address that two of us answer to would let one partner speak for another."""
    for partner, table in zip(partners, tables, strict=True):
        for key, text in _addresses_of(partner):
            if (key, text) in owners:
                raise table.fail(key, f"has {text}, which is {owners[key, text]} too; each has one owner")
            owners[key, text] = f'partner "{partner.id}"\'s'


def _addresses_of(partner: Partner) -> Iterable[tuple[str, str]]:
    yield from (("isa", str(address)) for address in partner.isa)
    yield from (("gs", code) for code in partner.gs)


def _check_counterparties(partners: list[Partner], tables: list[TableReader]) -> None:
    roles = {partner.id: partner.role for partner in partners}
    for partner, table in zip(partners, tables, strict=True):
        other = partner.default_counterparty
        if not other:
            continue
        if other not in roles:
            raise table.fail(
                "default_counterparty", f"is {other!r}, and no partner has that id; add it or correct it"
            )
        if roles[other] is partner.role:
            problem = f"is {other!r}, a {partner.role.value} too; an order needs a buyer and a seller"
            raise table.fail("default_counterparty", problem)


def _check_pickups(partners: list[Partner], tables: list[TableReader]) -> None:
    """Two partners' files in one folder cannot be told apart by who could have put them there."""
    seen: dict[tuple[str, int, str, str], str] = {}
    for partner, table in zip(partners, tables, strict=True):
        if partner.mailbox is None:
            continue
        box = partner.mailbox
        place = (box.host.lower(), box.port, box.username, _folder(box.pickup))
        if place in seen:
            raise table.fail("mailbox.pickup", f'is partner "{seen[place]}"\'s folder too; give each its own')
        seen[place] = partner.id


def _folder(path: str) -> str:
    """To compare paths by: on some servers capitals and the way a slash leans make no difference."""
    return posixpath.normpath(path.replace("\\", "/")).lower()


def read_address(table: TableReader, key: str, text: str) -> PartnerAddress:
    """An interchange address written qualifier:id."""
    try:
        return PartnerAddress.parse(text)
    except ValueError as error:
        raise table.fail(key, f"{text!r} {error}") from None


def read_code(table: TableReader, key: str, text: str, *, at_least: int = 1) -> str:
    """An application code (GS02, GS03)."""
    if not at_least <= len(text) <= GS_CODE_LENGTH_MAX or not text.isascii():
        raise table.fail(
            key, f"{text!r} is not {at_least} to {GS_CODE_LENGTH_MAX} plain characters; shorten it"
        )
    return text
