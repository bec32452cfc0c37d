"""Doors: how long a mailbox that failed is left alone, remembered by every process after this one."""

from bisect import bisect_left
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.doors import JITTER, RememberingDoor
from pipeline.errors import HostKeyMismatch, LoginRefused, MailboxPaused, TransportError
from pipeline.partners import MailboxSettings
from pipeline.settings_reader import Secret
from storage.database import Database
from tests.integration.sftp_server import nowhere
from tests.unit.pipeline.receiving import FakeClock

REFUSED = "sftp.example:22: the server refused our login"


class Doors:
    """Doors of new processes, one after the other, to the same mailbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.chance = 0.5

    def door(self, settings: MailboxSettings | None = None, *, by_hand: bool = False) -> RememberingDoor:
        return RememberingDoor(
            partner_id="acme",
            settings=settings or nowhere(),
            database=self.database,
            clock=self.clock,
            by_hand=by_hand,
            chance=lambda: self.chance,
        )

    def wait_seconds(self) -> float:
        """Until it may be tried again; the time goes by."""
        start = self.clock.seconds
        waited = bisect_left(range(5000), True, key=lambda seconds: self._may_be_tried(start + seconds))
        assert waited < 5000, "it is never tried again"
        self.clock.seconds = start + waited
        return waited

    def _may_be_tried(self, at_seconds: float) -> bool:
        self.clock.seconds = at_seconds
        try:
            self.door().check()
        except MailboxPaused:
            return False
        return True


@pytest.fixture
def doors(database: Database) -> Doors:
    return Doors(database)


def test_a_mailbox_that_fails_is_left_alone_for_longer_and_longer_whoever_asks(doors: Doors) -> None:
    doors.door().check()
    waits = []
    for _ in range(9):
        doors.door().failed(TransportError("no answer in time"))
        waits.append(doors.wait_seconds())
    assert waits == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    doors.door().served()
    doors.door().failed(TransportError("again"))
    assert doors.wait_seconds() == 30


def test_pauses_differ_so_that_what_failed_together_does_not_come_back_together(doors: Doors) -> None:
    for chance, seconds in ((0.0, 30 * (1 - JITTER)), (1.0, 30 * (1 + JITTER))):
        doors.door().served()
        doors.chance = chance
        doors.door().failed(TransportError("down"))
        assert doors.wait_seconds() == pytest.approx(seconds, abs=1)
    chances = {RememberingDoor.__dataclass_fields__["chance"].default() for _ in range(10)}  # type: ignore[operator]
    assert len(chances) == 10
    assert all(0 <= chance < 1 for chance in chances)


def test_a_failure_that_comes_through_several_hands_counts_once(doors: Doors) -> None:
    door, error = doors.door(), TransportError("down")
    door.failed(error)
    door.failed(error)
    door.failed(MailboxPaused("not tried"))
    assert doors.wait_seconds() == 30


def test_a_refused_login_is_tried_three_times_and_then_no_more(doors: Doors) -> None:
    tries, said = 0, ""
    for seconds in [60] * 120 + [3600] * 7 * 24:  # cron, every minute, and a week more
        door = doors.door()
        try:
            door.check()
        except MailboxPaused as pause:
            said = str(pause)
        else:
            tries += 1
            door.failed(LoginRefused(REFUSED))
        doors.clock.seconds += seconds
    assert tries == 3
    assert "refused 3 times and is not tried any more" in said
    assert "countermand doctor" in said
    assert REFUSED in said


def test_a_try_with_key_and_password_counts_as_two(doors: Doors, tmp_path: Path) -> None:
    both = nowhere(key_file=tmp_path / "key", password=Secret("secret"))
    for _ in range(2):
        doors.door(both).failed(LoginRefused(REFUSED))
    with pytest.raises(MailboxPaused, match="refused 4 times and is not tried any more"):
        doors.door(both).check()


def test_a_person_is_reminded_once_a_day(doors: Doors) -> None:
    for _ in range(3):
        doors.door().failed(LoginRefused(REFUSED))
    assert not doors.door().remind(), "the third refusal has just been said"
    reminded = 0
    for _ in range(3 * 24):
        doors.clock.seconds += 3600
        reminded += doors.door().remind()
    assert reminded == 3
    doors.door(by_hand=True).entered()
    doors.clock.seconds += 86_400
    assert not doors.door().remind()


def stop(doors: Doors) -> None:
    for _ in range(3):
        doors.door().failed(LoginRefused(REFUSED))
    with pytest.raises(MailboxPaused):
        doors.door().check()


def test_a_person_who_gets_in_starts_it_again(doors: Doors) -> None:
    stop(doors)
    by_hand = doors.door(by_hand=True)
    by_hand.check()
    by_hand.failed(LoginRefused(REFUSED))
    with pytest.raises(MailboxPaused, match="refused 4 times"):
        doors.door().check()
    doors.door(by_hand=True).entered()
    doors.door().check()


@pytest.mark.parametrize(
    "change", [{"host": "other.example"}, {"port": 23}, {"username": "new"}, {"host_keys": ("ssh-rsa AAAA",)}]
)
def test_other_settings_are_tried_at_once(doors: Doors, change: dict[str, object]) -> None:
    stop(doors)
    changed = replace(nowhere(), **change)  # type: ignore[arg-type]
    doors.door(changed).check()
    doors.door(changed).failed(TransportError("down"))
    with pytest.raises(MailboxPaused, match="1 times in a row"):
        doors.door(changed).check()


def test_another_key_in_the_same_file_is_tried_at_once(doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one")
    settings = nowhere(key_file=tmp_path / "key")
    for _ in range(3):
        doors.door(settings).failed(LoginRefused(REFUSED))
    with pytest.raises(MailboxPaused):
        doors.door(settings).check()
    (tmp_path / "key").write_text("another")
    doors.door(settings).check()


def test_a_changed_host_key_pauses_and_never_stops_for_good(doors: Doors) -> None:
    for _ in range(5):
        doors.door().failed(HostKeyMismatch("HOST KEY CHANGED"))
        assert doors.wait_seconds() <= 1800


def test_a_clock_that_was_set_back_makes_no_long_pause(doors: Doors) -> None:
    doors.door().failed(TransportError("down"))
    doors.clock.seconds -= timedelta(days=1).total_seconds()
    assert doors.wait_seconds() == 0


def test_nothing_of_a_password_is_remembered(doors: Doors, tmp_path: Path) -> None:
    doors.door(nowhere()).failed(TransportError("down"))
    with doors.database.reading() as tx:
        row = repr(tx.exec_driver_sql("SELECT * FROM mailbox").one())
    assert "secret" not in row, "the password of nowhere()"
