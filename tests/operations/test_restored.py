"""Fault 80: a backup an hour old is put back. Nothing is lost, nothing applied twice, nothing sent twice."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from storage.messages import OutboxMessage, list_messages
from storage.restoration import REASON
from storage.states import Kind, Status
from tests.conftest import require
from tests.integration.sftp_server import OpenSshServer
from tests.operations.hub import Hub
from tests.unit.pipeline.ledger_files import acknowledgment, cancellation, file_of, order, shipment

# Commands run in this process here, and what they leave open to the end of a process is closed by gc only.
pytestmark = [pytest.mark.needs("sshd"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def back_up(hub: Hub, copy: Path) -> None:
    """As the runbook says."""
    if hub.database.dialect == "postgresql":
        command = [_tool("pg_dump"), "--format=custom", f"--file={copy}", _plain(hub.url)]
        subprocess.run(command, check=True, capture_output=True)
        return
    with closing(sqlite3.connect(str(hub.database.path))) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def put_back(hub: Hub, copy: Path) -> None:
    """As the runbook says: the copy in place, and the side files of the old database removed."""
    hub.database.close()
    if hub.database.dialect == "postgresql":
        command = [_tool("pg_restore"), "--clean", "--if-exists", "--single-transaction"]
        subprocess.run([*command, f"--dbname={_plain(hub.url)}", str(copy)], check=True, capture_output=True)
        return
    assert hub.database.path is not None
    for ending in ("-wal", "-shm"):
        Path(f"{hub.database.path}{ending}").unlink(missing_ok=True)
    shutil.copy(copy, tmp := hub.database.path.with_name("put.db"))
    tmp.replace(hub.database.path)


def _tool(name: str) -> str:
    """One of PostgreSQL's own programs."""
    return str(require("postgres").resolve().with_name(name))


