"""The rows of docs/integrations.md: whoever cancels, by file or over HTTP, the other side knows.

Each story has a buyer and a seller, each of whom uses files or the API. Real OpenSSH, HTTP and mail servers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.cli import run
from pipeline.demo.smtp_sink import SmtpSink
from tests.api.site import an_order
from tests.api.test_serving import process
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.unit.pipeline.ledger_files import ITEM, acknowledgment, file_of, order, shipment, write_settings

pytestmark = [pytest.mark.needs("sshd"), pytest.mark.usefixtures("both_systems")]

BUYER, SELLER = "acme", "globex"
SCOPES = ("--scope", "orders:read", "--scope", "orders:write", "--scope", "orders:cancel")
DOORS = ("files", "api")


@pytest.fixture(scope="module")
def _servers() -> Iterator[dict[str, OpenSshServer]]:
    with running_openssh() as buyers, running_openssh() as sellers:
        yield {BUYER: buyers, SELLER: sellers}


@dataclass(slots=True)
class Trade:
    """An installation in which a buyer and a seller trade, each through its own door."""

    config: str
    servers: dict[str, OpenSshServer]
    sink: SmtpSink
    client: httpx.Client
    doors: dict[str, str]
    capture: pytest.CaptureFixture[str]
    keys: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def command(self, *arguments: str) -> Any:
        """What a command says with --json."""
        self.capture.readouterr()
        run([*arguments, "--config", self.config, "--json"])
        return json.loads(self.capture.readouterr().out)

    def leaves(self, partner: str, kind: str, document: list[str]) -> dict[str, int]:
        """A partner leaves a file, and the hub looks; how many sets had which outcome."""
        number = next(self.numbers)
        other = SELLER if partner == BUYER else BUYER
        content = file_of(kind, document, number=number, sender=partner, receiver=other)
        self.servers[partner].put("pickup", b"%d.edi" % number, content)
        report = self.command("poll")
        assert report["summary"]["sets"] == 1, report
        summary: dict[str, int] = report["summary"]
        return summary

    def post(self, partner: str, address: str, body: dict[str, Any]) -> httpx.Response:
        """A partner's system calls the API, and the hub sends what that makes due."""
        if partner not in self.keys:
            self.keys[partner] = self.command("key", "add", "--partner", partner, *SCOPES)["key"]
        side = "buyer" if partner == BUYER else "seller"
        answer = self.client.post(
            f"/api/v1/{side}/orders{address}", json=body,
            headers={"Authorization": f"Bearer {self.keys[partner]}"},
        )  # fmt: skip
        self.command("deliver")
        return answer

    def say(self, partner: str, by_file: tuple[str, list[str]], address: str, body: dict[str, Any]) -> None:
        """The same said through the partner's own door."""
        if self.doors[partner] == "files":
            assert self.leaves(partner, *by_file)["applied"] == 1
        else:
            answer = self.post(partner, address, body)
            assert answer.is_success, answer.text

    def mails(self, partner: str) -> list[str]:
        """What the mails at a partner's desk say."""
        desk = f"desk@{partner}.example"
        sent = [message for message in self.sink.messages if message.recipients == (desk,)]
        read = [message_from_bytes(message.content, policy=default) for message in sent]
        bodies = [one.get_body(("plain",)) for one in read]
        return [body.get_content() for body in bodies if body is not None]

    def documents(self, partner: str, kind: bytes) -> list[bytes]:
        """The documents of one kind that were left in a partner's mailbox."""
        server = self.servers[partner]
        names = [name for name in server.names("delivery") if name.startswith(kind)]
        return [server.read("delivery", name) for name in names]

    def figures(self) -> list[tuple[str, ...]]:
        """(ordered, fulfilled, cancelled, open) of each line."""
        lines = self.command("order", "PO-1")["lines"]
        return [tuple(line[name] for name in ("ordered", "fulfilled", "cancelled", "open")) for line in lines]


