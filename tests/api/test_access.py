"""Who is let in, how often, and with how much: keys, rates, sizes, headers, and what the log says of it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from pipeline import journal
from pipeline.api.callers import KNOWN_SECONDS, Pace
from pipeline.api.guard import BODY_BYTES_MAX, CONTENT_POLICY
from pipeline.cli import run
from storage import access_keys
from storage.states import Scope
from tests.api.site import BUYER, Site, an_order, served
from tests.unit.pipeline.ledger_files import write_settings


def test_who_shows_no_good_key_is_told_no_more_than_that(site: Site) -> None:
    order_id = site.place("PO-1", 1)
    key = site.key("acme")
    strangers = [
        "",
        "Bearer x",
        f"Bearer {key}x",
        f"Basic {key}",
        "Bearer",
        f"Bearer {key[:-1]}",
        "Bearer ü",
    ]
    for shown in strangers:
        headers = [(b"Authorization", shown.encode("latin-1"))] if shown else []
        for address in (BUYER, f"{BUYER}/{order_id}", f"{BUYER}/999"):
            answer = httpx.get(site.address + address, headers=headers, trust_env=False)
            assert answer.status_code == 401, shown
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="countermand"')
            assert answer.json()["type"] == "/api/problems/unauthorized"


def test_a_key_ends_when_it_expires_and_when_it_is_revoked(site: Site) -> None:
    application, database = site.application, site.application.database
    now = application.clock.now()
    past, future = now - timedelta(seconds=1), now + timedelta(hours=1)
    _, expired = database.run(lambda tx: access_keys.add_key(tx, "acme", [Scope.READ], now, expires_at=past))
    made, good = database.run(
        lambda tx: access_keys.add_key(tx, "acme", [Scope.READ], now, expires_at=future)
    )
    _, gone = database.run(lambda tx: access_keys.add_key(tx, "no-partner-any-more", [Scope.READ], now))
    assert site.client(secret=expired).get(BUYER).status_code == 401
    assert site.client(secret=gone).get(BUYER).status_code == 401
    client = site.client(secret=good)
    assert client.get(BUYER).status_code == 200
    database.run(lambda tx: access_keys.revoke_key(tx, made.id, now))
    time.sleep(KNOWN_SECONDS)  # a key that came a moment ago is not looked up
    assert client.get(BUYER).status_code == 401


def test_the_last_use_of_a_key_is_noted_and_no_secret_is_kept(site: Site) -> None:
    secret = site.key("acme")
    with site.application.database.reading() as tx:
        (made,) = access_keys.list_keys(tx)
    assert made.last_used_at is None
    site.client(secret=secret).get(BUYER)
    with site.application.database.reading() as tx:
        (used,) = access_keys.list_keys(tx, "acme")
        kept = tx.execute(text("SELECT * FROM api_key")).one()
    assert used.last_used_at is not None
    assert secret not in str(kept)
    assert secret.removeprefix(access_keys.PREFIX) not in str(kept)
    assert len(secret) >= 43 + len(access_keys.PREFIX)  # 256 bits in base64


@pytest.fixture
def slow_site(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A site where a key may come three times, and then every 50 seconds."""
    with served(tmp_path, pace=Pace(burst=3, per_second=0.02)) as made:
        yield made


def test_who_comes_too_often_is_told_when_to_come_again(slow_site: Site) -> None:
    busy, other = slow_site.client("acme"), slow_site.client("acme")
    assert [busy.get(BUYER).status_code for _ in range(4)] == [200, 200, 200, 429]
    late = busy.get(BUYER)
    assert late.json()["type"] == "/api/problems/too-many-requests"
    assert 1 <= int(late.headers["Retry-After"]) <= 50
    assert other.get(BUYER).status_code == 200


def test_a_body_over_the_bound_is_not_read_however_it_comes(site: Site) -> None:
    acme = site.client("acme")
    said = acme.post(BUYER, content=b" " * (BODY_BYTES_MAX + 1), headers={"Content-Type": "application/json"})
    assert (said.status_code, said.json()["type"]) == (413, "/api/problems/too-large")

    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 65536 + 2):
            yield b" " * 65536

    unsaid = acme.post(BUYER, content=pieces(), headers={"Content-Type": "application/json"})
    assert (unsaid.status_code, unsaid.headers["Content-Type"]) == (413, "application/problem+json")
    whole = json.dumps(an_order("PO-1", 1)).encode()
    fits = acme.post(BUYER, content=whole.ljust(BODY_BYTES_MAX), headers={"Content-Type": "application/json"})
    assert fits.status_code == 201
    assert acme.get(BUYER, params={"po_number": "x" * 9000}).status_code == 414


