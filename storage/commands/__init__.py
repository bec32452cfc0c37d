"""Commands: what a party asks of the ledger. Frozen; each says who, why and which document said so."""

from storage.commands.acknowledging import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    Backorder,
    LineAnswer,
    ShortAccept,
    Verdict,
)
from storage.commands.cancelling import BuyerCancel, CancelLines, CancelOrder, LineCancellation, PartShipped
from storage.commands.changing import Change, ChangeAmounts, ChangeOrder, LineChange, QuantityReading
from storage.commands.command import (
    NO_REASON,
    Command,
    DocumentKey,
    LineReference,
    Locator,
    Reason,
    Source,
    Submission,
)
from storage.commands.objecting import Object, Objection
from storage.commands.placing import NewLine, PlaceOrder
from storage.commands.requesting import AnswerRequest, Consent, LapseRequest, LineConsent
from storage.commands.shipping import CloseRest, OverShip, RecordShipment, ShippedLine, WithdrawShipment

__all__ = [
    "NO_REASON",
    "AcknowledgeOrder",
    "AcknowledgedLine",
    "Answer",
    "AnswerRequest",
    "Backorder",
    "BuyerCancel",
    "CancelLines",
    "CancelOrder",
    "Change",
    "ChangeAmounts",
    "ChangeOrder",
    "CloseRest",
    "Command",
    "Consent",
    "DocumentKey",
    "LapseRequest",
    "LineAnswer",
    "LineCancellation",
    "LineChange",
    "LineConsent",
    "LineReference",
    "Locator",
    "NewLine",
    "Object",
    "Objection",
    "OverShip",
    "PartShipped",
    "PlaceOrder",
    "QuantityReading",
    "Reason",
    "RecordShipment",
    "ShippedLine",
    "ShortAccept",
    "Source",
    "Submission",
    "Verdict",
    "WithdrawShipment",
]
