"""What only a server can do to us: refuse, fall silent, be restarted, be slow, be full, be another one."""

import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest
from sqlalchemy import Connection, exc, text

from storage.database import (
    AlreadyRunning,
    Database,
    DatabaseUnavailable,
    InDoubt,
    LedgerBug,
    TryAgain,
    in_doubt,
    lock_names,
    postgresql,
)
from storage.invariants import audit
from storage.sequences import next_number
from tests.postgres import USER, PostgresServer
from tests.unit.storage.build import cut, figures, place, ship, submit
from tests.unit.storage.cutting_proxy import Cut, CuttingProxy

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "postgresql.md"


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    borrowed = postgres_server.borrow()
    yield borrowed
    postgres_server.give_back(borrowed)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    yield made
    made.close()


def counted(database: Database) -> int:
    """How often "n" was counted and kept."""
    with database.reading() as tx:
        return int(tx.execute(text("SELECT COALESCE(MAX(value), 0) FROM sequence")).scalar_one())


def count(tx: Connection) -> None:
    next_number(tx, "n")


def fail(tx: Connection, state: str) -> None:
    """The server says that something is wrong, in its usual way."""
    tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = '{state}'; END $$"))


def write(database: Database, *steps: Callable[[Connection], None]) -> None:
    with database.writing() as tx:
        for step in steps:
            step(tx)


def say(database: Database, statement: str) -> None:
    with database.writing() as tx:
        tx.execute(text(statement))


def use(address: str) -> None:
    write(Database(address), count)