def _plain(url: str) -> str:
    """The address as PostgreSQL's own programs want it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def messages(hub: Hub) -> list[OutboxMessage]:
    with hub.database.reading() as tx:
        return list(list_messages(tx))


def drop(server: OpenSshServer, name: str, content: bytes) -> None:
    server.put("pickup", name.encode(), content)


def the_day(hub: Hub) -> None:
    """Before the backup: two orders; one document that waits for its order."""
    drop(hub.acme, "1.edi", file_of("850", order("PO-1", 9), number=1, sender="acme", receiver="globex"))
    drop(hub.acme, "2.edi", file_of("850", order("PO-2", 9), number=2, sender="acme", receiver="globex"))
    early = file_of("855", acknowledgment("PO-3"), number=1, sender="globex", receiver="acme")
    drop(hub.globex, "1.edi", early)
    assert hub.run("poll") == 0


def the_lost_hour(hub: Hub) -> None:
    """After it: a cancellation, a shipment, a new order that lets the waiting one go on, and rubbish."""
    cancel = file_of("850", cancellation("PO-1"), number=3, sender="acme", receiver="globex")
    drop(hub.acme, "3.edi", cancel)
    assert hub.run("poll") == 0
    ship = file_of("856", shipment("S-1", "PO-2", 4), number=2, sender="globex", receiver="acme")
    drop(hub.globex, "2.edi", ship)
    drop(hub.acme, "4.edi", file_of("850", order("PO-3", 5), number=4, sender="acme", receiver="globex"))
    drop(hub.acme, "5.edi", b"no X12 at all")
    assert hub.run("poll") == 1


def orders(hub: Hub) -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """What the ledger says, as far as it does not depend on when it was written."""
    found = {}
    for summary in hub.json("orders")["orders"]:
        one = hub.json("order", summary["po_number"])
        lines = [(line["ordered"], line["fulfilled"], line["cancelled"]) for line in one["lines"]]
        found[summary["po_number"]] = (one["status"], lines)
    return found


def test_the_lost_hour_comes_back_once_and_nothing_is_sent_again(hub: Hub, tmp_path: Path) -> None:
    the_day(hub)
    back_up(hub, tmp_path / "copy.db")
    the_lost_hour(hub)
    ledger, mails, left = orders(hub), len(hub.sink.messages), hub.acme.names("delivery")
    owed = sorted((m.kind.value, m.to, m.set_type) for m in messages(hub))
    put_back(hub, tmp_path / "copy.db")

    if hub.database.dialect == "sqlite":  # a file tells that it is older, a server cannot
        code, _, said = hub.said("poll")
        assert code == 2
        assert "older than it was" in said
        assert "countermand restored" in said
        assert hub.run("deliver") == 2
    code, out, err = hub.said("restored")
    assert (code, err) == (0, "")
    assert "5 messages may have gone out already" in out
    assert "countermand outbox --status uncertain" in out
    assert "what came over HTTP" in out
    assert "those revoked since are good again" in out
    assert orders(hub) == ledger
    assert hub.run("audit") == 0
    doubtful = [message for message in messages(hub) if message.status is Status.UNCERTAIN]
    assert {message.error for message in doubtful} == {REASON}
    assert sorted((m.kind.value, m.to, m.set_type) for m in messages(hub)) == owed
    # nothing more goes out, however often it is polled; and the second run of the command finds nothing
    assert hub.run("poll") == 0
    assert (len(hub.sink.messages), hub.acme.names("delivery")) == (mails, left)
    assert hub.json("restored")["files"] == []
    assert hub.run("poll") == 0
    assert (len(hub.sink.messages), hub.acme.names("delivery")) == (mails, left)
    # a person decides, message by message
    mail = next(message for message in doubtful if message.kind is Kind.EMAIL)
    assert hub.run("resend", str(mail.id)) == 0
    assert hub.run("poll") == 0
    assert len(hub.sink.messages) == mails + 1


def test_numbers_and_message_ids_of_the_lost_hour_are_not_used_again(hub: Hub, tmp_path: Path) -> None:
    the_day(hub)
    back_up(hub, tmp_path / "copy.db")
    the_lost_hour(hub)
    names, ids = set(hub.acme.names("delivery")), {m.identity for m in messages(hub)}
    put_back(hub, tmp_path / "copy.db")
    assert hub.run("restored", "--skip-numbers", "500") == 0
    fresh = file_of("850", cancellation("PO-2"), number=9, sender="acme", receiver="globex")
    drop(hub.acme, "9.edi", fresh)
    assert hub.run("poll") == 0  # part of it was shipped: the rest is cancelled, and said so
    new = [m for m in messages(hub) if m.status is Status.SENT and m.identity not in ids]
    assert len(new) >= 3
    added = set(hub.acme.names("delivery")) - names
    assert added
    assert all(int(name.split(b"_")[1][:9]) > 500 for name in added)
    assert not [m for m in messages(hub) if m.status is Status.REFUSED]


def test_a_folder_that_cannot_be_read_keeps_everything_waiting(hub: Hub, tmp_path: Path) -> None:
    the_day(hub)
    back_up(hub, tmp_path / "copy.db")
    the_lost_hour(hub)
    mails = len(hub.sink.messages)
    put_back(hub, tmp_path / "copy.db")
    hub.globex.path("processed").rename(hub.globex.path("away"))
    try:
        code, _, err = hub.said("restored")
        assert code == 2
        assert "globex, processed" in err
        code, _, err = hub.said("poll")
        assert (code, "countermand restored" in err) == (2, True)
        assert hub.run("deliver") == 2
    finally:
        hub.globex.path("away").rename(hub.globex.path("processed"))
    assert hub.run("restored") == 0
    assert hub.run("audit") == 0
    assert hub.run("poll") == 0
    assert len(hub.sink.messages) == mails
    assert orders(hub)["PO-2"] == ("partly_fulfilled", [("9", "4", "0")])


def test_what_was_owed_when_the_backup_was_made_is_not_sent_by_itself(hub: Hub, tmp_path: Path) -> None:
    the_day(hub)
    replayed = tmp_path / "cancel.edi"
    replayed.write_bytes(file_of("850", cancellation("PO-1"), number=3, sender="acme", receiver="globex"))
    assert hub.run("replay", str(replayed), "--apply", "--as", "acme") == 0
    back_up(hub, tmp_path / "copy.db")  # owes a mail and a 997
    assert hub.run("deliver") == 0
    mails, names = len(hub.sink.messages), hub.acme.names("delivery")
    put_back(hub, tmp_path / "copy.db")
    assert hub.run("restored") == 0
    assert hub.run("poll") == 0
    assert len(hub.sink.messages) == mails
    assert hub.acme.names("delivery") == names  # the 997 was left again: the same bytes under the same name
    assert [m.status for m in messages(hub) if m.kind is Kind.EMAIL] == [Status.UNCERTAIN]


def test_only_young_files_are_read_where_the_others_are_known_by_name(hub: Hub, tmp_path: Path) -> None:
    the_day(hub)
    for name in hub.acme.names("processed"):
        subprocess.run(["touch", "-d", "2026-01-01", hub.acme.path("processed", name)], check=True)
    back_up(hub, tmp_path / "copy.db")
    old = file_of("850", order("PO-7", 1), number=7, sender="acme", receiver="globex")
    hub.acme.put("pickup", b"7.edi", old, modified=1_000_000_000)  # an old time, and not known
    assert hub.run("poll") == 0
    put_back(hub, tmp_path / "copy.db")
    said = hub.json("restored", "--since", "2026-11-27T13:00")
    acme = next(f for f in said["folders"] if (f["partner"], f["folder"]) == ("acme", "processed"))
    assert (acme["listed"], acme["read"], acme["kept"]) == (3, 1, 1)
    assert "PO-7" in orders(hub)


def test_a_time_that_is_none_and_a_partner_that_is_none_are_refused(hub: Hub) -> None:
    assert hub.run("restored", "--since", "yesterday") == 2
    assert hub.run("restored", "--without", "nobody") == 2
    assert hub.run("poll") == 0
