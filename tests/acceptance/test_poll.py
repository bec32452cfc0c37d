"""`countermand poll` over real OpenSSH servers and a real SMTP sink."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli import run
from pipeline.demo.smtp_sink import SmtpSink
from storage.database import Database
from tests.integration.sftp_server import OpenSshServer, make_key, nowhere, running_openssh
from tests.unit.pipeline.ledger_files import cancellation, file_of, order, shipment, write_settings

pytestmark = [pytest.mark.needs("sshd"), pytest.mark.usefixtures("both_systems")]


@pytest.fixture(scope="module")
def _servers() -> Iterator[tuple[OpenSshServer, OpenSshServer]]:
    with running_openssh() as acme, running_openssh() as globex:
        yield acme, globex


@pytest.fixture
def servers(_servers: tuple[OpenSshServer, OpenSshServer]) -> tuple[OpenSshServer, OpenSshServer]:
    for server in _servers:
        for folder in ("pickup", "processed", "rejected", "delivery"):
            for name in server.names(folder):
                server.path(folder, name).unlink()
    return _servers


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path / "mail") as running:
        yield running


def settings_for(folder: Path, sink: SmtpSink, acme: OpenSshServer, globex: OpenSshServer) -> str:
    mailboxes = {"acme": acme.settings(), "globex": globex.settings()}
    return str(write_settings(folder, mail_port=sink.port, mailboxes=mailboxes))


def test_a_cancellation_goes_from_one_mailbox_to_the_other_partys_desk(
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    acme, globex = servers
    config = settings_for(tmp_path, sink, acme, globex)
    placed = file_of("850", order("PO-1", 100, 50), number=1, sender="acme", receiver="globex")
    acme.put("pickup", b"orders.edi", placed)
    assert run(["poll", "--config", config]) == 0
    # to the hub itself, which finds the one order meant
    cancel = file_of("850", cancellation("PO-1"), number=2, sender="acme", receiver="HUB")
    acme.put("pickup", b"cancel.edi", cancel)
    capfd.readouterr()
    assert run(["poll", "--config", config, "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["summary"] | {"files": 1, "sets": 1, "applied": 1} == report["summary"]
    cancelled = report["files"][0]["interchanges"][0]["sets"][0]["cancelled"]
    assert cancelled == [{"line": "1", "quantity": "100"}, {"line": "2", "quantity": "50"}]
    assert acme.names("pickup") == []
    assert acme.names("processed") == [b"cancel.edi", b"orders.edi"]
    answers = [acme.read("delivery", name) for name in acme.names("delivery")]
    assert len(answers) == 2
    assert all(b"ST*997*" in answer and b"AK9*A*1*1*1~" in answer for answer in answers)
    told = [message.recipients for message in sink.messages]
    assert told == [("desk@globex.example",)]
    assert b"PO-1" in sink.messages[-1].content
    assert run(["audit", "--config", config]) == 0


def test_documents_tell_the_other_party_and_its_997_comes_back(
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    acme, globex = servers
    mailboxes = {"acme": acme.settings(), "globex": globex.settings()}
    policy = 'tell = "edi"'
    config = str(write_settings(tmp_path, mail_port=sink.port, mailboxes=mailboxes, policy=policy))
    acme.put("pickup", b"1.edi", file_of("850", order("PO-1", 9), number=1, sender="acme", receiver="globex"))
    globex.put(
        "pickup",
        b"2.edi",
        file_of("856", shipment("S-1", "PO-1", 4), number=2, sender="globex", receiver="acme"),
    )
    assert run(["poll", "--config", config]) == 0
    acme.put(
        "pickup", b"3.edi", file_of("850", cancellation("PO-1"), number=3, sender="acme", receiver="globex")
    )
    assert run(["poll", "--config", config]) == 0
    left = {name.partition(b"_")[0]: globex.read("delivery", name) for name in globex.names("delivery")}
    assert b"BCH*01*SA*PO-1**3*" in left[b"860"]
    advice = [acme.read("delivery", name) for name in acme.names("delivery") if name.startswith(b"824")]
    assert [b"OTI*TP*PO*PO-1*" in one for one in advice] == [True]
    number = left[b"860"].split(b"GS*PC*")[1].split(b"*")[4].decode()
    reply = ["AK1*PC*" + number, "AK2*860*0001", "AK5*R*5", "AK9*R*1*1*0"]
    globex.put("pickup", b"4.edi", file_of("997", reply, number=4, sender="globex", receiver="HUB"))
    assert run(["poll", "--config", config]) == 0
    capfd.readouterr()
    assert run(["outbox", "--config", config, "--json"]) == 0
    messages = json.loads(capfd.readouterr().out)["messages"]
    assert [one["verdict"] for one in messages if one["set_type"] == "860"] == ["rejected"]
    assert sink.messages[-1].recipients == ("support@hub.example",)
    assert run(["audit", "--config", config]) == 0


def test_nothing_new_is_silence(
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = settings_for(tmp_path, sink, *servers)
    assert run(["poll", "--config", config]) == 0
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_one_partners_failure_does_not_stop_the_other(
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    acme, globex = servers
    other_key = make_key(tmp_path / "other")
    mailboxes = {"acme": globex.settings(host_keys=(other_key,)), "bolt": acme.settings()}
    config = str(write_settings(tmp_path, mail_port=sink.port, mailboxes=mailboxes))
    content = file_of("850", order("PO-1", 5), number=1, sender="bolt", receiver="globex")
    acme.put("pickup", b"a.edi", content)
    assert run(["poll", "--config", config]) == 2
    captured = capfd.readouterr()
    assert "SHA256:" in captured.err
    assert "a.edi" in captured.out
    assert acme.names("processed") == [b"a.edi"]


def test_a_second_poll_leaves_at_once_and_says_so(
    database_url: str,
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = settings_for(tmp_path, sink, *servers)
    with Database(database_url).only_process():
        assert run(["poll", "--config", config]) == 0
    assert "another" in capfd.readouterr().err.lower()


def test_a_broken_file_is_answered_kept_and_told(
    tmp_path: Path, sink: SmtpSink, servers: tuple[OpenSshServer, OpenSshServer]
) -> None:
    acme, globex = servers
    config = settings_for(tmp_path, sink, acme, globex)
    wrong = file_of("850", order("PO-1", 5, purpose="Z9"), number=1, sender="acme", receiver="globex")
    acme.put("pickup", b"\xff.edi", wrong)
    assert run(["poll", "--config", config]) == 1
    (name,) = acme.names("delivery")
    answer = acme.read("delivery", name)
    assert b"AK3*BEG*2**8~AK4*1*353*7*Z9~AK5*R*5~" in answer
    assert [message.recipients for message in sink.messages] == [("support@hub.example",)]
    assert acme.names("processed") == [b"\xff.edi"]


def test_what_is_no_x12_goes_to_the_rejected_folder(
    tmp_path: Path, sink: SmtpSink, servers: tuple[OpenSshServer, OpenSshServer]
) -> None:
    acme, globex = servers
    config = settings_for(tmp_path, sink, acme, globex)
    acme.put("pickup", b"letter.edi", b"Dear hub, please cancel PO-1.")
    stranger = file_of("850", order("PO-1", 5), number=1, sender="bolt", receiver="globex")
    acme.put("pickup", b"stranger.edi", stranger)
    assert run(["poll", "--config", config]) == 1
    assert acme.names("processed") == []
    assert acme.names("rejected") == [b"letter.edi", b"stranger.edi"]
    assert acme.read("rejected", b"stranger.edi") == stranger
    assert acme.names("delivery") == []
    assert [message.recipients for message in sink.messages] == [("support@hub.example",)] * 2


def test_doctor_names_what_does_not_answer(
    tmp_path: Path,
    sink: SmtpSink,
    servers: tuple[OpenSshServer, OpenSshServer],
    capfd: pytest.CaptureFixture[str],
) -> None:
    acme, _ = servers
    mailboxes = {"acme": acme.settings(), "globex": nowhere()}
    config = str(write_settings(tmp_path, mail_port=sink.port, mailboxes=mailboxes))
    assert run(["doctor", "--config", config, "--json"]) == 2
    checks = {check["what"]: check["ok"] for check in json.loads(capfd.readouterr().out)["checks"]}
    assert checks["mailbox acme"]
    assert checks["mail"]
    assert not checks["mailbox globex"]