def test_every_wait_is_bounded_and_commits_are_durable(database: Database, url: str) -> None:
    wanted = {
        "statement_timeout": "2min", "lock_timeout": "30s", "idle_in_transaction_session_timeout": "10min",
        "application_name": "countermand", "TimeZone": "UTC", "synchronous_commit": "on",
        "transaction_isolation": "read committed",
    }  # fmt: skip
    with database.writing() as tx:
        assert {name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in wanted} == wanted
    own = Database(
        f"{url}?application_name=desk&options=-c%20lock_timeout%3D5s%20-c%20synchronous_commit%3Doff"
    )
    with own.writing() as tx:
        said = {name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in wanted}
    own.close()
    assert said == {**wanted, "lock_timeout": "5s", "application_name": "desk"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((r":\d+/", ":1/"), "does not answer; check that the server runs"),
        ((r"@127\.0\.0\.1", "@nowhere.invalid"), "whose name is not known"),
        ((r"/test_\d+", "/nowhere"), 'database "nowhere" does not exist'),
        ((f"{USER}@", "nobody@"), 'role "nobody" does not exist'),
        ((f"{USER}@", "guarded:wrong@"), "refuses our password"),
        ((f"{USER}@", "guarded@"), "asks for a password"),
        ((r"/test_\d+", "/postgres"), "is not up to date: run `countermand db upgrade`"),
        ((r"$", "?options=-c%20default_transaction_read_only%3Don"), "cannot be written: it is a standby"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(url: str, change: tuple[str, str], said: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=re.escape(said)) as caught:
        use(re.sub(*change, url))
    assert "wrong@" not in str(caught.value)


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with CuttingProxy(0) as mute:
        mute.fall_silent()
        with pytest.raises(DatabaseUnavailable, match="does not answer in time"):
            use(f"postgresql+psycopg://hub@127.0.0.1:{mute.port}/x?connect_timeout=2")


def test_a_server_without_room_for_us_is_explained(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    with postgres_server.admin() as admin:
        admin.execute(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT 1")
    first = Database(url)
    with first.writing(), pytest.raises(DatabaseUnavailable, match="no connection left for us"):
        use(url)
    first.close()
    postgres_server.drop(url)


def test_our_own_pool_is_waited_for_a_bounded_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 41: too many connections at once end in a sentence, not in a wait for ever."""
    monkeypatch.setattr(postgresql, "POOL_SECONDS", 0.2)
    monkeypatch.setattr(postgresql, "POOL_SIZE", 1)
    database = Database(url)
    with (
        database.writing(),
        pytest.raises(DatabaseUnavailable, match="holds too many connections"),
        database.reading(),
    ):
        pass
    assert counted(database) == 0
    database.close()


def test_locks_and_slow_statements_end_in_sentences(database: Database, url: str) -> None:
    use(url)
    hasty = Database(f"{url}?options=-c%20lock_timeout%3D100ms%20-c%20statement_timeout%3D1s")
    with database.writing() as tx:
        next_number(tx, "n")
        with pytest.raises(DatabaseUnavailable, match="others hold for longer than we wait"):
            write(hasty, count)
    with pytest.raises(DatabaseUnavailable, match="in the time allowed"), hasty.writing() as tx:
        tx.execute(text("SELECT pg_sleep(30)"))
    hasty.close()
    assert counted(database) == 2


def test_what_only_reads_can_write_nothing_and_keeps_what_was_prepared(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be written"), database.reading() as tx:
        count(tx)
    for _ in range(10):
        counted(database)
    with database.reading() as tx:
        kept = tx.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("sequence" in statement for statement in kept)


def test_long_texts_are_packed_in_the_quick_way_unless_the_operator_says_else(
    database: Database, url: str
) -> None:
    own = Database(f"{url}?options=-c%20default_toast_compression%3Dpglz")
    for used, wanted in ((database, "lz4"), (own, "pglz")):
        with used.reading() as tx:
            assert tx.execute(text("SHOW default_toast_compression")).scalar_one() == wanted
    own.close()


def test_a_transaction_left_alone_gives_its_locks_back(database: Database, url: str) -> None:
    """Fault 41: a process that stands still cannot stop the others for ever."""
    sleepy = Database(f"{url}?options=-c%20idle_in_transaction_session_timeout%3D100ms")
    with pytest.raises(DatabaseUnavailable, match=r"idle in a transaction|broke off"):
        write(sleepy, count, lambda tx: time.sleep(0.5), count)
    sleepy.close()
    assert counted(database) == 0


def test_a_full_disk_is_explained_and_nothing_is_half_written(database: Database) -> None:
    """Fault 35. The server is made to say what it says then: filling its disk would stop the other tests."""
    with pytest.raises(DatabaseUnavailable, match="disk of the server is full"):
        write(database, count, lambda tx: fail(tx, "53100"))
    assert counted(database) == 0


def test_an_error_that_was_swallowed_does_not_undo_in_silence(database: Database) -> None:
    """The server answers COMMIT with ROLLBACK then, and says nothing else."""

    def swallow(tx: Connection) -> None:
        with suppress(exc.DBAPIError):
            fail(tx, "22012")

    with pytest.raises(exc.InternalError, match="current transaction is aborted"):
        write(database, count, swallow)
    assert counted(database) == 0


def test_texts_may_hold_what_partners_send(database: Database) -> None:
    odd = "NUL \0, half \ud800, smile \U0001f600, \u202e"
    with database.writing() as tx:
        assert next_number(tx, odd) == 1
        assert next_number(tx, odd) == 2
        kept = tx.execute(text("SELECT name FROM sequence")).scalar_one()
    assert kept == "NUL \ufffd, half \ufffd, smile \U0001f600, \u202e"


def through(proxy: CuttingProxy, url: str) -> Database:
    return Database(re.sub(r":\d+/", f":{proxy.port}/", url))


def test_a_commit_whose_reply_is_lost_is_known_to_be_done(
    postgres_server: PostgresServer, database: Database, url: str
) -> None:
    """Fault 40: the work goes on as if nothing had happened."""
    with CuttingProxy(postgres_server.port, Cut.REPLY) as proxy:
        behind = through(proxy, url)
        write(behind, count, proxy.arm)
        assert (proxy.cuts, counted(database)) == (1, 1)
        with behind.writing() as tx:
            assert next_number(tx, "n") == 2
        behind.close()


@pytest.mark.parametrize("cut", [Cut.REQUEST, Cut.SILENT])
def test_a_commit_that_never_arrived_is_known_not_to_be_done(
    postgres_server: PostgresServer, database: Database, url: str, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 40: also when the server still holds our transaction open and waits for us."""
    monkeypatch.setattr(in_doubt, "PATIENCE_SECONDS", 0.3)
    with CuttingProxy(postgres_server.port, cut) as proxy:
        behind = through(proxy, url)
        with pytest.raises(DatabaseUnavailable, match="nothing was written") as caught:
            write(behind, count, proxy.arm)
        assert type(caught.value) is DatabaseUnavailable
        assert (proxy.cuts, counted(database)) == (1, 0)
        with behind.writing() as tx:
            assert next_number(tx, "n") == 1
        behind.close()


def test_a_commit_nobody_knows_of_is_said_to_be_in_doubt(
    postgres_server: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_doubt, "LOOK_SECONDS", 0.3)
    with CuttingProxy(postgres_server.port, Cut.REPLY) as proxy:
        proxy.on_cut = proxy.fall_silent
        behind = through(proxy, f"{url}?connect_timeout=2")
        with pytest.raises(InDoubt, match="may or may not have been written"):
            write(behind, count, proxy.arm)
        behind.close()


@pytest.mark.parametrize("history", ["other", "future"])
def test_another_server_s_word_about_a_number_is_not_believed(database: Database, history: str) -> None:
    """Fault 40: a standby that took over may have lost our transaction, and given its number to another."""
    with database.writing() as tx:
        next_number(tx, "n")
        ours = in_doubt.ticket(tx)
    assert ours is not None
    other = replace(ours, history="000000FF") if history == "other" else replace(ours, number="999999999")
    engine = postgresql.server_engine(database._url)
    assert in_doubt.ending(engine, ours) is in_doubt.Ending.COMMITTED
    assert in_doubt.ending(engine, other) is in_doubt.Ending.UNKNOWN
    engine.dispose()


def test_only_what_wrote_can_be_in_doubt(database: Database) -> None:
    with database.writing() as tx:
        assert in_doubt.ticket(tx) is None


@pytest.mark.parametrize("how", ["terminate", "immediate", "kill"])
def test_a_session_that_is_ended_wrote_nothing_and_the_next_one_works(
    postgres_server: PostgresServer, database: Database, how: str
) -> None:
    """Fault 40: pg_terminate_backend, an immediate stop, kill -9; then everything as before."""
    with database.writing() as tx:
        next_number(tx, "n")

    def end(tx: Connection) -> None:
        if how == "terminate":
            process = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with postgres_server.admin() as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", [process])
        elif how == "immediate":
            postgres_server.restart("immediate")
        else:
            postgres_server.kill()
            postgres_server.start()

    with pytest.raises(DatabaseUnavailable, match="nothing was written"):
        write(database, count, end, count)
    with database.writing() as tx:
        assert next_number(tx, "n") == 2


def test_a_server_that_restarts_during_the_commit_is_asked_when_it_is_back(
    postgres_server: PostgresServer, database: Database, url: str
) -> None:
    """Fault 40: the reply is lost in a crash of the server, and it takes a while to come back."""
    cut = threading.Event()
    with CuttingProxy(postgres_server.port, Cut.REPLY) as proxy, ThreadPoolExecutor(1) as pool:
        behind = through(proxy, url)
        proxy.on_cut = cut.set
        written = pool.submit(write, behind, count, proxy.arm)
        assert cut.wait(30)
        postgres_server.stop("immediate")
        time.sleep(0.5)
        postgres_server.start()
        written.result(60)
        assert counted(database) == 1
        behind.close()


def hold_until_told(url: str, pipe: Pipe) -> None:
    with Database(url).only_process():
        pipe.send("held")
        pipe.recv()


def test_one_hub_at_a_time_on_any_number_of_machines(database: Database, url: str) -> None:
    """Fault 45: the others leave at once; kill -9 frees the lock."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=hold_until_told, args=(url, theirs))
    child.start()
    assert ours.recv() == "held"
    with (
        pytest.raises(AlreadyRunning, match="leaves it to that one") as said,
        database.only_process(),
    ):
        pass
    assert USER in str(said.value)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    _wait_until(lambda: _can_hold(database))


def _can_hold(database: Database) -> bool:
    try:
        with database.only_process():
            return True
    except AlreadyRunning:
        return False


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_hub_that_lost_its_lock_takes_it_again_or_leaves(
    postgres_server: PostgresServer, database: Database, url: str
) -> None:
    """Fault 45: a restarted server has forgotten who was at work."""
    other = Database(url)
    with database.only_process() as hold:
        hold.renew()
        postgres_server.restart("immediate")
        hold.renew()
        assert not _can_hold(other)
        postgres_server.restart("immediate")
        with other.only_process(), pytest.raises(AlreadyRunning):
            hold.renew()
    assert _can_hold(other)
    other.close()


def test_a_trial_waits_only_briefly_and_leaves_nothing_behind(database: Database, url: str) -> None:
    with database.writing() as tx:
        next_number(tx, "n")
    trial = database.scratch_copy()
    with database.writing() as tx:
        next_number(tx, "n")
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="others hold"), trial.writing() as other:
            next_number(other, "n")
        assert time.monotonic() - begun < 20
    with trial.writing() as tx:
        lock_names(tx, ["PO"])
        assert next_number(tx, "n") == 3
    with pytest.raises(LedgerBug, match="cannot be copied again"):
        trial.scratch_copy()
    trial.close()
    with database.writing() as tx:
        assert tx.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar_one() == 0
        assert next_number(tx, "n") == 3


def test_the_rights_in_the_documentation_are_enough_and_not_too_many(
    postgres_server: PostgresServer, url: str
) -> None:
    name = url.rpartition("/")[2]
    (grants,) = re.findall(r"```sql\n(GRANT .*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    assert "DATABASE countermand TO hub" in grants
    with postgres_server.admin(name) as admin:
        admin.execute("CREATE ROLE hub LOGIN")
        admin.execute(grants.replace("DATABASE countermand", f"DATABASE {name}"))
    hub = Database(url.replace(f"{USER}@", "hub@"))
    with hub.writing() as tx:
        submit(tx, place("10"), key="850")
        submit(tx, ship(line_1="4"), key="856")
        submit(tx, cut("1", "2"))
        assert figures(tx) == {"1": (10, 4, 2, 0)}
        assert audit(tx) == ()
    for statement in ("DELETE FROM event", "ALTER TABLE event DISABLE TRIGGER ALL", "TRUNCATE document"):
        with pytest.raises((DatabaseUnavailable, exc.ProgrammingError), match=r"rights|owner|denied"):
            say(hub, statement)
    hub.close()
    with postgres_server.admin(name) as admin:
        admin.execute("DROP OWNED BY hub")
        admin.execute("DROP ROLE hub")


def test_work_that_collides_is_done_again_and_ends_at_last(database: Database) -> None:
    """Fault 42: five times, and then it is said."""
    tries: list[int] = []

    def collide(tx: Connection, times: int) -> int:
        next_number(tx, "n")
        tries.append(1)
        if len(tries) <= times:
            fail(tx, "40P01")
        return len(tries)

    assert database.run(lambda tx: collide(tx, 4)) == 5
    assert counted(database) == 1
    tries.clear()
    with pytest.raises(TryAgain, match="changed by others at the same time"):
        database.run(lambda tx: collide(tx, 9))
    assert (len(tries), counted(database)) == (5, 1)
