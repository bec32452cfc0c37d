"""Settings and files for tests that go the whole way: two buyers, two sellers, short documents."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.partners import MailboxSettings
from tests.unit.edi.build import group, interchange, transaction_set

ITEM, OTHER_ITEM = "UP*012345678905", "UP*012345678912"
PARTIES = {
    "acme": ("Acme Stores", "buyer", "ACME"),
    "bolt": ("Bolt Retail", "buyer", "BOLT"),
    "globex": ("Globex Supply", "seller", "GLOBEX"),
    "initech": ("Initech Goods", "seller", "INITECH"),
}

_GROUPS = {
    "824": "AG", "850": "PO", "855": "PR", "856": "SH", "860": "PC", "865": "CA", "870": "RS", "997": "FA",
}  # fmt: skip


def url_for(folder: Path) -> str:
    """The ledger of an installation in this folder; the fixture `both_systems` puts another in its place."""
    del folder
    return "sqlite:///ledger.db"


def settings_text(
    *,
    url: str = "sqlite:///ledger.db",
    mail_port: int = 1,
    mailboxes: dict[str, MailboxSettings] | None = None,
    policy: str = "",
) -> str:
    """A countermand.toml. `policy` are lines for every partner's policy."""
    text = f"""
[hub]
name = "Example Hub"
isa = "ZZ:HUB"
gs = "HUB"
support_email = "support@hub.example"
usage = "P"
[database]
url = {json.dumps(url)}
[mail]
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "countermand <edi@hub.example>"
"""
    for id, (name, role, address) in PARTIES.items():
        text += f"""
[[partner]]
id = "{id}"
name = "{name}"
role = "{role}"
isa = ["ZZ:{address}"]
gs = ["{address}"]
notify = ["desk@{id}.example"]
"""
        if mailboxes and id in mailboxes:
            text += _mailbox(mailboxes[id])
        text += f"  [partner.policy]\n{policy}\n"
    return text


def _mailbox(settings: MailboxSettings) -> str:
    names = ["host", "port", "username", "pickup", "processed", "rejected", "delivery"]
    names += ["settle_seconds", "incomplete_seconds"]
    lines = [f"{name} = {json.dumps(getattr(settings, name))}" for name in names]
    lines.append(f"key_file = {json.dumps(str(settings.key_file))}")
    lines.append(f"host_keys = {json.dumps(list(settings.host_keys))}")
    lines.append(f"timeout_seconds = {settings.timeout_seconds}")
    return "  [partner.mailbox]\n" + "\n".join(lines) + "\n"


def write_settings(folder: Path, **options: object) -> Path:
    """The settings as a file."""
    path = folder / "countermand.toml"
    path.write_text(settings_text(**{"url": url_for(folder), **options}))  # type: ignore[arg-type]
    return path


def file_of(
    kind: str, *documents: Sequence[str], number: int, sender: str, receiver: str, usage: str = "P"
) -> bytes:
    """One interchange with one group of sets of one kind, from one party to the other."""
    functional_id = _GROUPS[kind]
    one = PARTIES[sender][2] if sender in PARTIES else sender
    two = PARTIES[receiver][2] if receiver in PARTIES else receiver
    sets = [
        transaction_set(kind, *document, control_number=f"{place:04d}")
        for place, document in enumerate(documents, start=1)
    ]
    body = group(functional_id, *sets, control_number=str(number), sender=one, receiver=two)
    return interchange(body, control_number=f"{number:09d}", sender=one, receiver=two, usage=usage)


def order(po_number: str, *quantities: int, purpose: str = "00") -> list[str]:
    """An 850 with numbered lines of the two items."""
    items = (ITEM, OTHER_ITEM)
    lines = [f"PO1*{n}*{q}*EA*1**{items[n - 1]}" for n, q in enumerate(quantities, start=1)]
    return [f"BEG*{purpose}*SA*{po_number}**20260301", *lines, f"CTT*{len(lines)}"]


def cancellation(po_number: str) -> list[str]:
    """An 850 that cancels the whole order; its line names no quantity."""
    return [f"BEG*01*SA*{po_number}**20260302", "PO1*1", "CTT*1"]


def acknowledgment(po_number: str, *acks: str, verdict: str = "AC", lines: int = 1) -> list[str]:
    """An 855 about line 1, with these ACKs; without any, the header speaks alone."""
    detail = [f"PO1*1*1*EA*1**{ITEM}", *acks] if acks else []
    return [f"BAK*00*{verdict}*{po_number}*20260302", *detail, f"CTT*{lines if acks else 0}"]


def shipment(shipment_id: str, po_number: str, quantity: int) -> list[str]:
    """An 856 of one item of one order."""
    return [
        f"BSN*00*{shipment_id}*20260303*1200", "HL*1**S", "HL*2*1*O", f"PRF*{po_number}",
        "HL*3*2*I", f"LIN*1*{ITEM}", f"SN1**{quantity}*EA", "CTT*3",
    ]  # fmt: skip
