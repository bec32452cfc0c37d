"""Three workers are killed and stopped at random while four partners send files, and all promises hold."""

import os
import random
import re
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.wiring import open_application
from storage.invariants import audit
from storage.models import table
from tests.crash.checking import Scene, picture
from tests.integration.sftp_server import OpenSshServer
from tests.postgres import PostgresServer
from tests.work.crew import Crew, Yard, crew, wait_until, workload, yard

pytestmark = [pytest.mark.needs("sshd", "postgres"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

WORKERS = 3
HARM_SECONDS = 10.0
KILLED_MIN = 4
_FILES, _OUTBOX = table("received_file"), table("outbox")
#: ISA09 and ISA10, GS04 and GS05; and what a mail says of when it was.
_TIMES = re.compile(r"\*\d{6,8}\*\d{4}(?=\*)|\d{4}-\d\d-\d\d \d\d:\d\d UTC")
_UNREAD = select(func.count()).select_from(_FILES).where(_FILES.c.status == "new")
_UNSENT = (
    select(func.count()).select_from(_OUTBOX).where(_OUTBOX.c.status.in_(["new", "sending", "committing"]))
)
_DROPPED = ~_FILES.c.name.like("before-%")
_UNMOVED = select(func.count()).select_from(_FILES).where(_FILES.c.moved_at.is_(None), _DROPPED)


def picture_of(place: Yard) -> dict[str, Counter[tuple[Any, ...]]]:
    """The ledger without ids and times, those in our own documents included.

    And without answers given again: one that was not sent yet is not sent twice.
    """
    with place.database.reading() as tx:
        assert audit(tx) == ()
        found = picture(Scene(tx, place.root, place.log, ()))
    return {
        name: Counter(
            tuple((key, _TIMES.sub("*", value)) for key, value in row)
            for row in rows.elements()
            if dict(row).get("resend_of", "None") == "None"
        )
        for name, rows in found.items()
    }


def undisturbed(folder: Path, server: OpenSshServer, url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    """What one process that polls makes of the same files."""
    with yard(folder, "undisturbed", server, url) as place:
        application = open_application(place.config)
        poller = application.poller()
        for file in workload():
            place.drop(*file)
        with application.database.only_process():
            poller.round(wait=False)
        application.database.close()
        assert place.is_at_rest
        return picture_of(place)


def harm(workers: Crew, chance: random.Random, place: Yard) -> int:
    """Drop the files one by one, and kill or stop a worker now and then; how many were killed."""
    files, killed = workload(), 0
    stopped: dict[BaseProcess, float] = {}
    began = time.monotonic()
    each = HARM_SECONDS / len(files)
    next_harm = began + 2
    for index, file in enumerate(files):
        place.drop(*file)
        while time.monotonic() < began + index * each:
            time.sleep(0.02)
            now = time.monotonic()
            for process in [one for one, until in stopped.items() if until < now]:
                del stopped[process]
                os.kill(process.pid or 0, signal.SIGCONT)
            if now < next_harm:
                continue
            next_harm = now + chance.uniform(0.3, 1.0)
            victim = chance.choice(workers.processes)
            if chance.random() < 0.5:
                stopped.pop(victim, None)
                workers.kill(victim)
                workers.start()
                killed += 1
            elif victim not in stopped:
                os.kill(victim.pid or 0, signal.SIGSTOP)
                stopped[victim] = now + chance.uniform(0.3, 4.0)
    for process in stopped:
        os.kill(process.pid or 0, signal.SIGCONT)
    while killed < KILLED_MIN:  # on a slow machine the time was over before
        workers.kill(chance.choice(workers.processes))
        workers.start()
        killed += 1
    return killed


def test_nothing_is_lost_and_nothing_done_twice(
    postgres_server: PostgresServer, server: OpenSshServer, tmp_path: Path
) -> None:
    expected = undisturbed(tmp_path, server, postgres_server.new_database())
    chance = random.Random(20261127)
    with (
        yard(tmp_path, "disturbed", server, postgres_server.new_database()) as place,
        crew(place.config, WORKERS) as workers,
    ):
        killed = harm(workers, chance, place)
        wait_until(lambda: place.is_at_rest)
        assert workers.stop() == [0] * WORKERS
        assert killed >= KILLED_MIN
        found = picture_of(place)
        for name, rows in expected.items():
            assert found[name] - rows == Counter(), name
            assert rows - found[name] == Counter(), name
        check_files(place)
        check_answers(place)
        check_mails(place, killed)


def check_files(place: Yard) -> None:
    """Every file is kept once, and lies once where read files lie."""
    dropped = Counter((partner, content) for partner, files in place.dropped.items() for _, content in files)
    with place.database.reading() as tx:
        rows = tx.execute(
            select(_FILES.c.partner, _FILES.c.data).where(~_FILES.c.name.like("before-%"))
        ).all()
        assert tx.execute(_UNMOVED).scalar_one() == 0
    assert Counter((row.partner, bytes(row.data)) for row in rows) == dropped
    assert Counter([*place.lying("processed"), *place.lying("rejected")]) == dropped


def check_answers(place: Yard) -> None:
    """Each acknowledgment lies once where it is owed, with the bytes of its row."""
    with place.database.reading() as tx:
        owed = tx.execute(select(_OUTBOX).where(_OUTBOX.c.kind == "acknowledgment")).all()
    assert {row.status for row in owed} == {"sent"}
    one_each = {(row.partner, row.identity): bytes(row.payload) for row in owed}
    assert Counter(place.lying("delivery")) == Counter((to, said) for (to, _), said in one_each.items())


def check_mails(place: Yard, killed: int) -> None:
    """No mail twice; what is neither sent nor uncertain is nowhere."""
    accepted = Counter(message_id for _, message_id in place.log.lines("accepted"))
    assert [id for id, count in accepted.items() if count > 1] == []
    with place.database.reading() as tx:
        mails = tx.execute(select(_OUTBOX).where(_OUTBOX.c.kind == "email")).all()
    status = Counter(row.status for row in mails)
    assert set(status) <= {"sent", "uncertain"}
    assert status["uncertain"] <= killed
    assert {row.identity for row in mails if row.status == "sent"} <= set(accepted)
    assert set(accepted) <= {row.identity for row in mails}
