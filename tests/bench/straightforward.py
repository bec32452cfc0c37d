"""Baseline: the pipeline one would write first with the same libraries: paramiko's get, pyx12, an ORM.

One file after the other: fetched, checked by pyx12, its order written with SQLModel and committed, a 997
uploaded under a temporary name and renamed, the file moved. No history, no duplicates, no rules.
"""

import io
import re
from pathlib import Path

import paramiko
from sqlalchemy import event
from sqlmodel import Field, Session, SQLModel, create_engine

from tests.bench.baselines import pyx12_errors
from tests.integration.sftp_server import OpenSshServer


class PlainFile(SQLModel, table=True):
    """A file that was taken."""

    __tablename__ = "bench_file"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    data: bytes


class PlainOrder(SQLModel, table=True):
    """An order of it."""

    __tablename__ = "bench_order"
    id: int | None = Field(default=None, primary_key=True)
    file_id: int = Field(foreign_key="bench_file.id")
    po_number: str = Field(index=True)


class PlainLine(SQLModel, table=True):
    """A line of it."""

    __tablename__ = "bench_line"
    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="bench_order.id", index=True)
    line: str
    item: str
    quantity: int


_ORDER = re.compile(rb"~BEG\*00\*SA\*([^*]+)")
_LINE = re.compile(rb"~PO1\*([^*]*)\*([^*]*)\*EA\*[^*]*\*\*UP\*([^*~]*)")
_997 = "ISA*00*~GS*FA*SELLERGS*BUYERGS*20260304*1200*1*X*004010~ST*997*0001~AK1*PO*1~AK9*A*1*1*1~SE*4*0001~"


def whole_way(server: OpenSshServer, folder: Path) -> int:
    """Take everything in the pickup folder; how many files that were."""
    engine = create_engine(f"sqlite:///{folder / 'plain.db'}")
    event.listen(engine, "connect", _configure)
    SQLModel.metadata.create_all(
        engine, tables=[vars(table)["__table__"] for table in (PlainFile, PlainOrder, PlainLine)]
    )
    key = paramiko.Ed25519Key.from_private_key_file(str(server.root / "user_key"))
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.connect(username=server.user, pkey=key)
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        names = sorted(sftp.listdir(str(server.path("pickup"))))
        for name in names:
            content = io.BytesIO()
            sftp.getfo(str(server.path("pickup") / name), content)
            data = content.getvalue()
            assert pyx12_errors("850", data) == 0
            with Session(engine) as session:
                _write(session, name, data)
            answer = str(server.path("delivery") / f"997_{name}")
            sftp.putfo(io.BytesIO(_997.encode()), f"{answer}.part")
            sftp.posix_rename(f"{answer}.part", answer)
            sftp.rename(str(server.path("pickup") / name), str(server.path("processed") / name))
    engine.dispose()
    return len(names)


def _write(session: Session, name: str, data: bytes) -> None:
    file = PlainFile(name=name, data=data)
    session.add(file)
    session.flush()
    for number in _ORDER.findall(data):
        order = PlainOrder(file_id=file.id or 0, po_number=number.decode())
        session.add(order)
        session.flush()
        for line, quantity, item in _LINE.findall(data):
            session.add(
                PlainLine(
                    order_id=order.id or 0, line=line.decode(), item=item.decode(), quantity=int(quantity)
                )
            )
    session.commit()


def _configure(connection: object, _: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
    connection.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]
