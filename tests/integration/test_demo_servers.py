"""The demonstration's servers: nothing outside a user's folder, nothing left running, no mail lost."""

import os
import smtplib
import threading
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import paramiko
import pytest

from pipeline.demo.sftp_server import DemoSftpServer, DemoUser
from pipeline.demo.smtp_sink import SmtpSink

REFUSED = "Permission denied|No such file|Failure"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("hub", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "hub" / "out").symlink_to("..")
    (tmp_path / "hub" / "link").symlink_to("../other/file")
    return tmp_path


def _users(folders: Path) -> dict[str, DemoUser]:
    return {
        "hub": DemoUser(root=folders / "hub", password="one"),
        "other": DemoUser(root=folders / "other", password="two"),
        "locked": DemoUser(root=folders / "other"),
    }


@pytest.mark.parametrize(
    "path",
    ["../other/file", "/../../other/file", "out/other/file", "/out/hub/../other/file", "link", "/etc/passwd"],
)
def test_nobody_gets_out_of_his_folder(folders: Path, path: str) -> None:
    with (
        DemoSftpServer(_users(folders)) as server,
        paramiko.Transport(("127.0.0.1", server.port)) as transport,
    ):
        transport.connect(username="hub", password="one")
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        with client, client.open("file") as file:
            assert file.read() == b"hub"
            with pytest.raises(OSError, match=REFUSED):
                client.open(path)
            with pytest.raises(OSError, match=REFUSED):
                client.rename("file", "out/stolen")
            with pytest.raises(OSError, match=REFUSED):
                client.listdir("out")
    assert (folders / "other" / "file").read_text() == "other"
    assert not (folders / "stolen").exists()


@pytest.mark.parametrize(
    ("user", "password"), [("hub", "two"), ("locked", ""), ("locked", "None"), ("no", "one")]
)
def test_only_the_right_password_opens(folders: Path, user: str, password: str) -> None:
    with (
        DemoSftpServer(_users(folders)) as server,
        paramiko.Transport(("127.0.0.1", server.port)) as transport,
        pytest.raises(paramiko.AuthenticationException),
    ):
        transport.connect(username=user, password=password)


def test_a_public_key_opens_and_another_does_not(folders: Path) -> None:
    key = paramiko.ECDSAKey.generate()
    public = f"{key.get_name()} {key.get_base64()} comment"
    users = {"hub": DemoUser(root=folders / "hub", public_key=public)}
    with DemoSftpServer(users) as server:
        with paramiko.Transport(("127.0.0.1", server.port)) as transport:
            transport.connect(username="hub", pkey=key)
            assert transport.is_authenticated()
        stranger = paramiko.ECDSAKey.generate()
        with (
            paramiko.Transport(("127.0.0.1", server.port)) as transport,
            pytest.raises(paramiko.AuthenticationException),
        ):
            transport.connect(username="hub", pkey=stranger)


def test_stopping_in_the_middle_leaves_no_thread_and_no_file(folders: Path) -> None:
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    server = DemoSftpServer(_users(folders))
    server.start()
    transport = paramiko.Transport(("127.0.0.1", server.port))
    transport.connect(username="hub", password="one")
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    file = client.open("file")
    server.stop()
    server.stop()
    with suppress(paramiko.SSHException, EOFError, OSError):  # whether it notices is a matter of luck
        file.close()
    transport.close()
    transport.join()
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


def test_the_sink_keeps_messages_as_they_came(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    message = EmailMessage()
    message["Subject"] = "Order PO-1 cancelled"
    message["From"] = "edi@hub.example"
    message["To"] = "orders@acme.example"
    message.set_content("grüße\n.\n..\n", cte="8bit")
    with SmtpSink(tmp_path / "mail") as sink:
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as client:
            for _ in range(2):
                client.send_message(message, to_addrs=["orders@acme.example", "second@acme.example"])
        first, second = sink.messages
        stuck = smtplib.SMTP("127.0.0.1", sink.port, timeout=10)  # does not hold up the end
    stuck.close()
    assert first.sender == "edi@hub.example"
    assert first.recipients == ("orders@acme.example", "second@acme.example")
    assert first.content == second.content == message.as_bytes().replace(b"\n", b"\r\n")
    assert sorted((tmp_path / "mail").iterdir()) == [first.path, second.path]
    assert second.path.read_bytes() == second.content
    assert set(threading.enumerate()) <= threads
    sink.stop()