@pytest.fixture(params=[(buyer, seller) for buyer in DOORS for seller in DOORS], ids="-".join)
def trade(
    request: pytest.FixtureRequest, tmp_path: Path, _servers: dict[str, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Trade]:  # fmt: skip
    """Both sides are told by mail and by document, the way of a partnership that wants to be sure."""
    for server in _servers.values():
        for folder in ("pickup", "processed", "rejected", "delivery"):
            for name in server.names(folder):
                server.path(folder, name).unlink()
    mailboxes = {partner: server.settings() for partner, server in _servers.items()}
    with SmtpSink(tmp_path / "mail") as sink:
        config = write_settings(tmp_path, mail_port=sink.port, mailboxes=mailboxes, policy='tell = "both"')
        with (
            process(config) as (_, address),
            httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
        ):
            doors = dict(zip((BUYER, SELLER), request.param, strict=True))
            yield Trade(str(config), _servers, sink, client, doors, capfd)


def place(trade: Trade) -> None:
    """100 of one item and 50 of the other."""
    trade.say(BUYER, ("850", order("PO-1", 100, 50)), "", an_order("PO-1", 100, 50))


def ship(trade: Trade) -> None:
    """40 of line 1 leave."""
    body = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 40}]}
    trade.say(SELLER, ("856", shipment("S-1", "PO-1", 40)), "/1/fulfil", body)


def test_whoever_cancels_the_other_knows_and_what_has_left_stays(trade: Trade) -> None:
    place(trade)
    ship(trade)
    assert trade.figures() == [("100", "40", "0", "60"), ("50", "0", "0", "50")]
    the_buyer_cancels_and_the_seller_knows(trade)
    the_seller_cancels_and_the_buyer_knows(trade)
    the_buyer_asks_for_too_much_and_is_told_why(trade)
    assert trade.command("audit")["breaches"] == []


def the_buyer_cancels_and_the_seller_knows(trade: Trade) -> None:
    by_file = ["BCH*04*SA*PO-1**1*20260303", f"POC*1*QD*75**EA*1**{ITEM}", "CTT*1"]
    body = {"quantity": 25, "reason": "no_longer_wanted", "note": "Store closed"}
    trade.say(BUYER, ("860", by_file), "/1/lines/1/cancel", body)
    assert trade.figures() == [("100", "40", "25", "35"), ("50", "0", "0", "50")]
    (mail,) = trade.mails(SELLER)

    assert "cancelled 25 units on 1 line of PO PO-1" in mail
    (document,) = trade.documents(SELLER, b"860")
    assert b"POC*1*QD*75*35*EA" in document  # ordered from now on, and to come
    assert trade.mails(BUYER) == []


def the_seller_cancels_and_the_buyer_knows(trade: Trade) -> None:
    by_file = acknowledgment("PO-1", "ACK*IA*65*EA", "ACK*IR*10*EA")
    body = {"quantity": 10, "reason": "out_of_stock"}
    trade.say(SELLER, ("855", by_file), "/1/lines/1/cancel", body)
    assert trade.figures() == [("100", "40", "35", "25"), ("50", "0", "0", "50")]
    (mail,) = trade.mails(BUYER)
    assert "cancelled 10 units on 1 line of PO PO-1" in mail
    kind = b"855" if trade.doors[SELLER] == "files" else b"865"  # an acknowledgment is passed on as one
    (document,) = trade.documents(BUYER, kind)
    assert b"PO-1" in document
    assert len(trade.mails(SELLER)) == 1


def the_buyer_asks_for_too_much_and_is_told_why(trade: Trade) -> None:
    if trade.doors[BUYER] == "api":
        answer = trade.post(BUYER, "/1/lines/1/cancel", {"quantity": 26})
        assert answer.status_code == 409
        assert answer.json() | {"asked": "26", "open": "25", "fulfilled": "40"} == answer.json()
        assert len(trade.mails(BUYER)) == 1
    else:
        by_file = ["BCH*04*SA*PO-1**2*20260304", f"POC*1*QD*39**EA*1**{ITEM}", "CTT*1"]
        assert trade.leaves(BUYER, "860", by_file)["refused"] == 1
        assert "25 open" in trade.mails(BUYER)[-1]
        (advice,) = [one for one in trade.documents(BUYER, b"824") if b"OTI*TR*" in one]
        assert b"PO-1" in advice
    assert trade.figures() == [("100", "40", "35", "25"), ("50", "0", "0", "50")]
    assert len(trade.mails(SELLER)) == 1
