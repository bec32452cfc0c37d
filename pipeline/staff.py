"""What staff may do by hand: look an order up, cancel for a party, answer, send and read again."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from pipeline import journal
from pipeline.entering import Speaker, cancellation, consent, enter
from pipeline.errors import CountermandError, OperatorError
from pipeline.mail import bare_address
from pipeline.notes import plain_note
from pipeline.partners import Role
from pipeline.people import is_secret
from pipeline.reasons import reason_said
from pipeline.replay import replay_kept
from pipeline.report import FileReport, SetReport, with_result
from pipeline.sets import decide_again
from pipeline.settings import Settings
from pipeline.telling.digests import is_digest
from pipeline.telling.owing import tell_again, tell_digest_again
from pipeline.wiring import Application
from storage import held, ledger, messages, outbox, queries, receipts
from storage.commands import Command, Consent, LineCancellation, LineReference
from storage.messages import OutboxMessage
from storage.orders import OrderStatus
from storage.queries import OrderView
from storage.receipts import ReceivedFile
from storage.states import Kind

STAFF = "staff"  # who did it, where no person is named

_CommandOf = Callable[[Speaker, OrderView], Command]
_QUANTITY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


class Refused(CountermandError):
    """What was asked for by hand cannot be done; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What a member of staff typed; `line` and `quantity` may be empty."""

    po_number: str
    by: str
    release: str = ""
    counterparty: str = ""
    line: str = ""
    quantity: str = ""
    reason: str = ""
    note: str = ""


def status_named(word: str) -> OrderStatus | None:
    """The status a person typed; "" is every status."""
    try:
        return OrderStatus(word) if word else None
    except ValueError as error:
        known = ", ".join(status.value for status in OrderStatus)
        raise OperatorError(f'"{word}" is no status; it is one of {known}.') from error


def one_order(tx: Connection, po_number: str, buyer: str, seller: str, release: str) -> OrderView:
    """The one order meant; several are listed so that the caller can say which."""
    found = queries.find_orders(tx, po_number, buyer=buyer, seller=seller, release=release or None)
    if not found:
        raise OperatorError(f"There is no order {po_number} here (between these parties).")
    if len(found) > 1:
        named = "; ".join(
            f"--buyer {o.key.buyer} --seller {o.key.seller} --release '{o.key.release}'" for o in found
        )
        raise OperatorError(f"PO {po_number} is more than one order; say which: {named}")
    view = queries.get_order(tx, found[0].id)
    assert view is not None
    return view


def cancel(application: Application, wanted: Cancellation) -> SetReport:
    """Cancel for one party, by the same rule and with the same notices as a document."""
    if wanted.quantity and not wanted.line:
        raise OperatorError("--quantity needs --line: say of which line.")
    if wanted.quantity and not _QUANTITY.fullmatch(wanted.quantity):
        raise OperatorError(f'--quantity "{wanted.quantity}" is not a number such as 60 or 12.5.')
    quantity = Decimal(wanted.quantity) if wanted.quantity else None
    cut = LineCancellation(line=LineReference(number=wanted.line), quantity=quantity)
    lines = (cut,) if wanted.line else ()

    def cancelled(speaker: Speaker, view: OrderView) -> Command:
        return cancellation(
            application.settings, speaker, view.summary.key,
            lines=lines, reason=reason_said(wanted.reason), note=wanted.note,
        )  # fmt: skip

    return _say(application, wanted, cancelled)


def answer(application: Application, wanted: Cancellation, said: Consent) -> SetReport:
    """Enter the seller's answer to a cancellation its buyer asked for."""

    def answered(speaker: Speaker, view: OrderView) -> Command:
        if not view.has_lapsed and not any(line.requested for line in view.lines):
            raise OperatorError(
                f"Nothing of PO {wanted.po_number} is asked to be cancelled, or it was answered; nothing was"
                " done. To cancel for a party: countermand cancel"
            )
        return consent(speaker, view.summary.key, said, reason_said(wanted.reason), wanted.note)

    return _say(application, wanted, answered)


def _say(application: Application, wanted: Cancellation, command_of: _CommandOf) -> SetReport:
    """Find the order a person means, say it to the ledger for the party, and tell who must know."""
    _check_note("The note", wanted.note)
    partner = application.settings.directory.get(wanted.by)
    if partner is None:
        known = ", ".join(p.id for p in application.settings.partners)
        raise OperatorError(f'There is no partner "{wanted.by}"; the settings have: {known}.')
    buys = partner.role is Role.BUYER
    parties = (partner.id, wanted.counterparty) if buys else (wanted.counterparty, partner.id)
    speaker = Speaker(partner=partner, actor=STAFF, at=application.clock.now())

    def say(tx: Connection) -> ledger.Result:
        view = one_order(tx, wanted.po_number, *parties, wanted.release)
        origin = f"staff:{secrets.token_hex(8)}"
        return enter(tx, application.settings, command_of(speaker, view), origin)

    result = application.database.run(say)
    report = SetReport(type="", control_number="", outcome=result.outcome, order=wanted.po_number)
    journal.event("entered_by_staff", order=wanted.po_number, partner=partner.id, outcome=result.outcome)
    return with_result(report, result)


