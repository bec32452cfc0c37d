"""The closed lists of states that rows can be in, and of what keys and people may do."""

from enum import Enum, unique


@unique
class FileStatus(Enum):
    """Of a received file."""

    NEW = "new"  #: kept, not yet read
    DONE = "done"  #: read; its interchanges and their findings say what became of it
    FAILED = "failed"  #: given up after several attempts; a person must look


@unique
class Left(Enum):
    """Why something stays in a partner's pickup folder."""

    NOT_A_FILE = "not_a_file"  #: a link, a pipe, a device, or a name that is none; never touched
    EMPTY = "empty"  #: no content yet
    TOO_LARGE = "too_large"  #: over the limit, so never opened
    INCOMPLETE = "incomplete"  #: its last interchange has no end yet
    UNREADABLE = "unreadable"  #: we may list it and not read it
    BROKEN = "broken"  #: what the server sends is not what it lists, or the connection breaks over it
    UNMOVED = "unmoved"  #: kept here, and the server does not let us move it


@unique
class Fate(Enum):
    """Of an interchange."""

    OPEN = "open"  #: being read; never left so by a transaction that commits
    ACCEPTED = "accepted"  #: read; each set has its own outcome
    DUPLICATE = "duplicate"  #: received before, with the same content
    CONFLICT = "conflict"  #: its control number was used before for other content
    QUARANTINED = "quarantined"  #: not from this partner, or not for us; nothing was answered
    FAULTY = "faulty"  #: could not be read
    IGNORED = "ignored"  #: a test interchange in a production installation, or the reverse


@unique
class HeldStatus(Enum):
    """Of a question that waits for a person."""

    OPEN = "open"  #: nobody has answered
    ANSWERED = "answered"  #: one of the choices was taken
    EXPIRED = "expired"  #: nobody answered in time, and the sender was told


@unique
class ParkedStatus(Enum):
    """Of a set that waits for its order."""

    WAITING = "waiting"  #: the order is not known yet
    REPLAYED = "replayed"  #: the order came, and the set was decided
    EXPIRED = "expired"  #: the order did not come in time, and the sender was told


@unique
class Kind(Enum):
    """Of an outbox message."""

    EMAIL = "email"  #: to a person; sending twice is seen twice
    ACKNOWLEDGMENT = "acknowledgment"  #: a file for a mailbox; uploading it again changes nothing
    WEBHOOK = "webhook"  #: an event for an endpoint; who gets it twice sees the same id


@unique
class Status(Enum):
    """Of an outbox message."""

    NEW = "new"  #: to be sent when it is due
    SENDING = "sending"  #: claimed; nothing irreversible has happened, so after a crash it is new again
    COMMITTING = "committing"  #: the last byte is about to go; after a crash nobody knows whether it did
    SENT = "sent"  #: the other side has taken it
    UNCERTAIN = "uncertain"  #: may or may not have gone out; only a person may send it again
    FAILED = "failed"  #: did not go out, and the attempts are used up
    REFUSED = "refused"  #: the other side will never take it, or there is nobody to send it to


@unique
class Reception(Enum):
    """Of a document we sent, by the partner's own word."""

    NONE = ""  #: said nothing so far
    ACCEPTED = "accepted"  #: taken as it is
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"  #: taken, though something in it is wrong
    PARTLY_ACCEPTED = "partly_accepted"  #: a part of it was taken
    REJECTED = "rejected"  #: not taken


@unique
class Scope(Enum):
    """What a key may do."""

    READ = "orders:read"  #: list and read its partner's orders, and preview
    WRITE = "orders:write"  #: place, acknowledge and ship; answer what was asked for
    CANCEL = "orders:cancel"  #: cancel, or ask for it
    WEBHOOKS = "webhooks"  #: say where events are posted, and see what was; they show orders


@unique
class Topic(Enum):
    """What an endpoint is told of."""

    ORDER_PLACED = "order.placed"
    ORDER_CANCELLED = "order.cancelled"  #: units were cancelled, all of the order or some
    ORDER_CHANGED = "order.changed"  #: the buyer ordered more: lines, or units of lines
    ORDER_FULFILLED = "order.fulfilled"  #: units left
    SHIPMENT_WITHDRAWN = "shipment.withdrawn"  #: units that did not leave after all are open again
    CANCELLATION_REQUESTED = "cancellation.requested"  #: the buyer asks, and the seller has to answer
    CANCELLATION_WITHDRAWN = "cancellation.withdrawn"  #: the buyer asks for less, or for nothing any more
    CANCELLATION_REFUSED = "cancellation.refused"  #: by the seller who was asked, or by the rules


@unique
class MailTopic(Enum):
    """What a person of a company can be told of by e-mail, in an order's own affairs."""

    CANCELLATIONS = "cancellations"  #: the other side cancelled
    REQUESTS = "requests"  #: the buyer asks for a cancellation, or no longer does
    REFUSALS = "refusals"  #: what the company asked for or sent was not taken


@unique
class MailPace(Enum):
    """When a person is told of it."""

    AT_ONCE = "at_once"  #: by an e-mail of its own
    HOURLY = "hourly"  #: with all else of an hour, in one e-mail
    NONE = "none"  #: not at all; others of the company are


@unique
class UserRole(Enum):
    """For whom a person signs in."""

    PARTNER = "partner"  #: for one partner, whose orders are seen
    OPERATOR = "operator"  #: for the hub: sees everything, and acts for either party
