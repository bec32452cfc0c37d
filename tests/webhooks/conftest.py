"""A ledger on both systems, its partners' endpoints, and receivers for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.deliver import DeliveryReport
from pipeline.post_events import Poster
from pipeline.settings import WebhookSettings
from pipeline.webhooks.posting import Limits
from storage import messages, webhooks
from storage.invariants import Breach, audit
from storage.messages import OutboxMessage
from storage.states import Kind, Topic
from storage.webhooks import Endpoint
from tests.api.site import Site, served
from tests.crash.world import StoppedClock
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import write_settings
from tests.webhooks.receiver import Receiver, receiver

QUICK = Limits(look_up_seconds=0.4, connect_seconds=1, read_seconds=0.4, total_seconds=0.8)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Hooks:
    """A house whose partners listen, and what posts to them under a clock that stands still."""

    house: House
    folder: Path
    clock: StoppedClock
    poster: Poster

    def add(self, partner: str, url: str, *topics: Topic) -> tuple[Endpoint, str]:
        """An endpoint and its secret; of all topics unless some are named."""
        return self.house.database.run(
            lambda tx: webhooks.add_endpoint(tx, partner, url, topics or tuple(Topic), self.clock.now())
        )

    def post(self) -> DeliveryReport:
        return self.poster.round()

    def wait(self, **much: float) -> None:
        self.clock.time += timedelta(**much)

    def owed(self) -> list[OutboxMessage]:
        with self.house.database.reading() as tx:
            return list(messages.list_messages(tx, kind=Kind.WEBHOOK))

    def breaches(self) -> tuple[Breach, ...]:
        with self.house.database.reading() as tx:
            return audit(tx)


def hooks_with(folder: Path, policy: str) -> Iterator[Hooks]:
    """An empty ledger, and what was agreed."""
    house, clock = house_with(folder, policy), StoppedClock(NOW)
    settings = WebhookSettings(allow_loopback=True)
    poster = Poster(database=house.database, settings=settings, clock=clock, limits=QUICK)
    yield Hooks(house, folder, clock, poster)
    house.database.close()


@pytest.fixture
def hooks(tmp_path: Path, both_systems: None) -> Iterator[Hooks]:
    """An empty ledger."""
    yield from hooks_with(tmp_path, "")


@pytest.fixture
def reopening_hooks(tmp_path: Path, both_systems: None) -> Iterator[Hooks]:
    """The same, where a seller may take a shipment back."""
    yield from hooks_with(tmp_path, 'asn_withdraw = "reopen"')


@pytest.fixture
def one() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Another one."""
    with receiver() as made:
        yield made


def settings_file(folder: Path, policy: str = "") -> Path:
    """Settings that allow loopback."""
    path = write_settings(folder, policy=policy)
    path.write_text(path.read_text() + "\n[webhooks]\nallow_loopback = true\n")
    return path


@pytest.fixture
def site(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A served ledger that may post to loopback."""
    with served(tmp_path, settings_file=settings_file(tmp_path)) as made:
        yield made
