"""Digests: what people are told of once an hour is owed with its fact, and gathered into one e-mail each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline.clock import Clock
from pipeline.mail import UnwritableMessage, compose, message_id
from pipeline.mail.phrases import phrases
from pipeline.notices.contexts import LINES_MAX, Cancellation, Context, LinesCancelled, Notice, OrderCancelled
from pipeline.notices.digest import Digest, DigestItem, content_of, item_of
from pipeline.settings import Settings
from storage import digests, outbox
from storage.database import Database
from storage.digests import DIGEST_SECONDS, Entry, NewEntry, Reader
from storage.messages import NewMessage, OutboxMessage, StaleMessage
from storage.states import Kind, MailTopic

ITEMS_MAX = 20  # told of in one mail: with LINES_MAX lines it stays below what webmails cut off
DEDUPE_PREFIX = "digest:"
AS_CHOSEN = "gathered for an hour, as you chose"
_HOUR = timedelta(seconds=DIGEST_SECONDS)
_COUNTED = {
    MailTopic.CANCELLATIONS: ("cancellation", "cancellations"),
    MailTopic.REQUESTS: ("request", "requests"),
    MailTopic.REFUSALS: ("refusal", "refusals"),
}


def owe(
    tx: Connection, settings: Settings, notice: Notice, reader: Reader, topic: MailTopic, at: datetime, *,
    event_id: int | None, order_id: int | None, is_party: bool,
) -> None:  # fmt: skip
    """Owe a notice in the reader's next digest, once. Raises UnwritableMessage when it cannot be said."""
    try:
        item = _item(settings, notice.context, order_id if is_party else None)
    except Exception as error:  # a template is a program, and may raise what it likes
        raise UnwritableMessage(f"template {notice.template} failed: {type(error).__name__}") from error
    entry = NewEntry(
        reader=reader, topic=topic, dedupe_key=notice.dedupe_key, event_id=event_id, order_id=order_id,
        content=content_of(item),
    )  # fmt: skip
    digests.owe(tx, entry, at)


def gather(settings: Settings, database: Database, clock: Clock) -> None:
    """Owe the digests that are due: one e-mail for each reader, in one transaction with what it tells."""
    at = clock.now()
    with database.reading() as tx:
        ripe = digests.readers(tx, at - _HOUR)
    for reader in ripe:
        with database.writing() as tx:
            entries = digests.waiting(tx, reader)
            if entries and entries[0].created_at <= at - _HOUR:  # or another process was first
                _put(tx, settings, entries, at)


def gather_all(tx: Connection, settings: Settings, at: datetime) -> None:
    """Owe all that waits now, due or not: after a restoration nobody knows which of it was told."""
    for reader in digests.readers(tx):
        if entries := digests.waiting(tx, reader):
            _put(tx, settings, entries, at)


def is_digest(message: OutboxMessage) -> bool:
    """Whether a message of the outbox is the digest itself, not a repetition of it."""
    return message.dedupe_key.startswith(DEDUPE_PREFIX)


def written_again(
    tx: Connection, settings: Settings, message: OutboxMessage, identity: str, at: datetime
) -> NewMessage:
    """A digest that could not be written, from what it was to tell; StaleMessage when it still cannot be."""
    entries = digests.gathered(tx, message.id)
    try:
        return _written(settings, entries, (1, 1), identity, message.dedupe_key, at)
    except UnwritableMessage as error:
        raise StaleMessage(f"Message {message.id} still cannot be sent: {error}.") from error


def tell_others(
    tx: Connection, settings: Settings, entries: Sequence[Entry],
    readers_of: Callable[[MailTopic], Iterable[str]], at: datetime,
) -> tuple[int, ...]:  # fmt: skip
    """Tell now what a digest told to somebody else, each reader what that one was not told; the new digests.

    StaleMessage when there is no reader.
    """
    partner, fresh, found = entries[0].reader.partner, dict[Reader, None](), False
    for entry in entries:
        for to in readers_of(entry.topic):
            found, reader = True, Reader(partner=partner, to=to)
            key = entry.dedupe_key.removesuffix(entry.reader.to) + to  # of the mail that one would have had
            new = NewEntry(
                reader=reader, topic=entry.topic, dedupe_key=key, event_id=entry.event_id,
                order_id=entry.order_id, content=entry.content,
            )  # fmt: skip
            if digests.owe(tx, new, at):
                fresh[reader] = None
    if not found:
        raise StaleMessage(f"{partner} has nobody who could be told; name an address in notify first.")
    source = "sent again: who was told before is not there any more"
    return tuple(
        made for reader in fresh for made in _put(tx, settings, digests.waiting(tx, reader), at, source)
    )