def _check_note(what: str, said: str) -> None:
    try:
        plain_note(said)
    except ValueError as error:
        raise OperatorError(f"{what} {error}; nothing was done.") from error


def release(application: Application, held_id: int, choice: str, by: str, note: str) -> SetReport:
    """Record a person's answer and decide the set with it, in one transaction."""
    _check_note("The note", note)
    _check_note("The name in --by", by)
    at = application.clock.now()

    def decide(tx: Connection) -> SetReport:
        question = held.answer(tx, held_id, choice=choice, by=by, at=at, note=note)
        if question.set_id is None:
            raise OperatorError(f"{held_id} has no document behind it.")
        return decide_again(tx, application.settings, question.set_id, at, actor=by)

    report = application.database.run(decide)
    journal.event(
        "question_answered", file=report.file_id, held=held_id, answer=choice, by=by, outcome=report.outcome
    )
    return report


def resend(
    application: Application, message_id: int, by: str = STAFF, *, after: int | None = None
) -> tuple[int, ...]:
    """New messages in place of an old one; their ids. Nothing when it was repeated more than `after` times.

    The same content again, a mail under an identity of its own. A mail about an event goes to whom the
    settings name now, when its address is not among them any more.
    """
    at = application.clock.now()

    def again(tx: Connection) -> tuple[int, ...]:
        if after is not None and len(messages.resends_of(tx, message_id)) != after:
            raise Refused(f"Message {message_id} was sent again since you looked at it; nothing was done.")
        # In the app a person has seen the repetitions there are, and says how many with `after`.
        waiting = messages.waiting_repetition(tx, message_id) if after is None else None
        made = _again(tx, application.settings, message_id, at)
        if waiting is not None and _repeats(tx, made, message_id):
            raise Refused(
                f"Message {waiting} repeats message {message_id} already and waits to be sent; nothing was"
                " done."
            )
        return made

    made = application.database.run(again)
    for new_id in made:
        journal.event("message_resent", message=new_id, resend_of=f"m{message_id}", by=by)
    return made


def _repeats(tx: Connection, made: tuple[int, ...], message_id: int) -> bool:
    """Whether one of them says the same to the same reader; others go to whom the settings name now."""
    found = (messages.get(tx, one) for one in made)
    return any(one is not None and one.resend_of == message_id for one in found)


def retry(application: Application, file_id: int, by: str = STAFF) -> ReceivedFile:
    """Have a file that was given up read again, with the next round; Refused for any other."""

    def again(tx: Connection) -> ReceivedFile:
        if not receipts.retry(tx, file_id):
            raise Refused(f"File {file_id} is none that was given up; nothing was done.")
        file = receipts.get_file(tx, file_id)
        assert file is not None
        return file

    file = application.database.run(again)
    journal.event("file_retried", file=file_id, partner=file.partner, name=file.name, by=by)
    return file


def check_no_secret(message: OutboxMessage) -> None:
    """Refused for a mail that opens an account: its repetition would be a message that is shown."""
    if is_secret(message.dedupe_key):
        raise Refused(
            f"Message {message.id} carries a link that opens an account; it is not sent again. Whoever needs"
            ' a link asks for one on the page "Forgot your password?".'
        )


class _Tried(Exception):
    """Ends a transaction that must not be kept; carries what it came to."""

    def __init__(self, report: FileReport) -> None:
        super().__init__()
        self.report = report


class Changed(Exception):
    """A replay would do something else than was shown; nothing was kept. Carries what it would do now."""

    def __init__(self, report: FileReport) -> None:
        super().__init__()
        self.report = report


def replay(
    application: Application, file_id: int, by: str, *, apply: bool, shown: str | None = None
) -> FileReport:
    """Read a received file again: what it does now; kept only to `apply` it.

    `shown` is the mark of the trial that somebody looked at: Changed when it does not do that any more.
    A trial is a transaction that is undone, on every database: a copy would take as long as the ledger is
    large, and the site is at work meanwhile.
    """

    def read(tx: Connection) -> FileReport:
        report = replay_kept(tx, application.settings, file_id, application.clock.now(), by)
        if not apply:
            raise _Tried(report)
        if shown is not None and report.mark != shown:
            raise Changed(report)
        return report

    try:
        report = application.database.run(read)
    except _Tried as tried:
        return tried.report
    journal.event("file_replayed", file=file_id, read_as=report.file_id, by=by, outcome=report.outcome)
    return report


def _again(tx: Connection, settings: Settings, message_id: int, at: datetime) -> tuple[int, ...]:
    identity = f"<{secrets.token_hex(20)}@{bare_address(settings.mail.sender).rpartition('@')[2]}>"
    message = messages.get(tx, message_id)
    if message is not None:
        check_no_secret(message)
    is_mail = message is not None and message.kind is Kind.EMAIL
    digest = message is not None and is_digest(message)
    if message is None or not message.is_final or not (digest or (message.event_id and is_mail)):
        return (outbox.resend(tx, message_id, at, identity=identity if is_mail else ""),)
    told = (tell_digest_again if digest else tell_again)(tx, settings, message, at, identity)
    if not told:
        raise Refused(
            f"Everybody whom the settings name for message {message_id} now was told already, and"
            f" {message.to} is not among them; correct notify in the settings first."
        )
    return told
