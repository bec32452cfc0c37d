"""Desk: one request that changes something, in one transaction. Seen before? Whose order? As it was known?

Then the ledger decides, and the answer is kept with the effect: a second request under the same key, at the
same time or in a year, finds both or neither.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from fastapi.responses import Response
from sqlalchemy import Connection

from pipeline import journal
from pipeline.api.answers import done_of, etag_of, left_by, no_of, order_of
from pipeline.api.meanings import Known
from pipeline.api.problems import MEDIA_TYPE, PREFIX, ApiProblem
from pipeline.api.turns import Turns
from pipeline.entering import Speaker, enter
from pipeline.partners import Partner, Role
from pipeline.wiring import Application
from storage import access_keys, deadlines, queries
from storage.access_keys import Answer
from storage.commands import Command, DocumentKey
from storage.database import lock_names
from storage.loading import load_order
from storage.orders import LineState, OrderKey, OrderState
from storage.outcomes import Outcome
from storage.queries import Mark

_OK, _CREATED, _REFUSED = 200, 201, 409


class Asking(Protocol):
    """Who changes something: for which partner, and who says so."""

    @property
    def partner(self) -> Partner: ...

    @property
    def actor(self) -> str: ...

    def speaks(self, at: datetime) -> Speaker: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every request that changes something says beside its body."""

    caller: Asking
    side: Role
    route: str  # its address, for the hash
    body: str  # as it was understood, for the hash
    key: str | None  # Idempotency-Key
    if_match: str | None

    @property
    def hash(self) -> str:
        """Of all that makes it this very request."""
        return hashlib.sha256(json.dumps([self.route, self.body]).encode()).hexdigest()


#: What is to be said about an order, and the document's name where it has one.
Meant = tuple[Command, DocumentKey | None]
About = Callable[[Speaker, Known], Meant]


class Desk:
    """Where requests that change something are dealt with."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._turns = Turns()

    def change(self, asked: Asked, order_id: int, about: About) -> Response:
        """Say something about an order; the answer, good or not."""
        answer, again = self.decide(asked, order_id, about)
        return _response(answer, again=again)

    def decide(self, asked: Asked, order_id: int, about: About) -> tuple[Answer, bool]:
        """The same, as what is kept of the answer, and whether it was kept before."""
        at = self._application.clock.now()
        speaker = asked.caller.speaks(at)

        def work(tx: Connection) -> Answer:
            mark = own_order(tx, order_id, asked.side, asked.caller)
            if asked.if_match is not None:
                _hold(tx, mark.key)
                mark = own_order(tx, order_id, asked.side, asked.caller)
                _check(asked.if_match, etag_of(order_id, mark))
            return self._decide(tx, asked, about(speaker, _Own(tx, order_id, mark.key)), order_id)

        return self._once(asked, at, work)

    def place(self, asked: Asked, command_of: Callable[[Speaker], Command]) -> Response:
        """Place an order."""
        at = self._application.clock.now()
        speaker = asked.caller.speaks(at)
        meant = (command_of(speaker), None)
        answer, again = self._once(asked, at, lambda tx: self._decide(tx, asked, meant))
        return _response(answer, again=again)

    def _decide(self, tx: Connection, asked: Asked, meant: Meant, order_id: int | None = None) -> Answer:
        command, document = meant
        result = enter(tx, self._application.settings, command, f"api:{secrets.token_hex(8)}", document)
        journal.event(
            "entered_over_http", order=command.order.po_number, partner=command.by,
            by=asked.caller.actor, outcome=result.outcome,
        )  # fmt: skip
        refused = no_of(result)
        if refused is not None:
            return Answer(
                request_hash=asked.hash, status=refused.status, etag="", body=json.dumps(refused.body())
            )
        after = result.entries[0].after  # None where a document's name alone decided
        known = order_id or (after.id if after else 0)
        order, etag = order_of(tx, known, command.by, lines=left_by(result))
        placed = order_id is None and result.outcome is Outcome.APPLIED
        return Answer(
            request_hash=asked.hash,
            status=_CREATED if placed else _OK,
            etag=etag,
            body=json.dumps({**order, "done": done_of(result)}),
        )

    def _once(self, asked: Asked, at: datetime, work: Callable[[Connection], Answer]) -> tuple[Answer, bool]:
        """What was answered before under the key, or what `work` answers now, which is kept for ever."""
        partner, key = asked.caller.partner.id, asked.key

        def once(tx: Connection) -> tuple[Answer, bool]:
            if key is None:
                return work(tx), False
            earlier = access_keys.earlier_answer(tx, partner, key)
            if earlier is None:
                answer = work(tx)
                access_keys.keep_answer(tx, partner, key, answer, at)
                return answer, False
            if earlier.request_hash != asked.hash:
                title = "The Idempotency-Key was used before for another request."
                raise ApiProblem(422, "key-reused", title)
            return earlier, True

        with self._turns.turn():
            return self._application.database.run(once)


class _Own:
    """An order as meanings know it. Most need no more than its name: its lines are read for who asks."""

    def __init__(self, tx: Connection, order_id: int, key: OrderKey) -> None:
        self._tx = tx
        self.id = order_id
        self.key = key

    @cached_property
    def lines(self) -> tuple[LineState, ...]:
        """As they stand, and as the ledger will find them."""
        return self._order.lines

    @property
    def lapsed(self) -> Collection[int]:
        """The lines of which what was asked for last was not answered in time."""
        return deadlines.with_requests(self._tx, self._order).lapsed

    @cached_property
    def _order(self) -> OrderState:
        _hold(self._tx, self.key)
        loaded = load_order(self._tx, self.id)
        assert loaded is not None
        return loaded.order


def _hold(tx: Connection, key: OrderKey) -> None:
    """From here on nothing happens to the order, by the name that the ledger locks too."""
    lock_names(tx, [f"order:{key.po_number}"])


def own_order(tx: Connection, order_id: int, side: Role, caller: Asking) -> Mark:
    """The caller's own order; whatever else has this number is not there, as if it did not exist."""
    mark = queries.mark_of(tx, order_id, **{side.value: caller.partner.id})
    if mark is None:
        raise ApiProblem(404, "no-such-order", "There is no such order.")
    return mark


def _check(if_match: str, etag: str) -> None:
    """If-Match: a list of tags, or * for any."""
    if if_match.strip() == "*":
        return
    if etag not in [tag.strip() for tag in if_match.split(",")]:
        title = "The order is not as it was when you looked: something happened to it since."
        raise ApiProblem(412, "order-changed", title, headers={"ETag": etag})


def _response(answer: Answer, *, again: bool) -> Response:
    headers = {"ETag": answer.etag} if answer.etag else {}
    if answer.status == _CREATED:
        headers["Location"] = f"{PREFIX}/buyer/orders/{json.loads(answer.body)['id']}"
    if again:
        headers["Idempotency-Replayed"] = "true"
    refused = answer.status == _REFUSED
    return Response(answer.body, answer.status, headers, MEDIA_TYPE if refused else "application/json")