def _put(
    tx: Connection, settings: Settings, entries: Sequence[Entry], at: datetime, source: str = AS_CHOSEN
) -> list[int]:
    parts, put = list(_parts(entries)), []
    for place, part in enumerate(parts, start=1):
        key = f"{DEDUPE_PREFIX}{part[0].id}"
        # With the time: where a backup was put back, other entries may come to the same number.
        identity = message_id(f"{key} {at.isoformat()}", settings.mail.sender)
        try:
            message = _written(settings, part, (place, len(parts)), identity, key, at, source)
            made = outbox.enqueue(tx, message, at)
        except UnwritableMessage as error:
            blank = NewMessage(
                kind=Kind.EMAIL, partner="", to=part[0].reader.to, identity=identity, dedupe_key=key
            )
            made = outbox.enqueue_refused(tx, blank, at, error=str(error))
        assert made is not None  # an entry begins one digest
        digests.mark_gathered(tx, part, made)
        put.append(made)
    return put


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """As many as one mail can hold, again and again."""
    part: list[Entry] = []
    lines = 0
    for entry in entries:
        item = item_of(entry.content)
        more = len(item.lines) + len(item.problems)
        if part and (len(part) == ITEMS_MAX or lines + more > LINES_MAX):
            yield part
            part, lines = [], 0
        part.append(entry)
        lines += more
    yield part


def _written(
    settings: Settings, entries: Sequence[Entry], part: tuple[int, int], identity: str, key: str,
    at: datetime, source: str = AS_CHOSEN,
) -> NewMessage:  # fmt: skip
    """The digest's e-mail."""
    reader = entries[0].reader
    partner = settings.directory.get(reader.partner)
    context = Digest(
        hub=settings.hub.name, support=settings.hub.support_email, at=at,
        source=source, company=partner.name if partner else reader.partner,
        counted=_counted(entries), items=tuple(item_of(entry.content) for entry in entries),
        part=part[0], parts=part[1], link=f"{settings.site.address}/company#mail",
    )  # fmt: skip
    notice = Notice(template=Digest.TEMPLATE, context=context, to=reader.to, dedupe_key=key)
    mail = compose(notice, sender=settings.mail.sender, message_id=identity, at=at)
    return NewMessage(
        kind=Kind.EMAIL, partner="", to=reader.to, identity=identity, dedupe_key=key,
        subject=mail.subject, payload=mail.payload,
    )  # fmt: skip


def _counted(entries: Sequence[Entry]) -> str:
    said = []
    for topic, (one, many) in _COUNTED.items():
        if count := sum(entry.topic is topic for entry in entries):
            said.append(f"{count} {one if count == 1 else many}")
    return " and ".join(filter(None, (", ".join(said[:-1]), *said[-1:])))


def _item(settings: Settings, context: Context, order_id: int | None) -> DigestItem:
    said, is_moved = phrases(context), isinstance(context, (OrderCancelled, LinesCancelled))
    asked = "Asked for" if isinstance(context, Cancellation) else "Asked"
    values = {name: getattr(context, name, ()) for name in ("lines", "refused", "totals", "problems")}
    return DigestItem(
        headline=said.headline, lead=said.lead, advice=said.advice, facts=said.facts,
        moved="Cancelled now" if is_moved else asked, lines=values["lines"] or values["refused"],
        lines_left_out=getattr(context, "lines_left_out", 0), totals=values["totals"],
        problems=values["problems"],
        link=f"{settings.site.address}/orders/{order_id}" if order_id else "",
    )  # fmt: skip
