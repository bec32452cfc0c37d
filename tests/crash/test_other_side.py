"""What we depend on dies while we work: the partner's server, the mail server, the database's processes."""

from datetime import datetime
from random import Random

import pytest

from tests.crash.campaign import Crash, Kind, Tally, Worlds, carry_out, carry_out_all, said, some_points
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.needs("sftp-server"), pytest.mark.timeout(300)]

SEED = 20261127


def _at(kind: Kind, start: str, count: int, counts: dict[str, int]) -> list[Crash]:
    chosen = {name: passes for name, passes in counts.items() if name.startswith(start)}
    return some_points(chosen, Random(SEED), count, kind)


def test_servers_that_die_cost_no_more_than_time(sqlite_worlds: list[Worlds]) -> None:
    def plan(counts: dict[str, int]) -> list[Crash]:
        return [*_at(Kind.SFTP, "sftp", 14, counts), *_at(Kind.MAIL, "smtp", 8, counts)]

    tally = carry_out_all(sqlite_worlds, plan)
    assert tally.failures == [], said(tally)
    assert tally.kills >= 20


def test_backends_that_die_and_answers_that_are_lost(postgres_worlds: list[Worlds]) -> None:
    def plan(counts: dict[str, int]) -> list[Crash]:
        after = {name: passes for name, passes in counts.items() if name.endswith("after")}
        return [*_at(Kind.BACKEND, "commit", 10, counts), *_at(Kind.UNHEARD, "commit", 10, after)]

    tally = carry_out_all(postgres_worlds, plan)
    assert tally.failures == [], said(tally)
    assert tally.kills >= 18


def test_a_database_that_is_stopped_without_a_word(
    postgres_worlds: list[Worlds], postgres_server: PostgresServer
) -> None:
    with postgres_worlds[0]() as world:  # here, and not in a process forked from this one: the server is ours
        crashes = _at(Kind.RESTART, "commit", 3, world.learn())
        began = _started(postgres_server)
        tally = Tally([carry_out(world, crash) for crash in crashes])
    assert tally.failures == [], said(tally)
    assert tally.kills == 3
    assert _started(postgres_server) > began


def _started(server: PostgresServer) -> datetime:
    with server.admin() as admin:
        row = admin.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]