@pytest.mark.parametrize("lengths", ["Content-Length: 2", "Content-Length: 2\r\nContent-Length: 2"])
def test_a_body_whose_end_is_said_in_two_ways_is_not_read(site: Site, lengths: str) -> None:
    order_id, key = site.place("PO-1", 10), site.key("acme")
    head = (
        f"POST {BUYER}/{order_id}/cancel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\n{lengths}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", httpx.URL(site.address).port or 0), timeout=20) as client:
        client.sendall(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
        answer = b"".join(iter(partial(client.recv, 65536), b""))  # until it hangs up
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"/api/problems/bad-request" in answer
    assert site.client("acme").get(f"{BUYER}/{order_id}").json()["status"] == "open"


def test_a_head_is_what_a_get_answers_without_its_body(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    for address in (f"{BUYER}/{order_id}", "/sign-in"):
        whole, head = acme.get(address), acme.head(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.content))
        assert head.headers.get("ETag") == whole.headers.get("ETag")
    assert acme.head(f"{BUYER}/{order_id}/cancel").status_code == 405


def test_every_answer_has_what_protects_a_browser(site: Site) -> None:
    for address in ("/api/openapi.json", BUYER, "/nowhere", "/api/v1/nowhere"):
        answer = site.client().get(address)
        assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "server" not in answer.headers
    assert "'unsafe-inline'" not in CONTENT_POLICY
    assert site.client().get("/api/v1/nowhere").headers["Content-Type"] == "application/problem+json"
    assert site.client("acme").get(BUYER).headers["Cache-Control"] == "no-store"


def test_each_request_is_a_line_of_the_log_and_no_secret_is_in_it(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = site.key("acme")
    journal.set_up(journal.Level.DEBUG, journal.Format.JSON)
    lines, end = "", time.monotonic() + 10
    try:
        answer = site.client(secret=secret).get(BUYER, params={"po_number": "PO-1"})
        site.client(secret="cmk_wrong").get(BUYER)
        while lines.count('"event": "request"') < 2 and time.monotonic() < end:
            lines += capsys.readouterr().err  # a request is logged after it was answered
    finally:
        journal.set_up(journal.Level.OFF, journal.Format.TEXT)
    first, second = [json.loads(line) for line in lines.splitlines()]
    assert (first["event"], first["method"], first["path"], first["status"]) == ("request", "GET", BUYER, 200)
    assert (first["partner"], first["by"]) == ("acme", "API key 1 (ERP)")
    assert first["request"] == answer.headers["X-Request-Id"]
    assert (second["status"], "by" in second) == (401, False)
    assert secret not in lines
    assert "cmk_wrong" not in lines


def test_staff_makes_lists_and_revokes_keys(
    tmp_path: Path, both_systems: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(write_settings(tmp_path))]
    scopes = ["--scope", "orders:read", "--scope", "orders:cancel"]
    assert run(["key", "add", "--partner", "acme", *scopes, "--name", "ERP", *config, "--expires", "30"]) == 0
    said = capsys.readouterr().out
    secret = said.split()[-1]
    assert secret.startswith(access_keys.PREFIX)
    assert run(["key", "list", *config]) == 0
    listed = capsys.readouterr().out
    assert "orders:cancel, orders:read" in listed
    assert "never" in listed
    assert secret not in listed
    assert run(["key", "revoke", "1", *config, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked_at"] is not None
    assert run(["key", "revoke", "7", *config]) == 2
    assert run(["key", "add", "--partner", "nobody", *scopes, *config]) == 2
    assert run(["key", "add", "--partner", "acme", "--scope", "everything", *config]) == 2
    assert run(["key", "list", *config, "--json"]) == 0
    assert "secret" not in capsys.readouterr().out


_WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("fastapi", "uvicorn", "starlette"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from pipeline.cli import run
sys.exit(run(["serve", "--config", sys.argv[1]]))
"""


def test_serving_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WITHOUT, str(write_settings(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "install countermand[serve]" in ended.stderr


@pytest.mark.parametrize(
    "body",
    [
        b'{"lines": [{"line": "\\ud800", "quantity": 1}]}',
        b'{"lines": [{"line": "\\u0000", "quantity": 1}]}',
        b'{"lines": [{"line": "1", "quantity": 1e999}]}',
        b'{"lines": [{"line": "1", "quantity": ' + b"9" * 5000 + b"}]}",
        b'{"lines": [{"line": "1", "quantity": NaN}]}',
        b"[" * 100_000,
        b"\xff",
        b"null",
        b"",
    ],
    ids=range(9),
)
def test_what_no_program_sends_is_refused_and_changes_nothing(site: Site, body: bytes) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "odd"}
    answer = acme.post(f"{BUYER}/{order_id}/cancel", content=body, headers=headers)
    assert answer.status_code in (400, 409, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert acme.get(f"{BUYER}/{order_id}").json()["status"] == "open"
