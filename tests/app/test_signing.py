"""Signing in and out: who gets in, for how long, what is kept, and what nobody learns."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Connection, text

from pipeline import journal
from pipeline.api.pages import passwords
from pipeline.cli import run
from pipeline.contents import text_of
from storage import people
from storage.messages import OutboxMessage
from storage.people import FREE_FAILURES, IDLE_HOURS, LOCK_SECONDS, SESSION_HOURS
from storage.states import UserRole
from tests.api.site import Site, served
from tests.app.clock import Hands
from tests.app.people import OWN_HASHER, PASSWORD, a_browser, add_person, signed_in
from tests.unit.pipeline.ledger_files import write_settings

MAIL_SECONDS_MAX = 20
SETTLED_SECONDS = 0.5  # in which a second mail, which must not be, would have come


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def timed(tmp_path: Path, both_systems: None, hands: Hands) -> Iterator[Site]:
    """A site whose time a test moves."""
    with served(tmp_path, clock=hands) as made:
        yield made


def _mail_after(site: Site, sent: int) -> OutboxMessage:
    """The one mail that is owed beyond so many; a link is made after its page was answered."""
    end = time.monotonic() + MAIL_SECONDS_MAX
    while len(site.mails()) == sent and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(SETTLED_SECONDS)
    (mail,) = site.mails()[sent:]
    return mail


def test_who_is_signed_in_sees_orders_and_who_is_not_is_asked_to_sign_in(site: Site) -> None:
    stranger = a_browser(site)
    for path in ("/", "/orders", "/orders/1", "/company"):
        stranger.get(path)
        assert "Forgot your password?" in stranger.text
    ada = signed_in(site, "ada@acme.example", "acme")
    assert ada.last is not None
    assert ada.last.url.path == "/orders"
    assert "Acme Stores" in ada.text
    ada.send("/sign-out")
    assert "You are signed out." in ada.text
    ada.get("/orders")
    assert "Forgot your password?" in ada.text


def test_one_is_led_to_where_one_wanted_to_go_and_never_to_another_site(site: Site) -> None:
    order_id = site.place("PO-1", 1)
    add_person(site, "ada@acme.example", "acme")
    ada = a_browser(site, "ada@acme.example")
    ada.get(f"/orders/{order_id}?x=1")
    ada.send("/sign-in", email=ada.email, password=PASSWORD)
    assert ada.last is not None
    assert (ada.last.url.path, "PO-1" in ada.text) == (f"/orders/{order_id}", True)
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\n/x"):
        other = a_browser(site, ada.email)
        other.client.follow_redirects = False
        other.get("/sign-in")
        answer = other.send("/sign-in", email=ada.email, password=PASSWORD, next=elsewhere)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_an_unknown_address_and_a_wrong_password_are_answered_alike(site: Site) -> None:
    add_person(site, "ada@acme.example", "acme")
    seen = []
    for email in ("ada@acme.example", "nobody@acme.example"):
        person = a_browser(site, email)
        answer = person.sign_in("not the password")
        seen.append((answer.status_code, person.text.replace(email, "")))
    assert seen[0] == seen[1]
    assert seen[0][0] == 403


def test_wrong_passwords_lock_the_account_for_longer_and_longer(timed: Site, hands: Hands) -> None:
    add_person(timed, "ada@acme.example", "acme")
    ada = a_browser(timed, "ada@acme.example")
    for _ in range(FREE_FAILURES):
        assert ada.sign_in("wrong password 1").status_code == 403
    assert ada.sign_in().status_code == 403  # the right one, too early
    hands.sleep(LOCK_SECONDS)
    assert ada.sign_in("wrong password 2").status_code == 403
    hands.sleep(LOCK_SECONDS)
    assert ada.sign_in().status_code == 403  # twice as long now
    hands.sleep(LOCK_SECONDS)
    assert ada.sign_in().status_code == 200
    for _ in range(FREE_FAILURES - 1):
        ada.sign_in("wrong password 3")
    assert ada.sign_in().status_code == 200  # the count began anew


def test_a_session_ends_when_it_is_not_used_and_when_its_day_is_over(timed: Site, hands: Hands) -> None:
    ada = signed_in(timed, "ada@acme.example", "acme")
    hands.sleep(IDLE_HOURS * 3600 - 60)
    assert ada.get("/orders").url.path == "/orders"
    hands.sleep(IDLE_HOURS * 3600 - 60)
    assert ada.get("/orders").url.path == "/orders"
    hands.sleep(IDLE_HOURS * 3600)
    assert ada.get("/orders").url.path == "/sign-in"
    ada.sign_in()
    for _ in range(SESSION_HOURS):
        assert ada.get("/orders").url.path == "/orders"
        hands.sleep(3600)
    assert ada.get("/orders").url.path == "/sign-in"


def test_cookies_are_for_this_site_alone_and_change_with_whoever_signs_in(site: Site) -> None:
    add_person(site, "ada@acme.example", "acme")
    ada = a_browser(site, "ada@acme.example")
    first = ada.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in first
    assert "SameSite=lax" in first
    assert "Secure" not in first  # http
    before = dict(ada.client.cookies)
    ada.sign_in()
    after = dict(ada.client.cookies)
    assert before.keys() == after.keys()
    assert before != after
    with site.application.database.reading() as tx:
        kept = str(tx.execute(text("SELECT * FROM app_session")).all())
        kept += str(tx.execute(text("SELECT * FROM app_user")).all())
    assert PASSWORD not in kept
    assert "$argon2id$" in kept
    for token in (*before.values(), *after.values()):
        assert token not in kept


def test_a_guess_costs_as_rfc_9106_has_it_whether_the_account_is_known_or_not() -> None:
    cost = "$argon2id$v=19$m=65536,t=3,p=4$"
    assert OWN_HASHER.hash(PASSWORD).startswith(cost)
    assert passwords._NOBODYS.startswith(cost)
    with pytest.raises(VerifyMismatchError):
        OWN_HASHER.verify(passwords._NOBODYS, PASSWORD)


def test_behind_tls_the_cookie_travels_by_tls_alone(tmp_path: Path, both_systems: None) -> None:
    path = write_settings(tmp_path)
    path.write_text(path.read_text() + '\n[site]\naddress = "https://orders.hub.example"\n')
    with served(tmp_path, settings_file=path) as site:
        cookie = a_browser(site).get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-countermand=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


def test_a_forgotten_password_is_set_by_a_mailed_link_that_is_good_once(timed: Site, hands: Hands) -> None:
    ada = signed_in(timed, "ada@acme.example", "acme", name="Ada Baker")
    sent = len(timed.mails())
    hands.sleep(3600)
    stranger = a_browser(timed)
    answers = []
    for email in ("ADA@acme.example ", "nobody@acme.example"):
        stranger.get("/forgot-password")
        stranger.send("/forgot-password", email=email)
        answers.append(stranger.text)
    assert answers[0] == answers[1]
    mail = _mail_after(timed, sent)
    assert mail.to == "ada@acme.example"
    link = re.search(r"http://[^\s]+(/password\?link=\S+)", text_of(mail))
    assert link is not None
    stranger.get(link[1])
    assert stranger.send("/password", password="short", again="short").status_code == 422
    long_one = "nine paper kettles"
    assert stranger.send("/password", password=long_one, again=long_one + "x").status_code == 422
    assert (
        "Your password is set"
        in (stranger.send("/password", password=long_one, again=long_one), stranger.text)[1]
    )
    assert stranger.get(link[1]).status_code == 404
    assert ada.get("/orders").url.path == "/sign-in"  # signed out everywhere
    assert ada.sign_in().status_code == 403
    assert ada.sign_in(long_one).status_code == 200


def test_no_secret_of_a_person_is_in_the_log(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    add_person(site, "ada@acme.example", "acme")
    ada = a_browser(site, "ada@acme.example")
    journal.set_up(journal.Level.DEBUG, journal.Format.JSON)
    try:
        ada.get("/forgot-password")
        ada.send("/forgot-password", email="ada@acme.example")
        link = re.search(r"/password\?link=(\S+)", text_of(_mail_after(site, 1)))
        assert link is not None
        ada.get(link[0])
        ada.send("/password", password="nine paper kettles", again="nine paper kettles")
        ada.sign_in("not the password")
        ada.sign_in("nine paper kettles")
    finally:
        journal.set_up(journal.Level.OFF, journal.Format.TEXT)
    log = capsys.readouterr().err
    for event in ("password_link_asked_for", "password_set", "sign_in_failed", "signed_in"):
        assert f'"{event}"' in log
    for secret in (link[1], "nine paper kettles", "not the password", *dict(ada.client.cookies).values()):
        assert secret not in log


def test_a_stranger_cannot_fill_a_mailbox_and_an_old_link_is_none(timed: Site, hands: Hands) -> None:
    add_person(timed, "ada@acme.example", "acme")
    sent = len(timed.mails())
    stranger = a_browser(timed)
    for _ in range(4):
        stranger.get("/forgot-password")
        stranger.send("/forgot-password", email="ada@acme.example")
    mail = _mail_after(timed, sent)
    link = re.search(r"(/password\?link=\S+)", text_of(mail))
    assert link is not None
    hands.sleep(3600)
    assert stranger.get(link[1]).status_code == 404


def test_staff_adds_lists_and_revokes_people(
    tmp_path: Path, both_systems: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path) as site:
        config = ["--config", str(site.application.settings.path)]
        assert run(["user", "add", "ada@acme.example", "--partner", "acme", "--name", "Ada", *config]) == 0
        link = re.search(r"/password\?link=\S+", capsys.readouterr().out)
        assert link is not None
        (mail,) = site.mails()
        assert link[0] in text_of(mail)
        ada = a_browser(site, "ada@acme.example")
        ada.get(link[0])
        ada.send("/password", password=PASSWORD, again=PASSWORD)
        assert ada.sign_in().url.path == "/orders"
        assert run(["user", "list", *config]) == 0
        assert "ada@acme.example" in capsys.readouterr().out
        assert run(["user", "revoke", "ada@acme.example", *config, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["disabled_at"] is not None
        assert ada.get("/orders").url.path == "/sign-in"
        assert ada.sign_in().status_code == 403
        wrong = (
            ["user", "add", "x@acme.example"],
            ["user", "add", "x@acme.example", "--partner", "acme", "--operator"],
            ["user", "add", "x@acme.example", "--partner", "nobody"],
            ["user", "add", "no address", "--operator"],
            ["user", "revoke", "nobody@acme.example"],
        )
        for command in wrong:
            assert run([*command, *config]) == 2
        assert run(["user", "add", "ada@acme.example", "--operator", *config, "--json"]) == 0
        again = capsys.readouterr().out
        assert json.loads(again[again.index("{") :])["role"] == "operator"
        assert run(["user", "add", "ada@acme.example", "--operator", *config]) == 2


def test_a_crowd_at_the_door_is_asked_to_wait_and_who_is_inside_goes_on(site: Site) -> None:
    ada = signed_in(site, "ada@acme.example", "acme")
    with ExitStack() as crowd:
        for _ in range(passwords.WAITING_MAX):
            crowd.enter_context(passwords._WAITING)
        late = a_browser(site, ada.email)
        assert late.sign_in().status_code == 503
        assert "Try again in a few seconds." in late.text
        assert ada.get("/orders").url.path == "/orders"
    assert late.sign_in().status_code == 200


def test_the_old_password_does_not_get_in_when_it_was_sent_before_it_was_replaced(site: Site) -> None:
    database = site.application.database
    user = add_person(site, "ada@acme.example", "acme")
    ada, newer = a_browser(site, user.email), passwords.hashed("nine paper kettles")
    with ThreadPoolExecutor() as pool:
        with ExitStack() as turns:  # while others have them, what was sent waits to be compared
            for _ in range(passwords.AT_ONCE):
                turns.enter_context(passwords._TURN)
            sent = pool.submit(ada.sign_in)
            end = time.monotonic() + MAIL_SECONDS_MAX
            while not _failures(site, user.id) and time.monotonic() < end:
                time.sleep(0.02)
            assert _failures(site, user.id) == 1  # it was read what it must fit
            with database.writing() as tx:
                link = people.make_link(tx, user.id, site.application.clock.now() + timedelta(hours=1))
                assert people.set_password(tx, link, newer, site.application.clock.now()) is not None
        assert sent.result().status_code == 403
    assert ada.get("/orders").url.path == "/sign-in"
    assert ada.sign_in("nine paper kettles").status_code == 200


def _failures(site: Site, user_id: int) -> int:
    with site.application.database.reading() as tx:
        user = people.get_user(tx, user_id)
    assert user is not None
    return user.failures


def test_whose_partner_left_the_settings_does_not_get_in(site: Site) -> None:
    application = site.application
    at = application.clock.now()

    def add(tx: Connection) -> None:
        user = people.add_user(tx, "eve@gone.example", UserRole.PARTNER, at, partner="gone")
        assert user is not None
        link = people.make_link(tx, user.id, at + timedelta(hours=1))
        assert people.set_password(tx, link, passwords.hashed(PASSWORD), at) is not None

    application.database.run(add)
    assert a_browser(site, "eve@gone.example").sign_in().status_code == 403


def test_locks_grow_and_stop_growing() -> None:
    waits = [people.lock_seconds(failures) for failures in range(1, 40)]
    assert waits[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert waits[FREE_FAILURES - 1 : FREE_FAILURES + 2] == [LOCK_SECONDS, 2 * LOCK_SECONDS, 4 * LOCK_SECONDS]
    assert max(waits) == people.LOCK_SECONDS_MAX == waits[-1]
