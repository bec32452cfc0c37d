"""The points: that they are all there, that each is hit, and that a new durable step would be noticed."""

import sys
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.conftest import require
from tests.crash.campaign import Crash, Kind, Worlds, carry_out, every_point
from tests.crash.points import BY_HAND, CHANGING, COMMITS, NAMES, Passages, transactions, writes
from tests.crash.world import UNLISTED, StoppedClock, World, world
from tests.integration.sftp_server import running_openssh

pytestmark = pytest.mark.needs("sftp-server")


def test_every_transaction_of_the_program_has_a_point() -> None:
    found = {name for _, _, name in transactions() if not name.startswith(BY_HAND)}
    assert found == set(COMMITS), "tests/crash/points.py lists every function that writes to the database"


def test_a_commit_nobody_listed_ends_the_process(sqlite_world: World) -> None:
    from pipeline import poll

    def meddle() -> None:
        expire = vars(poll)["expire_waiting"]

        def something_new(settings: Any, database: Database, *more: Any) -> Any:
            with database.writing() as tx:
                tx.exec_driver_sql("UPDATE orders SET revision = ''")
            return expire(settings, database, *more)

        something_new.__globals__["__name__"] = "pipeline.novelty"
        vars(poll).update(expire_waiting=something_new)

    sqlite_world.reset()
    sqlite_world.in_child = meddle
    try:
        ended = sqlite_world.poll(Passages())
    finally:
        sqlite_world.in_child = lambda: None
    assert ended.code == UNLISTED
    assert "is no point of tests/crash/points.py" in sqlite_world.output()


def test_what_leaves_the_process_leaves_by_doors_that_are_watched(sqlite_world: World) -> None:
    seen: set[tuple[str, str]] = set()

    def spy(event: str, arguments: tuple[Any, ...]) -> None:
        changing = (
            "os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.exec",
            "os.system", "subprocess.Popen", "socket.connect", "sqlite3.connect", "shutil.move",
        )  # fmt: skip
        if event in changing or writes(event, arguments):
            seen.add((event, Path(str(arguments[0])).name if event in ("open", "sqlite3.connect") else ""))

    def work(said: dict[str, Any]) -> int:
        sys.addaudithook(spy)
        code = sqlite_world.poll_here(Passages(), StoppedClock())
        said["seen"] = sorted(seen)
        return code

    sqlite_world.reset()
    ended = sqlite_world.run(work, Passages())
    assert ended.said["seen"] == [
        ("open", "ledger.db.lock"),
        ("socket.connect", ""),  # the mailboxes and the mail server
        ("sqlite3.connect", "ledger.db"),
    ]


@pytest.mark.needs("sshd")
def test_over_ssh_the_same_points_are_passed_and_the_same_comes_of_it(sqlite_worlds: list[Worlds]) -> None:
    with sqlite_worlds[0]() as plain:
        expected = plain.learn()
        with running_openssh() as server, world(require("sftp-server"), ssh=server) as real:
            counts = real.learn()
            kinds = (*(f"sftp {kind}" for kind in CHANGING), "commit", "smtp")
            assert {k: n for k, n in counts.items() if k.startswith(kinds)} == {
                k: n for k, n in expected.items() if k.startswith(kinds)
            }
            assert counts.keys() == expected.keys()
            assert _outcome(real, server.port) == _outcome(plain, plain.sftp.port)
            crashes = [crash for crash in every_point(counts) if crash.at[0].startswith("sftp rename")]
            outcomes = [carry_out(real, crash) for crash in crashes[::15]]
    assert [str(outcome) for outcome in outcomes if outcome.breaches] == []
    assert all(outcome.happened for outcome in outcomes)


def _outcome(world: World, port: int) -> list[str]:
    """What an undisturbed run ends with; a mail to support names the server."""
    assert world.expected is not None
    rows = [str(row) for rows in world.expected.picture.values() for row in rows.elements()]
    return sorted(row.replace(f":{port}", "") for row in rows)


def test_a_point_that_is_not_reached_is_not_counted(sqlite_world: World) -> None:
    outcome = carry_out(sqlite_world, Crash(Kind.KILL, (NAMES[0], 10_000)))
    assert (outcome.happened, outcome.breaches) == (0, ())
