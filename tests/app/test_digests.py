"""Digests: who chose one mail an hour is told of everything in it once, whatever happens meanwhile."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import run
from pipeline.contents import text_of
from pipeline.deliver import deliver
from pipeline.demo.smtp_sink import SmtpSink
from pipeline.telling.company_mail import choose
from pipeline.telling.digests import gather
from storage import digests, due, people, receipts, retention
from storage.due import Due, Work
from storage.outcomes import Outcome
from storage.states import MailPace, MailTopic, Status
from tests.api.site import SELLER, Site, served
from tests.app.clock import Hands
from tests.app.people import add_person, signed_in
from tests.unit.pipeline.ledger_files import acknowledgment, file_of, order, write_settings

ROOT = Path(__file__).resolve().parents[2]
ADA, DORA, DESK = "ada@acme.example", "dora@acme.example", "desk@acme.example"
NOW = datetime.now(UTC)
DIES = """
import os, signal, sys
from tests.crash.points import Passages, watch
watch(Passages(at=(sys.argv[1], 1), act=lambda: os.kill(os.getpid(), signal.SIGKILL)))
from pipeline.cli import run
sys.exit(run(["deliver", "--config", sys.argv[2]]))
"""


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path / "mails") as made:
        yield made


@pytest.fixture
def hands() -> Hands:
    """Two hours ago: a process with a clock of its own finds every digest due."""
    return Hands(NOW - timedelta(hours=2))


@pytest.fixture
def hub(tmp_path: Path, both_systems: None, sink: SmtpSink, hands: Hands) -> Iterator[Site]:
    """A site that sends mail, and whose time a test moves. Of acme, ada reads at once and dora hourly."""
    path = write_settings(tmp_path, mail_port=sink.port)
    with served(tmp_path, settings_file=path, clock=hands) as made:
        add_person(made, ADA, "acme")
        add_person(made, DORA, "acme")
        pick(made, ADA, MailPace.AT_ONCE)
        pick(made, DORA, MailPace.HOURLY)
        send(made, hands.at)  # the links
        yield made


def pick(site: Site, email: str, pace: MailPace) -> None:
    """Choose the same for every topic."""
    application = site.application

    def chosen(tx: Any) -> None:
        user = people.user_with(tx, email)
        assert user is not None
        choose(tx, application.settings, user, dict.fromkeys(MailTopic, pace))

    application.database.run(chosen)


def cancel(site: Site, order_id: int, line: int, quantity: int) -> None:
    """The seller cancels."""
    path = f"{SELLER}/{order_id}/lines/{line}/cancel"
    assert site.client("globex").post(path, json={"quantity": quantity}).status_code == 200


def send(site: Site, at: datetime) -> None:
    """What a round does at this time."""
    application = site.application

    def no_mailbox(partner: str) -> Any:
        raise AssertionError(partner)

    gather(application.settings, application.database, Hands(at))
    deliver(application.database, application.smtp, no_mailbox, Hands(at))


def got(sink: SmtpSink) -> Counter[tuple[str, str]]:
    """To whom, and with which subject; without the links that set passwords."""
    mails = [(m.recipients[0], message_from_bytes(m.content, policy=policy.default)) for m in sink.messages]
    return Counter((to, str(m["Subject"])) for to, m in mails if "password" not in str(m["Subject"]))


def killed_at(site: Site, point: str, folder: Path) -> None:
    """`countermand deliver`, killed there."""
    said = [sys.executable, "-c", DIES, point, str(folder / "countermand.toml")]
    process = subprocess.run(
        said, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()


def test_two_cancellations_in_an_hour_are_two_mails_at_once_and_one_digest(
    hub: Site, hands: Hands, sink: SmtpSink, tmp_path: Path
) -> None:
    order_id = hub.place("PO-1", 10, 4)
    cancel(hub, order_id, 1, 3)
    send(hub, hands.at)
    hands.sleep(20 * 60)
    cancel(hub, order_id, 2, 1)
    send(hub, hands.at)
    first = "Cancelled in part: PO PO-1, 3 units - Globex Supply"
    second = "Cancelled in part: PO PO-1, 1 unit - Globex Supply"
    at_once = Counter((to, subject) for to in (ADA, DESK) for subject in (first, second))
    assert got(sink) == at_once
    gathered = hub.application.database.dialect == "postgresql"  # each takes seconds: one way on each system
    killed_at(hub, f"commit telling.digests.gather: {'after' if gathered else 'before'}", tmp_path)
    with hub.application.database.reading() as tx:
        waits = digests.waiting(tx, digests.Reader(partner="acme", to=DORA))
    assert [entry.topic for entry in waits] == ([] if gathered else [MailTopic.CANCELLATIONS] * 2)
    assert got(sink) == at_once
    hands.sleep(60 * 60)
    send(hub, hands.at)
    send(hub, hands.at + timedelta(days=1))
    digest = (DORA, "2 cancellations - Acme Stores")
    assert got(sink) == at_once + Counter([digest])
    (told,) = [mail for mail in hub.mails(DORA) if mail.subject == digest[1]]
    words = " ".join(text_of(told).split())
    for said in (
        "Globex Supply cancelled 3 units on 1 line of PO PO-1",
        "Globex Supply cancelled 1 unit on 1 line of PO PO-1",
        f"/orders/{order_id}",
        "1 EA 3 10 0 3 7",
        "2 EA 1 4 0 1 3",
    ):
        assert said in words
    assert hub.breaches() == ()


def test_a_choice_holds_for_what_happens_after_it(hub: Site, hands: Hands, sink: SmtpSink) -> None:
    order_id = hub.place("PO-1", 10)
    cancel(hub, order_id, 1, 1)
    pick(hub, DORA, MailPace.AT_ONCE)
    cancel(hub, order_id, 1, 2)
    pick(hub, DORA, MailPace.NONE)
    cancel(hub, order_id, 1, 3)
    send(hub, hands.at)
    send(hub, hands.at + timedelta(hours=1))
    mine = sorted(subject for to, subject in got(sink).elements() if to == DORA)
    assert mine == [
        "1 cancellation - Acme Stores", "Cancelled in part: PO PO-1, 2 units - Globex Supply",
    ]  # fmt: skip
    assert hub.breaches() == ()


def test_several_workers_make_one_digest(hub: Site, hands: Hands) -> None:
    cancel(hub, hub.place("PO-1", 10), 1, 1)
    application, late = hub.application, Hands(hands.at + timedelta(hours=1))
    with application.database.reading() as tx:
        waits = due.waiting(tx, late.at, partners=["acme"])
        assert Due(Work.MAIL) in waits.due
    workers = [
        threading.Thread(target=gather, args=(application.settings, application.database, late))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [mail.subject for mail in hub.mails(DORA)][1:] == ["1 cancellation - Acme Stores"]
    with application.database.reading() as tx:
        assert digests.due_since(tx, late.at) is None
    assert hub.breaches() == ()


def test_what_one_mail_cannot_hold_is_told_in_parts(
    hub: Site, hands: Hands, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.telling.digests.ITEMS_MAX", 2)
    order_id = hub.place("PO-1", 100)
    for _ in range(3):
        cancel(hub, order_id, 1, 1)
    send(hub, hands.at + timedelta(hours=1))
    assert sorted(subject for to, subject in got(sink).elements() if to == DORA) == [
        "1 cancellation, part 2 of 2 - Acme Stores",
        "2 cancellations, part 1 of 2 - Acme Stores",
    ]
    assert hub.breaches() == ()


def test_what_waited_when_a_backup_was_put_back_is_for_a_person_to_look_at(
    hub: Site, hands: Hands, sink: SmtpSink
) -> None:
    cancel(hub, hub.place("PO-1", 10), 1, 1)
    send(hub, hands.at)
    content = file_of("855", acknowledgment("PO-1", verdict="RJ"), number=1, sender="globex", receiver="acme")
    with hub.application.database.writing() as tx:  # came in the lost time, and is read again
        kept = receipts.keep(
            tx, partner="globex", mailbox="globex", name=b"1.edi", content=content, at=hands.at
        )
        receipts.mark_moved(tx, kept.id, to="1.edi", at=hands.at)
    assert hub.application.restorer(None, ()).run(0).ended
    send(hub, hands.at + timedelta(hours=2))
    told = [mail for mail in hub.mails(DORA) if "cancellation" in mail.subject]
    assert [mail.status for mail in told] == [Status.UNCERTAIN, Status.UNCERTAIN]
    first, second = (" ".join(text_of(mail).split()) for mail in told)
    assert "cancelled 1 unit on 1 line of PO PO-1" in first
    assert "9 units on 1 line" in second
    assert [to for to, _ in got(sink).elements()].count(DORA) == 0
    assert hub.breaches() == ()


def test_a_refusal_is_told_in_a_digest_with_why(asking_site: Site) -> None:
    site = asking_site
    add_person(site, DORA, "acme")
    pick(site, DORA, MailPace.HOURLY)
    order_id = site.place("PO-1", 10)
    asked = site.client("acme").post(f"/api/v1/buyer/orders/{order_id}/cancel", json={"note": "too late"})
    assert asked.status_code == 200
    refused = site.client("globex").post(
        f"{SELLER}/{order_id}/cancellation-request/reject", json={"note": "packed already"}
    )
    assert refused.status_code == 200, refused.text
    application = site.application
    gather(application.settings, application.database, Hands(NOW + timedelta(hours=2)))
    told = site.mails(DORA)[-1]
    assert told.subject == "1 refusal - Acme Stores"
    assert "packed already" in text_of(told)
    assert site.breaches() == ()


@pytest.mark.parametrize("is_gone", [False, True])
def test_old_digests_are_emptied_with_their_words(
    hub: Site, hands: Hands, tmp_path: Path, capfd: pytest.CaptureFixture[str], is_gone: bool
) -> None:
    cancel(hub, hub.place("PO-1", 10), 1, 1)
    send(hub, hands.at + timedelta(hours=1))
    at = hands.at + timedelta(days=90)
    with hub.application.database.writing() as tx:
        assert retention.prune_mails(tx, at, at) > 1
    told = hub.mails(DORA)[-1]
    with hub.application.database.reading() as tx:
        (entry,) = digests.gathered(tx, told.id)
    assert (text_of(told), entry.content) == ("", "")
    if is_gone:
        revoke(hub, DORA)
    assert run(["resend", str(told.id), "--config", str(tmp_path / "countermand.toml")]) == 2
    assert "was emptied on" in capfd.readouterr().err
    assert hub.breaches() == ()


def test_the_order_says_that_a_digest_tells_of_it(hub: Site, hands: Hands) -> None:
    order_id = hub.place("PO-1", 10)
    cancel(hub, order_id, 1, 1)
    bob = signed_in(hub, "bob@globex.example", "globex")
    bob.get(f"/orders/{order_id}")
    assert "Digest of an hour to Acme Stores: waits for the hour to end" in bob.text
    send(hub, hands.at + timedelta(hours=1))
    bob.get(f"/orders/{order_id}")
    assert "Digest of an hour to Acme Stores: sent 20" in bob.text
    digest = hub.mails(DORA)[-1]
    assert bob.get(f"/orders/{order_id}/messages/{digest.id}").status_code == 404


def told_of_both(site: Site, hands: Hands) -> int:
    """A digest to dora that tells of a cancellation, which has an event, and of a refusal, which has none."""
    cancel(site, site.place("PO-1", 10), 1, 1)
    site.house.now = hands.at
    assert site.house.buyer(order("PO-1", 99)).outcome is Outcome.REFUSED
    send(site, hands.at + timedelta(hours=1))
    told = site.mails(DORA)[-1]
    assert told.subject == "1 cancellation and 1 refusal - Acme Stores"
    return told.id


def revoke(site: Site, *emails: str) -> None:
    """Their access ends, and they want no mail either."""

    def revoked(tx: Any) -> None:
        for email in emails:
            user = people.user_with(tx, email)
            assert user is not None
            people.revoke_user(tx, user.id, NOW)

    site.application.database.run(revoked)


def test_a_digest_whose_reader_is_gone_is_sent_again_to_whom_the_company_has(
    hub: Site, hands: Hands, tmp_path: Path
) -> None:
    told = told_of_both(hub, hands)
    pick(hub, DORA, MailPace.NONE)
    add_person(hub, "eve@acme.example", "acme")
    pick(hub, "eve@acme.example", MailPace.HOURLY)
    revoke(hub, DORA)
    before = len(hub.mails())
    command = ["resend", str(told), "--config", str(tmp_path / "countermand.toml")]
    assert run(command) == 0
    (again,) = hub.mails()[before:]
    assert (again.to, again.subject) == ("eve@acme.example", "1 cancellation and 1 refusal - Acme Stores")
    words = " ".join(text_of(again).split())
    assert "Globex Supply cancelled 1 unit on 1 line of PO PO-1" in words
    assert "PO PO-1 was refused" in words
    assert "as you chose" not in words
    assert run(command) == 2  # everybody was told
    assert hub.breaches() == ()


def test_a_digest_is_not_sent_again_where_the_company_has_nobody(
    hub: Site, hands: Hands, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = told_of_both(hub, hands)
    revoke(hub, DORA, ADA)
    path, before = tmp_path / "countermand.toml", hub.mails()
    path.write_text(path.read_text().replace('notify = ["desk@acme.example"]', "notify = []"))
    assert run(["resend", str(told), "--config", str(path)]) == 2
    assert "acme has nobody who could be told; name an address in notify first" in capfd.readouterr().err
    assert hub.mails() == before


def test_a_digest_sent_again_says_the_same(hub: Site, hands: Hands, sink: SmtpSink, tmp_path: Path) -> None:
    cancel(hub, hub.place("PO-1", 10), 1, 1)
    send(hub, hands.at + timedelta(hours=1))
    told = hub.mails(DORA)[-1]
    assert run(["resend", str(told.id), "--config", str(tmp_path / "countermand.toml")]) == 0
    send(hub, datetime.now(UTC))
    again = hub.mails(DORA)[-1]
    assert (again.resend_of, text_of(again)) == (told.id, text_of(told))
    assert got(sink)[(DORA, told.subject)] == 2
    assert hub.breaches() == ()
