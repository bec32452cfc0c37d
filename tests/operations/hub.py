"""An installation over two real OpenSSH servers and a real mail sink, operated by its command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import run
from pipeline.demo.smtp_sink import SmtpSink
from storage.database import Database
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.unit.pipeline.ledger_files import write_settings

FOLDERS = ("pickup", "processed", "rejected", "delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """acme's and globex's servers, the sink, and the settings that join them."""

    acme: OpenSshServer
    globex: OpenSshServer
    sink: SmtpSink
    config: str
    database: Database
    url: str
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> int:
        """One command; its exit code."""
        return run([*arguments, "--config", self.config])

    def said(self, *arguments: str) -> tuple[int, str, str]:
        """One command: exit code, standard output, standard error."""
        self.capture.readouterr()
        code = self.run(*arguments)
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def json(self, *arguments: str) -> Any:
        """What one command says with --json."""
        return json.loads(self.said(*arguments, "--json")[1])


@contextmanager
def both_servers() -> Iterator[tuple[OpenSshServer, OpenSshServer]]:
    """For a module's fixture: two servers."""
    with running_openssh() as acme, running_openssh() as globex:
        yield acme, globex


@contextmanager
def hub_on(
    servers: tuple[OpenSshServer, OpenSshServer],
    folder: Path,
    capture: pytest.CaptureFixture[str],
    *,
    url: str = "",
    policy: str = "",
) -> Iterator[Hub]:
    """A new installation on servers whose folders are empty; `url` is another database than a new file."""
    for server in servers:
        for name in FOLDERS:
            for file in server.path(name).iterdir():
                file.unlink()
    acme, globex = servers
    mailboxes = {"acme": acme.settings(), "globex": globex.settings()}
    with SmtpSink(folder / "mail") as sink:
        path = write_settings(folder, mail_port=sink.port, mailboxes=mailboxes, policy=policy)
        if url:
            path.write_text(path.read_text().replace("sqlite:///ledger.db", url))
        url = url or f"sqlite:///{folder / 'ledger.db'}"
        database = Database(url)
        try:
            yield Hub(
                acme=acme,
                globex=globex,
                sink=sink,
                config=str(path),
                database=database,
                url=url,
                capture=capture,
            )
        finally:
            database.close()
