"""Baseline: the site one would write first with the same libraries: FastAPI, SQLModel's ORM, Jinja2.

A cancellation looks the key up, locks the line, counts, records an event, puts an e-mail into an outbox and
keeps its answer under the Idempotency-Key, in one transaction. No history that proves itself, no other rules
than that the units are open, no jobs, no webhooks, no request that waits for an answer.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from jinja2 import Environment
from pydantic import BaseModel
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

URL = "PLAIN_SITE_URL"  # in the environment: where the tables are
LINES = 10


class PlainKey(SQLModel, table=True):
    """Who may ask."""

    __tablename__ = "plain_key"
    hash: str = Field(primary_key=True)
    partner: str


class PlainSiteOrder(SQLModel, table=True):
    """An order."""

    __tablename__ = "plain_site_order"
    id: int | None = Field(default=None, primary_key=True)
    po_number: str = Field(index=True)
    seller: str = Field(index=True)


class PlainSiteLine(SQLModel, table=True):
    """A line of it."""

    __tablename__ = "plain_site_line"
    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="plain_site_order.id", index=True)
    line: str
    description: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal


class PlainEvent(SQLModel, table=True):
    """What happened to a line."""

    __tablename__ = "plain_event"
    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="plain_site_order.id", index=True)
    line_id: int = Field(foreign_key="plain_site_line.id", index=True)
    quantity: Decimal
    reason: str
    at: datetime


class PlainMail(SQLModel, table=True):
    """An e-mail that is owed."""

    __tablename__ = "plain_mail"
    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(foreign_key="plain_event.id", index=True)
    payload: bytes
    status: str = Field(index=True)


class PlainAnswer(SQLModel, table=True):
    """What was answered under an Idempotency-Key."""

    __tablename__ = "plain_answer"
    key: str = Field(primary_key=True)
    body: str


TABLES = (PlainKey, PlainSiteOrder, PlainSiteLine, PlainEvent, PlainMail, PlainAnswer)


class Cancellation(BaseModel):
    """What is asked."""

    quantity: Decimal
    reason: str


class LineOut(BaseModel):
    """A line as it stands."""

    line: str
    description: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal


class OrderOut(BaseModel):
    """An order as it stands."""

    id: int
    po_number: str
    lines: list[LineOut]


_TEMPLATES = Environment(autoescape=True)
_TEXT = _TEMPLATES.from_string(
    "{{ seller }} cancelled {{ quantity }} of line {{ line.line }} of {{ order.po_number }}: {{ reason }}\n\n"
    "{% for one in lines %}"
    "{{ one.line }} {{ one.description }} {{ one.ordered }} {{ one.cancelled }}\n"
    "{% endfor %}"
)
_HTML = _TEMPLATES.from_string(
    "<h1>{{ seller }} cancelled {{ quantity }} of line {{ line.line }}</h1>"
    "<p>PO {{ order.po_number }}: {{ reason }}</p><table>"
    "{% for one in lines %}<tr><td>{{ one.line }}<td>{{ one.description }}<td>{{ one.ordered }}"
    "<td>{{ one.cancelled }}</tr>{% endfor %}</table>"
)


def prepare(url: str, keys: tuple[str, ...], orders: int) -> None:
    """Make the tables, and orders of 10 lines of 12 units."""
    with _session(url) as session:
        SQLModel.metadata.create_all(session.get_bind(), tables=[vars(one)["__table__"] for one in TABLES])
        session.add_all(PlainKey(hash=_hash(key), partner="bolt") for key in keys)
        session.add_all(
            PlainSiteOrder(id=number, po_number=str(number), seller="bolt") for number in range(1, orders + 1)
        )
        session.flush()
        session.add_all(
            PlainSiteLine(
                order_id=number, line=str(line), description="Bolts, M8, zinc plated", ordered=Decimal(12),
                fulfilled=Decimal(0), cancelled=Decimal(0),
            )
            for number in range(1, orders + 1)
            for line in range(1, LINES + 1)
        )  # fmt: skip
        session.commit()


def cancelled(url: str) -> tuple[int, int]:
    """How many events and e-mails there are."""
    with _session(url) as session:
        return len(session.exec(select(PlainEvent.id)).all()), len(session.exec(select(PlainMail.id)).all())


def make_app() -> FastAPI:
    """The site, over the tables that the environment names."""
    engine = create_engine(os.environ[URL], pool_size=8)
    app = FastAPI()

    @app.post("/api/v1/seller/orders/{order_id}/lines/{line}/cancel")
    def cancel(
        order_id: int, line: str, asked: Cancellation,
        authorization: Annotated[str, Header()], idempotency_key: Annotated[str, Header()],
    ) -> OrderOut:  # fmt: skip
        with Session(engine) as session:
            caller = session.get(PlainKey, _hash(authorization.removeprefix("Bearer ")))
            if caller is None:
                raise HTTPException(401)
            earlier = session.get(PlainAnswer, idempotency_key)
            if earlier is not None:
                return OrderOut.model_validate_json(earlier.body)
            answer = _cancel(session, caller.partner, order_id, line, asked)
            session.add(PlainAnswer(key=idempotency_key, body=answer.model_dump_json()))
            session.commit()
            return answer

    return app


def _cancel(session: Session, seller: str, order_id: int, line: str, asked: Cancellation) -> OrderOut:
    order = session.get(PlainSiteOrder, order_id)
    if order is None or order.seller != seller:
        raise HTTPException(404)
    found = select(PlainSiteLine).where(PlainSiteLine.order_id == order_id).order_by(col(PlainSiteLine.id))
    lines = session.exec(found.with_for_update()).all()
    one = next(known for known in lines if known.line == line)
    if asked.quantity > one.ordered - one.fulfilled - one.cancelled:
        raise HTTPException(409)
    one.cancelled += asked.quantity
    event = PlainEvent(
        order_id=order_id, line_id=one.id or 0, quantity=asked.quantity, reason=asked.reason,
        at=datetime.now(UTC),
    )  # fmt: skip
    session.add(event)
    session.flush()
    said = {"seller": seller, "order": order, "line": one, "lines": lines, **asked.model_dump()}
    session.add(PlainMail(event_id=event.id or 0, payload=_mail(said), status="new"))
    shown = [LineOut.model_validate(known.model_dump()) for known in lines]
    return OrderOut(id=order_id, po_number=order.po_number, lines=shown)


def _mail(said: dict[str, object]) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "hub@hub.example",
        "orders@acme.example",
        "Units were cancelled",
    )
    mail.set_content(_TEXT.render(said))
    mail.add_alternative(_HTML.render(said), subtype="html")
    return bytes(mail)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@contextmanager
def _session(url: str) -> Iterator[Session]:
    engine = create_engine(url)
    with Session(engine) as session:
        yield session
    engine.dispose()
