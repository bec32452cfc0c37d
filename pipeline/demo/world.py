"""The stories' small world: two buyers and two sellers, and the settings of a hub between them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUPPORT = "edi-support@hub.example"
PICKUP, PROCESSED, REJECTED, DELIVERY = (
    "/outgoing",
    "/outgoing/processed",
    "/outgoing/rejected",
    "/incoming",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """One trading partner of the stories."""

    id: str
    name: str
    role: str
    isa: str
    gs: str
    email: str


CHARACTERS: Mapping[str, Character] = {
    character.id: character
    for character in (
        Character(
            id="acme", name="Acme Stores", role="buyer", isa="ZZ:ACMESTORES", gs="ACMESTORES",
            email="orders@acme.example",
        ),
        Character(
            id="bolt", name="Bolt Retail", role="buyer", isa="01:123456789", gs="BOLTRETAIL",
            email="purchasing@bolt.example",
        ),
        Character(
            id="globex", name="Globex Supply", role="seller", isa="12:5555550100", gs="GLOBEX",
            email="sales@globex.example",
        ),
        Character(
            id="initech", name="Initech Goods", role="seller", isa="ZZ:INITECH", gs="INITECH",
            email="desk@initech.example",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpAccess:
    """How every partner's mailbox is reached; each logs in under its own id."""

    port: int
    host_key: str
    password_file: str = "demo-password"


def settings_text(
    *,
    sftp: SftpAccess | None = None,
    smtp_port: int = 25,
    policies: Mapping[str, Mapping[str, Any]] | None = None,
    url: str = "sqlite:///countermand.db",
    site: str = "",
) -> str:
    """A countermand.toml for this world; without `sftp` nobody has a mailbox."""
    parts = [
        "# Written by the demonstration; its servers have stopped, the database beside this file remains.",
        '[hub]\nname = "Example Hub"\nisa = "ZZ:COUNTERMAND"\ngs = "COUNTERMAND"\n'
        f'support_email = "{SUPPORT}"',
        f"[database]\nurl = {json.dumps(url)}",
        f'[mail]\nhost = "127.0.0.1"\nport = {smtp_port}\nsender = "Example Hub <edi@hub.example>"',
    ]
    if site:
        parts.append(f"[site]\naddress = {json.dumps(site)}")
    for one in CHARACTERS.values():
        parts.append(
            f'[[partner]]\nid = "{one.id}"\nname = "{one.name}"\nrole = "{one.role}"\n'
            f'isa = ["{one.isa}"]\ngs = ["{one.gs}"]\nnotify = ["{one.email}"]'
        )
        if sftp is not None:
            parts.append(_mailbox(one.id, sftp))
        if policy := (policies or {}).get(one.id):
            lines = (f"  {key} = {json.dumps(value)}" for key, value in policy.items())
            parts.append("\n".join(("  [partner.policy]", *lines)))
    return "\n\n".join(parts) + "\n"


def _mailbox(username: str, sftp: SftpAccess) -> str:
    return (
        f'  [partner.mailbox]\n  host = "127.0.0.1"\n  port = {sftp.port}\n  username = "{username}"\n'
        f'  password_file = "{sftp.password_file}"\n  host_keys = ["{sftp.host_key}"]\n'
        f'  pickup = "{PICKUP}"\n  processed = "{PROCESSED}"\n  rejected = "{REJECTED}"\n'
        f'  delivery = "{DELIVERY}"\n  settle_seconds = 0'
    )


def make_mailbox(root: Path) -> None:
    """The folders a partner's SFTP server has."""
    for folder in (PICKUP, PROCESSED, REJECTED, DELIVERY):
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
