"""The model as a whole: which order is meant, who may say what, and documents that came before."""

from dataclasses import dataclass, field

from storage.commands import (
    AcknowledgeOrder,
    AnswerRequest,
    BuyerCancel,
    CancelLines,
    CancelOrder,
    ChangeOrder,
    Command,
    DocumentKey,
    LapseRequest,
    Object,
    Objection,
    PlaceOrder,
    RecordShipment,
    Submission,
    WithdrawShipment,
)
from storage.outcomes import Outcome
from tests.model import orders
from tests.model.acknowledging import acknowledge
from tests.model.changing import change
from tests.model.orders import Hold, NothingMoved, Order, Refuse, Repeated, Unclear
from tests.model.requests import answer, lapse

BUYER, SELLER, STRANGER = "acme", "bolt", "zorro"

_OF_THE_SELLER = (AcknowledgeOrder, RecordShipment, WithdrawShipment, AnswerRequest, LapseRequest)


class Park(Exception):
    """The document waits for its order."""


_OUTCOMES = {
    Refuse: Outcome.REFUSED,
    Hold: Outcome.HELD,
    Repeated: Outcome.DUPLICATE,
    Park: Outcome.PARKED,
}
_STOPPING = (Outcome.REFUSED, Outcome.HELD, Outcome.PARKED)
_PRECEDENCE = (*_STOPPING, Outcome.APPLIED, Outcome.DUPLICATE)


@dataclass(slots=True)
class Book:
    """Every order between one buyer and one seller, and the documents that were applied."""

    orders: dict[str, Order] = field(default_factory=dict)
    documents: dict[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    _said: DocumentKey | None = None
    _changed: dict[str, Order] = field(default_factory=dict)

    def copy(self) -> "Book":
        return Book({po: order.copy() for po, order in self.orders.items()}, dict(self.documents))

    def expect(self, submission: Submission) -> frozenset[Outcome]:
        """What the ledger may answer; `settle` must follow with what it did answer."""
        document = submission.document
        self._said = document
        self._changed = {}
        earlier = self.documents.get(_key(document), frozenset()) if document else frozenset()
        if document and document.content_hash in earlier:
            return frozenset({Outcome.DUPLICATE})
        if earlier and _is_once(submission.commands[0]):
            return frozenset({Outcome.REFUSED})
        allowed = [self._try(command) for command in submission.commands]
        if len(allowed) == 1:
            return allowed[0]
        outcomes = {outcome for (outcome,) in allowed}
        return frozenset({next(one for one in _PRECEDENCE if one in outcomes)})

    def settle(self, outcome: Outcome) -> None:
        """The book is as the ledger must be after this answer."""
        if outcome is not Outcome.APPLIED:
            return
        self.orders.update(self._changed)
        if self._said:
            key = _key(self._said)
            self.documents[key] = self.documents.get(key, frozenset()) | {self._said.content_hash}

    def _try(self, command: Command) -> frozenset[Outcome]:
        po = command.order.po_number
        known = self._changed.get(po) or self.orders.get(po)
        order = known.copy() if known else None
        allowed = frozenset({Outcome.APPLIED})
        try:
            order = _apply(command, order)
        except NothingMoved:
            allowed = frozenset({Outcome.APPLIED, Outcome.DUPLICATE})
        except Unclear:
            allowed = frozenset({Outcome.REFUSED, Outcome.HELD, Outcome.APPLIED})
        except (Refuse, Hold, Repeated, Park) as said:
            return frozenset({_OUTCOMES[type(said)]})
        if order is not None:
            self._changed[po] = order
        return allowed


def _key(document: DocumentKey) -> tuple[str, str, str]:
    return document.partner, document.kind, document.key


def _is_once(command: Command) -> bool:
    """Whether a document may not say two things under one number; a restated 850 may, and an 855."""
    if isinstance(command, ChangeOrder):
        return command.source.type != "850"
    return isinstance(command, RecordShipment | AnswerRequest)


def _apply(command: Command, order: Order | None) -> Order | None:
    """The order afterwards; raises what the ledger must answer instead of doing it."""
    if isinstance(command, Object):
        raise Hold if command.objection is Objection.NEEDS_A_PERSON else Refuse
    if isinstance(command, PlaceOrder):
        if command.by != BUYER:
            raise Refuse
        return orders.place(command, order)
    if command.by == STRANGER:
        raise Refuse
    if isinstance(command, _OF_THE_SELLER) and command.by != SELLER:
        raise Refuse
    if isinstance(command, LapseRequest) and command.source.type:  # only the clock says so
        raise Refuse
    if order is None:
        raise Park if command.source.type else Refuse
    by_seller = command.by == SELLER
    order.asks_until(command.answer_by)
    match command:
        case LapseRequest():
            lapse(command, order)
        case CancelOrder():
            orders.cancel_order(command, order, asking=_asks(command.effect, by_seller))
        case CancelLines():
            orders.cancel_lines(command, order, asking=_asks(command.effect, by_seller))
        case ChangeOrder():
            change(command, order, by_seller=by_seller, asking=_asks(command.effect, by_seller))
        case AcknowledgeOrder():
            acknowledge(command, order)
        case RecordShipment():
            orders.ship(command, order)
        case WithdrawShipment():
            orders.withdraw(command, order)
        case AnswerRequest():
            answer(command, order)
    return order


def _asks(effect: BuyerCancel, by_seller: bool) -> bool:
    return effect is BuyerCancel.REQUESTED and not by_seller
