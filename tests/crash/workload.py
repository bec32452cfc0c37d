"""What every crash run begins with: orders that are known, and two mailboxes full of files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.replay import Source, replay
from pipeline.settings import load
from storage.database import Database
from tests.unit.pipeline.ledger_files import acknowledgment, cancellation, file_of, order, shipment

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTNERS = ("acme", "globex")
FOLDERS = ("pickup", "processed", "rejected", "delivery")

#: What the mail server makes of an address; every other one is accepted.
GONE, LATER, UNCLEAR = "gone@acme.example", "later@acme.example", "unclear@acme.example"
TOLD = {
    "acme": (
        GONE,
        LATER,
        UNCLEAR,
        "desk@acme.example",
    ),  # the third: its dot is answered by neither yes nor no
    "globex": ("desk@globex.example",),
}

#: A file that is never taken: it stays in the mailbox, and support is told.
HUGE = b"99-huge.edi"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that lies in a partner's mailbox before anything happens."""

    partner: str
    name: bytes
    content: bytes


def _orders() -> bytes:
    return file_of(
        "850", order("PO-10", 5, 6), order("PO-11", 7), number=101, sender="acme", receiver="globex"
    )


def dropped() -> tuple[Dropped, ...]:
    """Every kind of file that is read in another way, and each of them matters to the ledger or its sender.

    No file's effect depends on whether the other partner's came before: a mailbox may be late by a round.
    """

    def acme(name: str, content: bytes) -> Dropped:
        return Dropped("acme", name.encode(), content)

    def globex(name: str, content: bytes) -> Dropped:
        return Dropped("globex", name.encode(), content)

    def said(kind: str, document: list[str], number: int, sender: str = "acme") -> bytes:
        receiver = "globex" if sender == "acme" else "acme"
        return file_of(kind, document, number=number, sender=sender, receiver=receiver)

    cut = ["BCH*04*SA*PO-1***20260302", "POC*1*QD*60*60*EA*1**UP*012345678905", "CTT*1"]
    held = ["BCH*04*SA*PO-4***20260302", "POC*1*CF*1*0*EA", "POC*2*QD*4*1*EA", "CTT*2"]
    return (
        acme("01-orders.edi", _orders()),
        acme("02-change.edi", said("860", cut, 102)),
        acme("03-cancel.edi", said("850", cancellation("PO-2"), 103)),
        acme("04-orders-again.edi", _orders()),
        acme("05-conflict.edi", said("850", order("PO-12", 8), 101)),
        acme("06-broken.edi", said("850", order("PO-13", 8, purpose="Z9"), 106)),
        acme("07-letter.edi", b"Dear hub, please cancel PO-1."),
        acme("08-held.edi", said("860", held, 108)),
        globex(
            "21-answer.edi",
            said("855", acknowledgment("PO-3", "ACK*IR*30*EA", verdict="AC"), 201, "globex"),
        ),
        globex("22-shipment.edi", said("856", shipment("S-1", "PO-4", 9), 202, "globex")),
        globex("23-parked.edi", said("856", shipment("S-2", "PO-99", 9), 203, "globex")),
    )


def late_shipment() -> Dropped:
    """A shipment of what is cancelled by then."""
    content = file_of("856", shipment("S-3", "PO-2", 5), number=204, sender="globex", receiver="acme")
    return Dropped("globex", b"24-late.edi", content)


def orders_before() -> Iterator[Source]:
    """What was ordered before anything happens."""
    quantities = {"PO-1": (100, 50), "PO-2": (20,), "PO-3": (30,), "PO-4": (40, 4)}
    for number, (po_number, ordered) in enumerate(quantities.items(), start=1):
        content = file_of("850", order(po_number, *ordered), number=number, sender="acme", receiver="globex")
        yield Source(f"before-{number}.edi", content)


def fill(config: Path, database: Database) -> None:
    """Bring an empty ledger to the state every run begins with; it owes nothing for that."""
    replay(orders_before(), load(config, {}), database, lambda: START, partner="acme")
    with database.writing() as tx:
        tx.exec_driver_sql("DELETE FROM outbox")
        tx.exec_driver_sql("DELETE FROM sequence")  # or the audit would miss their numbers


def settings_text(root: Path, *, url: str, mail_port: int, port: int, key_file: str, host_key: str) -> str:
    """A countermand.toml of two partners whose mailboxes lie under `root`/home."""
    text = f"""
[hub]
name = "Example Hub"
isa = "ZZ:HUB"
gs = "HUB"
support_email = "support@hub.example"
usage = "P"
[database]
url = "{url}"
[mail]
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "countermand <edi@hub.example>"
"""
    for id, role in (("acme", "buyer"), ("globex", "seller")):
        folders = "\n".join(f'{folder} = "{root}/home/{id}/{folder}"' for folder in FOLDERS)
        text += f"""
[[partner]]
id = "{id}"
name = "{id.title()}"
role = "{role}"
isa = ["ZZ:{id.upper()}"]
gs = ["{id.upper()}"]
notify = {json.dumps(TOLD[id])}
  [partner.mailbox]
  host = "127.0.0.1"
  port = {port}
  username = "nobody"
  key_file = "{key_file}"
  host_keys = ["{host_key}"]
  settle_seconds = 0
  timeout_seconds = 10
{folders}
"""
    return text
