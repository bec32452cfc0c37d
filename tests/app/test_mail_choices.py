"""Who gets which e-mail: chosen in the app and by command, each for one person, never leaving nobody."""

import json
from pathlib import Path

import pytest

from pipeline.cli import run
from pipeline.doctor import examine
from pipeline.telling.company_mail import CompanyMail
from storage import people
from storage.mail_choices import Chooser
from storage.states import MailPace, MailTopic
from tests.api.site import Site, served
from tests.app.people import add_person, signed_in
from tests.unit.pipeline.ledger_files import write_settings

MAIL = "/company/mail#mail"
ADA, BEN = "ada@acme.example", "ben@acme.example"
HOURLY = {"cancellations": "hourly", "requests": "none", "refusals": "at_once"}
NOT_AT_ALL = {"cancellations": "none", "requests": "none", "refusals": "none"}


def told_to(page: str, address: str) -> str:
    """The row of the table, as it stands in the page's text."""
    return page.partition(f"{address} ")[2][:60]


def test_a_person_chooses_for_themself_and_the_company_sees_it(site: Site) -> None:
    ada = signed_in(site, ADA, "acme")
    ada.get("/company")
    assert told_to(ada.text, "desk@acme.example").startswith("At once At once At once")
    assert "the last one cannot be switched off" in ada.text
    answer = ada.send(MAIL, **HOURLY)
    assert answer.status_code == 200
    assert "Your choice is kept." in ada.text
    ben = signed_in(site, BEN, "acme")
    ben.get("/company")
    assert told_to(ben.text, ADA).startswith("Once an hour, in one e-mail Not at all At once")
    assert BEN not in ben.text.partition("Choose your own")[0].partition("E-mail")[2]
    bob = signed_in(site, "bob@globex.example", "globex")
    bob.get("/company")
    assert ADA not in bob.page
    order_id = site.place("PO-1", 10)
    cancelled = site.client("globex").post(f"/api/v1/seller/orders/{order_id}/cancel", json={})
    assert cancelled.status_code == 200
    assert [mail.to for mail in site.mails("acme") if "PO-1" in mail.subject] == ["desk@acme.example"]
    assert site.breaches() == ()


def test_each_choice_has_a_label_and_what_is_chosen_is_shown(site: Site) -> None:
    ada = signed_in(site, ADA, "acme")
    ada.get("/company")
    ada.send(MAIL, **HOURLY)
    for topic, pace in HOURLY.items():
        assert f'<label for="mail-{topic}">' in ada.page
        chosen = ada.page.partition(f'id="mail-{topic}"')[2].partition("</select>")[0]
        assert f'value="{pace}" selected' in chosen
    ada.get("/company")
    without = {key: value for key, value in ada.form(MAIL).items() if key == "csrf"}
    assert ada.post(MAIL, without).status_code == 422
    assert ada.post(MAIL, {**without, **HOURLY, "refusals": "weekly"}).status_code == 422


def test_the_hubs_people_have_no_company_to_choose_for(site: Site) -> None:
    olga = signed_in(site, "olga@hub.example")
    olga.get("/orders")
    assert olga.post(MAIL, olga.form("/sign-out") | HOURLY).status_code == 404


@pytest.mark.parametrize("notify", ["[]", f'["{ADA.title()}"]'])
def test_the_last_one_who_is_told_cannot_be_switched_off(
    tmp_path: Path, both_systems: None, notify: str
) -> None:
    path = write_settings(tmp_path)
    path.write_text(path.read_text().replace('notify = ["desk@acme.example"]', f"notify = {notify}"))
    with served(tmp_path, settings_file=path) as site:
        ada = signed_in(site, ADA, "acme")
        ada.get("/company")
        ada.send(MAIL, **HOURLY | {"requests": "at_once"})
        answer = ada.send(MAIL, **NOT_AT_ALL)
        assert answer.status_code == 422
        assert "Nothing was changed: you are the last one of Acme Stores" in ada.text
        command = ["user", "mail", ADA, "--refusals", "none", "--config", str(path)]
        assert run(command) == 2
        ben = signed_in(site, BEN, "acme")
        ben.get("/company")
        ben.send(MAIL, **HOURLY | {"requests": "at_once"})
        assert ada.send(MAIL, **NOT_AT_ALL).status_code == 200
        ben.get("/company")
        assert ben.send(MAIL, **NOT_AT_ALL).status_code == 422


