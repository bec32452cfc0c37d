"""A process is stopped while it sends, another believes it dead and goes on, and it wakes up again."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from pipeline.clock import SystemClock
from pipeline.deliver import DeliveryReport, deliver
from pipeline.errors import OperatorError
from pipeline.mail import SmtpSettings
from pipeline.ports import Mailbox
from pipeline.settings import Security
from storage import messages, outbox
from storage.database import Database
from storage.messages import OutboxMessage
from storage.states import Status
from tests.integration.test_smtp import ScriptedServer
from tests.unit.storage.build import AT, mail

WAIT_SECONDS = 60.0


class HoldingServer(ScriptedServer):
    """Keeps the first who comes to one moment of the conversation waiting for its answer."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.arrived, self.released = threading.Event(), threading.Event()
        super().__init__({})

    def _say(self, client: object, moment: str) -> bool:
        if moment == self.moment and not self.arrived.is_set():
            self.arrived.set()
            self.released.wait(WAIT_SECONDS)
        return super()._say(client, moment)  # type: ignore[arg-type]


def no_mailbox(partner_id: str) -> Mailbox:
    raise OperatorError(f"{partner_id} has no mailbox")


def send(url: str, port: int) -> DeliveryReport:
    settings = SmtpSettings(
        host="127.0.0.1", port=port, security=Security.NONE, sender="edi@hub.example",
        timeout_seconds=WAIT_SECONDS,
    )  # fmt: skip
    database = Database(url)
    try:
        return deliver(database, lambda: settings, no_mailbox, SystemClock())
    finally:
        database.close()


@pytest.fixture(params=["RCPT", "dot"])
def server(request: pytest.FixtureRequest) -> Iterator[HoldingServer]:
    held = HoldingServer(request.param)
    yield held
    held.released.set()
    held.close()


def owed(database: Database, message_id: int) -> OutboxMessage:
    with database.reading() as tx:
        found = messages.get(tx, message_id)
    assert found is not None
    return found


def test_one_mail_leaves_whoever_wakes_up(database_url: str, server: HoldingServer) -> None:
    database = Database(database_url)
    with database.writing() as tx:
        message_id = outbox.enqueue(tx, mail("one", payload=b"Message-ID: <x>\r\n\r\nTen units.\r\n"), AT)
    assert message_id is not None
    child = multiprocessing.get_context("spawn").Process(target=send, args=(database_url, server.port))
    child.start()
    assert child.pid is not None
    assert server.arrived.wait(WAIT_SECONDS)
    os.kill(child.pid, signal.SIGSTOP)
    before_the_dot = server.moment == "RCPT"
    meanwhile = send(database_url, server.port)
    assert meanwhile.uncertain == (() if before_the_dot else (message_id,))
    assert owed(database, message_id).status is (Status.SENT if before_the_dot else Status.UNCERTAIN)
    server.released.set()
    os.kill(child.pid, signal.SIGCONT)
    child.join(WAIT_SECONDS)
    assert child.exitcode == 0
    # Before the dot, the one that woke up is told that the message is not its own any more, and breaks off.
    # After it, it alone knows what the server said, and settles what was uncertain.
    assert len(server.bodies) == 1
    assert owed(database, message_id).status is Status.SENT
    database.close()
