"""What cannot be written or sent is a row with its reason; the fact stands, and staff can mend it."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jinja2
import pytest

from pipeline.cli import run
from pipeline.contents import text_of
from pipeline.mail import message
from pipeline.telling.company_mail import choose
from pipeline.telling.digests import gather
from storage import outbox, people
from storage.invariants import audit
from storage.messages import OutboxMessage
from storage.outcomes import Outcome
from storage.states import Kind, MailPace, MailTopic, Status, UserRole
from tests.app.clock import Hands
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, cancellation, file_of, order, shipment

TEMPLATES = Path(message.__file__).parents[2] / "templates" / "email"


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the templates that a test may spoil."""
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy)
    monkeypatch.setattr(message, "PackageLoader", lambda *_: jinja2.FileSystemLoader(copy))
    message._environment.cache_clear()
    yield copy
    message._environment.cache_clear()


@pytest.fixture
def house(tmp_path: Path, both_systems: None) -> Iterator[House]:
    made = house_with(tmp_path, "")
    yield made
    made.database.close()


def cancelled(house: House) -> OutboxMessage:
    """An order is placed and cancelled; the mail to the seller, whatever became of it."""
    assert house.buyer(order("PO-1", 10)).outcome is Outcome.APPLIED
    assert house.buyer(cancellation("PO-1")).outcome is Outcome.APPLIED
    assert house.line("PO-1") == ("10", "0", "10", "0")
    with house.database.reading() as tx:
        assert audit(tx) == ()
    (mail,) = (mail for mail in house.messages(Kind.EMAIL) if mail.event_id is not None)
    return mail


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ("{{ nobody_knows_this }}", "UndefinedError"),
        ("{{ lines / 0 }}", "TypeError"),
        ("{% if %}", "TemplateSyntaxError"),
        (None, "TemplateNotFound"),
    ],
)
def test_a_template_that_fails_costs_its_own_mail_only(
    house: House, templates: Path, spoiled: str | None, why: str
) -> None:
    template = templates / "order_cancelled.txt.j2"
    template.unlink() if spoiled is None else template.write_text(spoiled)
    mail = cancelled(house)
    assert (mail.status, mail.to, mail.payload) == (Status.REFUSED, "desk@globex.example", b"")
    assert mail.error.startswith(f"template order_cancelled failed: {why}")
    # The next mail, from another template, goes its way.
    house.buyer(order("PO-2", 10))
    house.seller("855", ["BAK*00*RJ*PO-2*20260302", "CTT*0"])
    house.buyer(["BEG*00*SA*PO-2**20260301", "PO1*1*11*EA*1**UP*012345678905", "CTT*1"])
    assert [m.status for m in house.messages(Kind.EMAIL) if m.to == "desk@acme.example"] == [
        Status.REFUSED,
        Status.NEW,
    ]


