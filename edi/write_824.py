"""Write 824: application advice, our word on transactions that we could read but not do.

It echoes what a partner sent, right or wrong: an optional element that cannot be repeated as its release asks
is left out, and no partner's mistake keeps the advice from going.
"""

import re
from datetime import datetime
from types import MappingProxyType

from edi.documents import AdviceError, AdvisedTransaction, ApplicationAdvice
from edi.set_body import SetBody, wrap
from edi.write_envelope import ControlNumbers, Route, utc, write_set
from edi.write_lines import add_parties, add_references

_MESSAGE_CHARS_MAX = 60  # TED02, element 3
_NOTE_CHARS_MAX = 80  # NTE02, element 352
_NOTES_MAX = 100  # NTE in one TED loop
_REFERENCES_MAX = 12  # REF in one OTI loop
_ADDITIONAL = "ADD"  # NTE01 (363): additional information
_NOTHING = "0"  # a mandatory reference of which nothing can be repeated

_GROUP_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_POSITION_DIGITS_MAX = MappingProxyType({"004010": 6, "005010": 10})  # TED04, element 719


def write(advice: ApplicationAdvice, route: Route, *, numbers: ControlNumbers, at: datetime) -> bytes:
    """The interchange, ISA to IEA, with the 824. A missing date (BGN03) is the day of writing.

    A text over 60 characters goes on in NTE segments, cut between words; over 8,060 it is cut off. An
    UnwritableError is our own mistake: a code that the route's release does not have.
    """
    body = SetBody("824", route.form)
    created_on = advice.created_on or utc(at).date()
    body.add("BGN", advice.purpose, body.text(advice.reference) or _NOTHING, created_on, advice.created_at)
    add_parties(body, advice.parties)
    for transaction in advice.transactions:
        _add_transaction(body, transaction)
    return write_set(route, body.segments(), functional_id="AG", set_type="824", numbers=numbers, at=at)


def _add_transaction(body: SetBody, transaction: AdvisedTransaction) -> None:
    """OTI with what is known of the transaction's place: GS02, GS03, GS06, ST02 and ST01 as sent."""
    group_number = transaction.group_control_number
    in_group = _GROUP_NUMBER.fullmatch(group_number) is not None
    set_number = transaction.set_control_number if in_group else ""  # C0908: no set without its group
    body.add(
        "OTI",
        transaction.verdict,
        transaction.qualifier,
        body.text(transaction.reference) or _NOTHING,
        _echo(body, transaction.group_sender, 2, 15),
        _echo(body, transaction.group_receiver, 2, 15),
        "",
        "",
        group_number if in_group else "",
        _echo(body, set_number, 4, 9),
        _echo(body, transaction.set_type, 3, 3),
    )
    add_references(body, transaction.references[:_REFERENCES_MAX])
    for error in transaction.errors:
        _add_error(body, error)


def _add_error(body: SetBody, error: AdviceError) -> None:
    """TED and, for a longer text, its NTEs."""
    message, *notes = wrap(body.words(error.text), [_MESSAGE_CHARS_MAX, _NOTE_CHARS_MAX]) or [""]
    fits = 0 < error.position < 10 ** _POSITION_DIGITS_MAX[body.form.release]
    position = error.position if fits else None
    body.add("TED", error.code, message, _echo(body, error.segment, 2, 3), position, "", "", error.value)
    for note in notes[:_NOTES_MAX]:
        body.add("NTE", _ADDITIONAL, note)


def _echo(body: SetBody, value: str, chars_min: int, chars_max: int) -> str:
    """An optional element as its sender had it, or nothing when its length is wrong."""
    text = body.text(value)
    return text if chars_min <= len(text) <= chars_max else ""