def test_who_is_revoked_or_gone_leaves_the_addresses_of_the_settings(site: Site) -> None:
    """Where everybody's choice were to leave nobody, all whom the settings name are told at once."""
    off = Chooser(user_id=1, email=ADA, paces=dict.fromkeys(MailTopic, MailPace.NONE))
    company = CompanyMail("acme", "Acme Stores", (ADA,), (off,))
    assert company.chosen(MailTopic.CANCELLATIONS) == {}
    assert company.paces(MailTopic.CANCELLATIONS) == {ADA: MailPace.AT_ONCE}
    ada = add_person(site, ADA, "acme")
    application = site.application
    path = str(application.settings.path)
    assert run(["user", "mail", ADA, "--cancellations", "at_once", "--config", path]) == 0
    application.database.run(lambda tx: people.revoke_user(tx, ada.id, application.clock.now()))
    order_id = site.place("PO-1", 10)
    site.client("globex").post(f"/api/v1/seller/orders/{order_id}/cancel", json={})
    assert [mail.to for mail in site.mails("acme") if "PO-1" in mail.subject] == ["desk@acme.example"]
    assert run(["user", "mail", ADA, "--config", path]) == 2


def test_who_comes_back_for_another_company_has_chosen_nothing_there(site: Site) -> None:
    path = str(site.application.settings.path)
    ada = add_person(site, ADA, "acme")
    assert run(["user", "mail", ADA, "--cancellations", "hourly", "--config", path]) == 0
    site.application.database.run(lambda tx: people.revoke_user(tx, ada.id, site.application.clock.now()))
    add_person(site, ADA, "globex")
    order_id = site.place("PO-1", 10)
    site.client("acme").post(f"/api/v1/buyer/orders/{order_id}/cancel", json={})
    assert [mail.to for mail in site.mails() if "PO-1" in mail.subject] == ["desk@globex.example"]


def test_the_command_shows_and_sets(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    add_person(site, ADA, "acme")
    add_person(site, "olga@hub.example")
    config = ["--config", str(site.application.settings.path)]
    assert run(["user", "mail", ADA, "--cancellations", "hourly", "--json", *config]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "email": ADA, "cancellations": "hourly", "requests": "none", "refusals": "none",
    }  # fmt: skip
    assert run(["user", "mail", ADA, *config]) == 0
    assert f"{ADA}, cancellations: once an hour, in one e-mail" in capfd.readouterr().out
    assert run(["user", "mail", "olga@hub.example", *config]) == 2
    assert run(["user", "mail", "nobody@acme.example", *config]) == 2


def failing(site: Site) -> set[str]:
    """What the doctor finds wrong."""
    return {one.what for one in examine(site.application) if not one.ok}


def test_support_sees_what_went_to_a_companys_people(site: Site) -> None:
    eve = signed_in(site, "eve@hub.example")
    add_person(site, ADA, "acme")
    eve.get("/support/outbox?partner=acme")
    assert ADA not in eve.text
    command = ["user", "mail", ADA, "--cancellations", "at_once"]
    assert run([*command, "--config", str(site.application.settings.path)]) == 0
    eve.get("/support/outbox?partner=acme")
    assert ADA in eve.text


def test_the_preview_says_within_the_hour_where_nobody_wants_it_at_once(
    tmp_path: Path, both_systems: None
) -> None:
    path = write_settings(tmp_path)
    path.write_text(path.read_text().replace('notify = ["desk@acme.example"]', "notify = []"))
    with served(tmp_path, settings_file=path) as site:
        add_person(site, ADA, "acme")
        assert run(["user", "mail", ADA, "--cancellations", "hourly", "--config", str(path)]) == 0
        assert "partner acme" in failing(site)  # of requests and refusals nobody is told
        for topic in ("--requests", "--refusals"):
            assert run(["user", "mail", ADA, topic, "at_once", "--config", str(path)]) == 0
        assert "partner acme" not in failing(site)
        order_id = site.place("PO-1", 10)
        seen = site.client("globex").post(f"/api/v1/seller/orders/{order_id}/cancellation-preview", json={})
        assert [told["by"] for told in seen.json()["told"]] == [["digest"]]
        assert seen.json()["statement"] == "This cannot be undone. Acme Stores is told within the hour."


@pytest.mark.parametrize(("hours", "way"), [(2, "email"), (3, "digest")])
def test_the_preview_knows_what_waits_for_no_digest(
    tmp_path: Path, both_systems: None, hours: int, way: str
) -> None:
    path = write_settings(tmp_path, policy=f'buyer_cancel = "requested"\nrequest_deadline_hours = {hours}')
    path.write_text(path.read_text().replace('notify = ["desk@globex.example"]', "notify = []"))
    with served(tmp_path, settings_file=path) as site:
        add_person(site, "bob@globex.example", "globex")
        hourly = ["--cancellations", "hourly", "--requests", "hourly", "--refusals", "hourly"]
        assert run(["user", "mail", "bob@globex.example", *hourly, "--config", str(path)]) == 0
        order_id = site.place("PO-1", 10)
        seen = site.client("acme").post(f"/api/v1/buyer/orders/{order_id}/cancellation-preview", json={})
        assert [told["by"] for told in seen.json()["told"]] == [[way]]
