"""Documents for tests of the pages for support: one of every end, hostile ones among them."""

from datetime import timedelta

from storage import mailboxes
from storage.mailboxes import LeftFile, MailboxState
from storage.states import Left
from tests.api.site import Site
from tests.security.hostile_texts import FOR_MAIL, FOR_TERMINALS, one_byte
from tests.unit.pipeline.ledger_files import (
    ITEM,
    acknowledgment,
    cancellation,
    file_of,
    order,
    shipment,
)

#: What a partner may write into any text, as X12 can carry it; none of it may act on a page.
HOSTILE = tuple(dict.fromkeys(one_byte(text)[:60] for text in (*FOR_MAIL, *FOR_TERMINALS)))


def drop(site: Site, kind: str, *documents: list[str], number: int, sender: str, name: str = "") -> int:
    """A file in a partner's mailbox, read; its id."""
    receiver = "globex" if sender in ("acme", "bolt") else "acme"
    content = file_of(kind, *documents, number=number, sender=sender, receiver=receiver)
    return site.house.drop(content, partner=sender, name=name or f"{kind}-{number}.edi").file_id


def fill(site: Site) -> dict[str, int]:
    """Applied, refused, held, parked, faulty, and no X12 at all: the files' ids by what became of them."""
    faulty = ["BEG*00*SA*PO-7**20260399", f"PO1*1*x*EA*1**{ITEM}", "CTT*1"]
    return {
        "applied": drop(site, "850", order("PO-1", 60, 40), number=101, sender="acme"),
        "shipped": drop(site, "856", shipment("S-1", "PO-1", 10), number=201, sender="globex"),
        "cancelled": drop(site, "850", cancellation("PO-1"), number=102, sender="acme"),
        "refused": drop(site, "856", shipment("S-2", "PO-1", 5), number=202, sender="globex"),
        "asked": drop(site, "850", order("PO-2", 10), number=103, sender="acme"),
        "held": drop(site, "855", acknowledgment("PO-2", "ACK*IR*3*EA"), number=203, sender="globex"),
        "parked": drop(site, "856", shipment("S-9", "PO-9", 2), number=204, sender="globex"),
        "faulty": drop(site, "850", faulty, number=104, sender="acme"),
        "nothing": site.house.drop(b"no X12 at all", partner="acme", name="note.txt").file_id,
    }


def refused_once(site: Site) -> int:
    """The file of a shipment that was refused, and would not be now. Needs asn_withdraw = "reopen"."""
    drop(site, "850", order("PO-3", 5), number=301, sender="acme")
    drop(site, "856", shipment("R-1", "PO-3", 5), number=302, sender="globex")
    file_id = drop(site, "856", shipment("R-2", "PO-3", 5), number=303, sender="globex", name="caf\udce9.edi")
    withdrawn = ["BSN*01*R-1*20260304*1200", "HL*1**S", "HL*2*1*O", "PRF*PO-3", "CTT*2"]
    drop(site, "856", withdrawn, number=304, sender="globex")
    assert site.house.line("PO-3") == ("5", "0", "0", "5")
    return file_id


def look_into_mailboxes(site: Site) -> None:
    """One that works, one that is paused and in which something is left, and two never looked into."""
    now = site.application.clock.now()
    states = (
        MailboxState(partner="acme", address="a", served_at=now - timedelta(minutes=3)),
        MailboxState(
            partner="bolt", address="b", failures=4, error="login refused <b>", failed_at=now,
            served_at=now - timedelta(hours=30), resume_at=now + timedelta(hours=1),
        ),
    )  # fmt: skip
    left = LeftFile(
        partner="bolt", name_bytes=b"caf\xe9<i>.zip", size=123_456_789, modified=None, regular=True,
        reason=Left.TOO_LARGE, since=now, tried_at=now,
    )  # fmt: skip
    with site.application.database.writing() as tx:
        for state in states:
            mailboxes.set_state(tx, state)
        mailboxes.remember_left(tx, "bolt", [], [left])