def test_a_mail_that_could_not_be_written_is_written_when_the_template_is_mended(
    house: House, templates: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    template = templates / "order_cancelled.txt.j2"
    sound = template.read_text()
    template.write_text("{{ nobody_knows_this }}")
    mail = cancelled(house)
    config = str(tmp_path / "countermand.toml")
    assert run(["resend", str(mail.id), "--config", config]) == 2
    assert "still cannot be sent: template order_cancelled failed" in capfd.readouterr().err
    template.write_text(sound)
    message._environment.cache_clear()
    assert run(["resend", str(mail.id), "--config", config]) == 0
    (again,) = (m for m in house.messages(Kind.EMAIL) if m.resend_of == mail.id)
    assert (again.status, again.to) == (Status.NEW, mail.to)
    assert again.identity not in ("", mail.identity)
    assert again.identity.encode() in again.payload
    assert "PO-1" in again.subject


def test_a_digest_that_could_not_be_written_is_written_when_the_template_is_mended(
    house: House, templates: Path, tmp_path: Path
) -> None:
    at = house.now + timedelta(hours=2)
    with house.database.writing() as tx:
        dora = people.add_user(tx, "dora@globex.example", UserRole.PARTNER, at, partner="globex")
        assert dora is not None
        choose(tx, house.settings, dora, {MailTopic.CANCELLATIONS: MailPace.HOURLY})
    assert cancelled(house).to == "desk@globex.example"  # the first one: at once
    template = templates / "digest.html.j2"
    sound = template.read_text()
    template.write_text("{{ nobody_knows_this }}")
    gather(house.settings, house.database, Hands(at))
    digest = house.messages(Kind.EMAIL)[-1]
    assert (digest.to, digest.status) == ("dora@globex.example", Status.REFUSED)
    config = str(tmp_path / "countermand.toml")
    assert run(["resend", str(digest.id), "--config", config]) == 2
    template.write_text(sound)
    message._environment.cache_clear()
    assert run(["resend", str(digest.id), "--config", config]) == 0
    (again,) = (m for m in house.messages(Kind.EMAIL) if m.resend_of == digest.id)
    assert (again.subject, again.status) == ("1 cancellation - Globex Supply", Status.NEW)
    with house.database.reading() as tx:
        assert audit(tx) == ()


def refused(house: House, mail: OutboxMessage) -> None:
    """The mail server does not know the address."""
    with house.database.writing() as tx:
        claimed = outbox.claim(tx, mail)
        assert claimed is not None
        outbox.mark_refused(tx, claimed, "RCPT TO: 550 no such user")


def test_a_corrected_address_is_told_when_the_refused_mail_is_sent_again(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mail = cancelled(house)
    refused(house, mail)
    config = tmp_path / "countermand.toml"
    settings = config.read_text()
    assert run(["resend", str(mail.id), "--config", str(config)]) == 0  # the server may know it by now
    (again,) = (m for m in house.messages(Kind.EMAIL) if m.resend_of == mail.id)
    assert (again.to, again.status) == (mail.to, Status.NEW)
    capfd.readouterr()
    assert run(["resend", str(mail.id), "--config", str(config)]) == 2
    assert f"Message {again.id} repeats message {mail.id} already and waits" in capfd.readouterr().err
    config.write_text(settings.replace("desk@globex.example", "orders@globex.example"))
    assert run(["resend", str(mail.id), "--config", str(config)]) == 0
    (moved,) = (m for m in house.messages(Kind.EMAIL) if m.to == "orders@globex.example")
    assert (moved.status, moved.event_id, moved.resend_of) == (Status.NEW, mail.event_id, None)
    capfd.readouterr()
    assert run(["resend", str(mail.id), "--config", str(config)]) == 2
    assert "was told already" in capfd.readouterr().err
    assert len([m for m in house.messages(Kind.EMAIL) if m.event_id == mail.event_id]) == 2


def test_what_is_still_due_is_not_sent_again(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mail = cancelled(house)
    assert run(["resend", str(mail.id), "--config", str(tmp_path / "countermand.toml")]) == 2
    assert f"Message {mail.id} is new: it will be sent anyway." in capfd.readouterr().err


def test_of_a_document_about_several_orders_every_refusal_is_told_once(house: House) -> None:
    for po_number in ("PO-1", "PO-2", "PO-3"):
        house.buyer(order(po_number, 10))
    document = ["BSN*00*S-1*20260303*1200", "HL*1**S"]
    for place, (po_number, units) in enumerate({"PO-1": 99, "PO-2": 2, "PO-3": 98}.items(), start=1):
        document += [
            f"HL*{2 * place}*1*O", f"PRF*{po_number}", f"HL*{2 * place + 1}*{2 * place}*I", f"LIN*1*{ITEM}",
            f"SN1**{units}*EA",
        ]  # fmt: skip
    content = file_of("856", [*document, "CTT*7"], number=50, sender="globex", receiver="acme")
    assert house.drop(content).outcome is Outcome.REFUSED
    told = [f"Refused: ship notice (856) for PO {po_number}" for po_number in ("PO-1", "PO-3")]
    assert [subject for to, subject in house.mails() if to == "desk@globex.example"][-2:] == told
    (first, last) = (text_of(m) for m in house.messages(Kind.EMAIL) if m.subject in told)
    assert "Nothing of PO PO-2 and PO PO-3 was applied either" in " ".join(first.split())
    assert "Nothing of PO PO-1 and PO PO-2 was applied either" in " ".join(last.split())
    (support,) = (text_of(m) for m in house.messages(Kind.EMAIL) if m.to == "support@hub.example")
    assert support.index("PO PO-1") < support.index("ship 99") < support.index("PO PO-3")
    before = house.mails()
    house.drop(content, name="again.edi")
    assert house.mails() == before


def test_a_report_that_is_refused_names_every_order_it_is_about(house: House) -> None:
    """An 870 cancels: its sender reads which orders were left as they are for the sake of another."""
    for po_number in ("PO-1", "PO-2"):
        house.buyer(order(po_number, 10))
    house.seller("856", shipment("S-1", "PO-2", 10))
    document = ["BSR*3*PA*R-1*20260305", "HL*1**O", "PRF*PO-1", "ISR*DE", "HL*2**O", "PRF*PO-2", "ISR*DE"]
    assert house.seller("870", document).outcome is Outcome.REFUSED
    (mail,) = (m for m in house.messages(Kind.EMAIL) if m.subject.startswith("Not cancelled: PO PO-2"))
    assert "Nothing of PO PO-1 was applied either" in " ".join(text_of(mail).split())
    assert house.line("PO-1") == ("10", "0", "0", "10")


def test_a_ship_notice_that_came_before_with_other_content_names_all_its_orders(house: House) -> None:
    for po_number in ("PO-1", "PO-2"):
        house.buyer(order(po_number, 10))
    house.seller("856", shipment("S-1", "PO-1", 1))
    more = ["HL*4*1*O", "PRF*PO-2", "HL*5*4*I", f"LIN*1*{ITEM}", "SN1**1*EA", "CTT*5"]
    assert house.seller("856", [*shipment("S-1", "PO-1", 1)[:-1], *more]).outcome is Outcome.REFUSED
    (mail,) = (m for m in house.messages(Kind.EMAIL) if m.subject.startswith("Refused:"))
    assert "Nothing of PO PO-2 was applied either" in " ".join(text_of(mail).split())
