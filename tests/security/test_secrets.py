"""No secret in any output: canaries wherever a secret may stand, through every command, and when it fails."""

import smtplib
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli import run
from pipeline.demo.smtp_sink import SmtpSink
from pipeline.settings import SETTINGS_BYTES_MAX, SettingsError, load
from storage.database import Database, DatabaseUnavailable
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import cancellation, file_of, order
from tests.unit.pipeline.ledger_files import settings_text as plain_settings
from tests.unit.storage.build import rows

CANARY = "c4nary-9f3e"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILmIifvHI0RyRrbtsnNixKMAs1Itfvsixr3b/lb4y/j/"
COMMANDS = [
    ["doctor"], ["poll"], ["deliver"], ["orders"], ["order", "PO-1"], ["held"], ["outbox"], ["audit"],
    ["cancel", "PO-1", "--by", "acme"], ["resend", "1"], ["release", "1", "--as", "x"], ["db", "current"],
    ["db", "upgrade"], ["orders", "--partner", "nobody"], ["orders", "--csv"],
]  # fmt: skip
NOISE: tuple[list[str], ...] = ([], ["--json"])


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path / "mail") as running:
        yield running


def write(folder: Path, port: int, database: str = "sqlite:///ledger.db") -> Path:
    """Settings with a canary as SMTP password, SFTP password and private key; `database` may have one."""
    (folder / "password").write_text(CANARY)
    (folder / "key").write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END-----\n")
    (folder / "key").chmod(0o600)
    box = f"""
  [partner.mailbox]
host = "127.0.0.1"
port = 1
username = "hub"
host_keys = ["{KEY}"]
pickup = "/a"
processed = "/b"
rejected = "/c"
delivery = "/d"
"""
    text = plain_settings(mail_port=port).replace("sqlite:///ledger.db", database)
    text = text.replace("[mail]\n", '[mail]\nusername = "hub"\npassword_env = "CANARY_PASSWORD"\n')
    for partner, secret in (("acme", 'password_file = "password"\n'), ("bolt", 'key_file = "key"\n')):
        notify = f'notify = ["desk@{partner}.example"]\n'
        assert notify in text
        text = text.replace(notify, f"{notify}@{partner}@")
        start = text.index(f"@{partner}@")
        policy = text.index("  [partner.policy]", start)
        text = (
            text[:start]
            + text[start:policy].replace(f"@{partner}@", "")
            + box.replace("/a", f"/{partner}")
            + secret
            + text[policy:]
        )
    path = folder / "countermand.toml"
    path.write_text(text)
    return path


@pytest.fixture
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_PASSWORD", CANARY)


