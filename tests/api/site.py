"""A site for tests: the real server on a free port of loopback, over a ledger of its own, and keys to it."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pipeline.api.callers import Pace
from pipeline.api.serving import THREADS, listen, make_server
from pipeline.clock import Clock, SystemClock
from pipeline.partners import MailboxSettings
from pipeline.settings import load
from pipeline.wiring import Application
from storage import access_keys
from storage.database import Database
from storage.invariants import Breach, audit
from storage.messages import OutboxMessage, list_messages
from storage.states import Scope
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import PARTIES, write_settings

ALL = (Scope.READ, Scope.WRITE, Scope.CANCEL)
STARTING_SECONDS_MAX = 20
TRUST = ssl.create_default_context()  # once: nothing here speaks TLS, and each takes 50 ms
BUYER, SELLER = "/api/v1/buyer/orders", "/api/v1/seller/orders"

Json = dict[str, Any]
_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3vFZ0s2bq1y3T6mU0cQn0rY5xw7hJmB6d1kq3F5sVJ"
_UPCS = ("012345678912", "012345678905")  # as in `ledger_files.order`


@dataclass
class Site:
    """A served ledger. `acme` and `bolt` buy, `globex` and `initech` sell."""

    application: Application
    address: str
    house: House  # the same ledger, by its other door
    clients: list[httpx.Client] = field(default_factory=list)

    def key(self, partner: str, *scopes: Scope) -> str:
        """A new key's secret."""
        at = self.application.clock.now()
        return self.application.database.run(
            lambda tx: access_keys.add_key(tx, partner, scopes or ALL, at, name="ERP")
        )[1]

    def client(self, partner: str = "", *scopes: Scope, secret: str = "") -> httpx.Client:
        """A partner's system; without a partner or secret it shows no key."""
        shown = secret or (self.key(partner, *scopes) if partner else "")
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        made = httpx.Client(base_url=self.address, headers=headers, timeout=60, trust_env=False, verify=TRUST)
        self.clients.append(made)
        return made

    def place(self, po_number: str, *quantities: int, buyer: str = "acme", seller: str = "globex") -> int:
        """An order over the API; its id."""
        placed = self.client(buyer).post(BUYER, json=an_order(po_number, *quantities, seller=seller))
        assert placed.status_code == 201, placed.text
        return int(placed.json()["id"])

    def mails(self, to: str = "") -> list[OutboxMessage]:
        """What is owed by e-mail, oldest first; to one partner's desk."""
        with self.application.database.reading() as tx:
            found = list_messages(tx)
        mails = [message for message in found if message.kind.value == "email"]
        return sorted((m for m in mails if to in m.to), key=lambda message: message.id)

    def breaches(self) -> tuple[Breach, ...]:
        """What the audit finds."""
        with self.application.database.reading() as tx:
            return tuple(audit(tx))


def an_order(po_number: str, *quantities: int, seller: str = "globex") -> Json:
    """The body that places an order with numbered lines."""
    lines = [
        {"line": str(n), "ids": {"UP": _UPCS[n % 2], "VN": f"V-{n}"}, "quantity": str(quantity)}
        for n, quantity in enumerate(quantities, start=1)
    ]
    return {"po_number": po_number, "seller": seller, "lines": lines}


def figures(order: Json) -> list[tuple[str, ...]]:
    """(line, ordered, fulfilled, cancelled, open) of each line."""
    names = ("line", "ordered", "fulfilled", "cancelled", "open")
    return [tuple(line[name] for name in names) for line in order["lines"]]


def _mailbox(partner: str) -> MailboxSettings:
    return MailboxSettings(
        host="127.0.0.1", username=partner, key_file=Path("key"), host_keys=(_HOST_KEY,),
        pickup="/out", processed="/out/done", rejected="/out/bad", delivery="/in",
    )  # fmt: skip


@contextmanager
def served(
    folder: Path,
    *,
    policy: str = "",
    mailboxes: bool = False,
    clock: Clock | None = None,
    pace: Pace | None = None,
    settings_file: Path | None = None,
) -> Iterator[Site]:
    """A site over an installation in this folder; mailboxes are never looked into."""
    boxes = {partner: _mailbox(partner) for partner in PARTIES} if mailboxes else {}
    settings = load(settings_file or write_settings(folder, policy=policy, mailboxes=boxes), {})
    database = Database(settings.database.url, threads=THREADS)
    application = Application(settings=settings, database=database, clock=clock or SystemClock())
    bound = listen("127.0.0.1", 0)
    server = make_server(application, pace or Pace(burst=100_000, per_second=10_000))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="site")
    thread.start()
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    site = Site(application, address, House(settings, database))
    try:
        end = time.monotonic() + STARTING_SECONDS_MAX
        while not server.started and thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        assert server.started, "the site did not start"
        yield site
    finally:
        for client in site.clients:
            client.close()
        server.should_exit = True
        thread.join()
        bound.close()
        database.close()