def outputs(config: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Everything every command says, in every form, with the log at its most talkative."""
    said = []
    for command in COMMANDS:
        for noise in NOISE:
            if "--csv" in command and noise:
                continue
            assert run([*command, *noise, "--config", str(config)]) in (0, 1, 2)
            captured = capsys.readouterr()
            said.append(captured.out + captured.err)
    return "\n".join(said)


@pytest.mark.usefixtures("_password")
def test_no_command_shows_a_password_or_a_key(
    database_url: str,
    tmp_path: Path,
    sink: SmtpSink,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = write(tmp_path, sink.port, database_url)
    settings = load(config, {"CANARY_PASSWORD": CANARY})
    house = House(settings, Database(settings.database.url))
    for number, document in enumerate((order("PO-1", 5), order("PO-2", 5), cancellation("PO-2")), start=1):
        house.drop(file_of("850", document, number=number, sender="acme", receiver="globex"))
    monkeypatch.setenv("COUNTERMAND_LOG_LEVEL", "debug")
    said = outputs(config, capsys)
    assert "127.0.0.1:1" in said  # the mailboxes were tried
    assert "key_file" in said
    assert CANARY not in said
    assert CANARY not in repr(settings)
    assert CANARY not in str(settings)
    with house.database.reading() as tx:
        assert CANARY not in repr(rows(tx))
    assert not any(CANARY.encode() in message.content for message in sink.messages)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the bug's open socket
@pytest.mark.usefixtures("_password")
def test_a_bug_beside_a_password_does_not_show_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sink: SmtpSink
) -> None:
    def login(_: object, user: str, password: str) -> None:
        assert password == CANARY
        raise RuntimeError(f"no luck for {user}")

    monkeypatch.setattr(smtplib.SMTP, "login", login)
    config = write(tmp_path, sink.port)
    assert run(["doctor", "--config", str(config)]) == 3
    captured = capsys.readouterr()
    assert "RuntimeError: no luck for hub" in captured.err
    assert CANARY not in captured.out + captured.err


URLS = [
    f"postgresql+psycopg://hub:{CANARY}@127.0.0.1:1/hub?connect_timeout=2",
    f"postgresql+psycopg://hub:{CANARY}@127.0.0.1:1/hub?connect_timeout=nonsense",
    f"postgresql+psycopg://hub:{CANARY}@/hub?host=/nowhere",
]


@pytest.mark.usefixtures("_password")
@pytest.mark.parametrize("url", URLS)
def test_the_databases_password_is_in_no_output(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path, 1, url)
    said = ""
    for command in (["doctor"], ["poll"], ["orders"], ["audit"], ["db", "current"], ["db", "upgrade"]):
        for noise in NOISE:
            assert run([*command, *noise, "--config", str(config)]) in (2, 3)
            captured = capsys.readouterr()
            said += captured.out + captured.err
    assert said
    assert CANARY not in said
    shown = load(config, {}).database.shown
    assert "hub:***@" in shown
    assert CANARY not in repr(load(config, {})) + shown


@pytest.mark.parametrize(
    "rest",
    [
        f"hub:pa@{CANARY}@127.0.0.1/hub", f"hub:pa/{CANARY}@127.0.0.1/hub", f"hub:pa?{CANARY}@127.0.0.1/hub",
        f"hub:pa#{CANARY}@127.0.0.1/hub", f"hub:pa:{CANARY}@127.0.0.1/hub", f"hub:{CANARY} x@127.0.0.1/hub",
        f"hub@127.0.0.1/hub?password={CANARY}", f"hub@127.0.0.1/hub?a=1&PASSWORD={CANARY}",
        f"hub@127.0.0.1/hub?sslpassword={CANARY}", f"hub@127.0.0.1:{CANARY}/hub", f"hub:{CANARY}@127.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_would_be_taken_apart_wrongly_is_refused_unseen(rest: str, tmp_path: Path) -> None:
    config = write(tmp_path, 1, f"postgresql+psycopg://{rest}")
    with pytest.raises(SettingsError, match=r"database\.url") as refused:
        load(config, {})
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("url", ["", "x", f"nonsense:{CANARY}", f"postgresql+psycopg://h:{CANARY}@x:port/n"])
def test_an_address_that_cannot_be_understood_is_not_shown(url: str) -> None:
    with pytest.raises((DatabaseUnavailable, ValueError)) as refused:
        Database(url)
    assert CANARY not in "".join(traceback.format_exception_only(refused.value))


@pytest.mark.parametrize(
    ("table", "line"),
    [("[mail]", 'password = "c4nary-9f3e"'), ("  [partner.policy]", 'password = "c4nary-9f3e"')],
)
def test_a_secret_written_into_the_settings_is_refused_unseen(table: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "countermand.toml"
    path.write_text(plain_settings().replace(table, f"{table}\n{line}", 1))
    with pytest.raises(SettingsError, match="password") as refused:
        load(path, {})
    assert CANARY not in str(refused.value)


def test_settings_have_a_size(tmp_path: Path) -> None:
    path = tmp_path / "countermand.toml"
    text = plain_settings()
    path.write_text(text + "\n" * (SETTINGS_BYTES_MAX - len(text)))
    assert load(path, {}).hub.gs == "HUB"
    path.write_text(text + "\n" * (SETTINGS_BYTES_MAX - len(text) + 1))
    with pytest.raises(SettingsError, match="more than 4194304"):
        load(path, {})
