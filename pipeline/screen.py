"""Screen: reports, orders and questions as support staff read them on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from traceback import TracebackException

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.check import CheckedFile
from pipeline.report import FileReport, SetReport
from pipeline.visible import visible
from storage.access_keys import AccessKey
from storage.events import LedgerEvent, Units
from storage.held import Held
from storage.interchanges import SetReceipt
from storage.messages import OutboxMessage
from storage.orders import OrderStatus
from storage.outcomes import Outcome
from storage.parked import Parked
from storage.people import User
from storage.quantities import plain
from storage.queries import OrderSummary, OrderView
from storage.webhooks import Endpoint, PostAttempt

_COLOURS = {
    Outcome.APPLIED: "green",
    Outcome.DUPLICATE: "dim",
    Outcome.IGNORED: "dim",
    Outcome.PARKED: "cyan",
    Outcome.HELD: "yellow",
    Outcome.REFUSED: "red",
    Outcome.FAULTY: "red",
}
_FRAMES = ("Traceback ", "  File ", "\n")  # parts of a traceback that are Python's own words
EXCERPT_MAX = 106  # an ISA
HOURS_SHOWN_MAX = 48  # from here on an age is in days

#: What became of units, where the word of the report does not say it all.
_MOVED = {
    "requested": "asked to be cancelled; the seller has to agree",
    "kept": "kept; the seller does not agree to cancel them",
    "withdrawn": "no longer asked to be cancelled",
    "reopened": "open again",
}


def printable(text: str) -> str:
    """Partner-controlled text for a terminal: nothing in it can move the cursor or colour a line."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def show_bug(console: Console, error: BaseException) -> None:
    """A bug's traceback for whoever mends it: without local variables, which may hold secrets, and each
    message on one line, for it may quote what a partner wrote."""
    for part in TracebackException.from_exception(error).format():
        lines = part.rstrip("\n").split("\n") if part.startswith(_FRAMES) else [part.rstrip("\n")]
        for line in lines:
            console.print(visible(line), markup=False, soft_wrap=True)


def show_files(console: Console, files: Sequence[FileReport]) -> None:
    """One line per file, and under it what became of each set."""
    for file in files:
        colour = _COLOURS[file.outcome]
        sender = f" from {printable(file.partner)}" if file.partner else ""
        console.print(f"[bold]{printable(file.name)}[/]{sender}: [{colour}]{file.outcome.value}[/]")
        if file.error:
            console.print(f"  {printable(file.error)}")
        for finding in file.findings:
            _sentence(console, finding.message, finding.remedy)
        for interchange in file.interchanges:
            said = f"interchange {interchange.control_number} from {interchange.sender}"
            console.print(f"  {printable(said)}: {interchange.outcome.value}")
            for finding in interchange.findings:
                _sentence(console, finding.message, finding.remedy)
            for report in interchange.sets:
                show_set(console, report)
        for report in file.released:
            console.print("  waited for this order, decided now:")
            show_set(console, report)


def show_set(console: Console, report: SetReport) -> None:
    """One set: what it was, what became of it, line by line."""
    order = f" PO {printable(report.order)}" if report.order else ""
    head = f"    {printable(report.type)} {printable(report.control_number)}{order}"
    if not report.type:  # entered by a person
        head = order.lstrip(" ")
    console.print(f"{head}: [{_COLOURS[report.outcome]}]{report.outcome.value}[/]")
    for units in report.moved:
        of = f"PO {printable(units.order)} " if units.order != report.order else ""
        words = _MOVED.get(units.how, units.how)
        console.print(f"      {of}line {printable(units.line)}: {units.quantity} {words}")
    for refusal in report.refusals:
        console.print(
            f"      {refusal.refusal.name}: {printable(refusal.message)}", style="red", soft_wrap=True
        )
    if report.question:
        console.print(f"      {printable(report.question)}", style="yellow")
        console.print(f"      answer it: countermand release {report.held_id} --as CHOICE")
    for note in report.notes:
        console.print(f"      {printable(note)}", style="dim")
    for finding in report.findings:
        _sentence(console, f"{finding.place}: {finding.message}", finding.remedy)


def _sentence(console: Console, message: str, remedy: str) -> None:
    console.print(f"      {printable(message)} [dim]{printable(remedy)}[/]", soft_wrap=True)


def show_checked(console: Console, files: Iterable[CheckedFile]) -> None:
    """Findings with place, excerpt, caret, explanation and remedy."""
    for file in files:
        verdict = "[red]faulty[/]" if file.is_faulty else "[green]good[/]"
        console.print(f"{printable(file.name)}: {file.sets} transaction sets, {verdict}")
        for checked in file.faults:
            fault = checked.fault
            place = printable(fault.place) or "the file"
            console.print(f"\n{printable(file.name)}: {place} \\[{fault.level}]", soft_wrap=True)
            if checked.excerpt:
                start, width = checked.caret
                fits = len(checked.excerpt) <= EXCERPT_MAX
                left = 0 if fits else max(0, start - EXCERPT_MAX // 2)
                excerpt = checked.excerpt[left : left + EXCERPT_MAX]
                console.print(f"  {fault.position or '':>4} | {printable(excerpt)}", soft_wrap=True)
                console.print(
                    f"       | {' ' * (start - left)}{'^' * min(width, EXCERPT_MAX)}", soft_wrap=True
                )
            console.print(printable(fault.in_full), soft_wrap=True)


def show_orders(console: Console, orders: Sequence[OrderSummary]) -> None:
    """A table of orders."""
    table = Table("PO number", "release", "buyer", "seller", "status", "placed")
    for order in orders:
        key = order.key
        words = [key.po_number, key.release, key.buyer, key.seller, status_words(order.status)]
        table.add_row(*map(printable, words), f"{order.placed_at:%Y-%m-%d %H:%M}")
    console.print(table if orders else "No orders.")


def show_keys(console: Console, keys: Sequence[AccessKey], at: datetime) -> None:
    """A table of keys: what each may do, whether it still does, and when it was used last."""
    table = Table("key", "partner", "name", "may", "state", "last used")
    for key in keys:
        state = "good" if key.is_good(at) else "revoked" if key.revoked_at else "expired"
        if key.is_good(at) and key.expires_at:
            state = f"good until {key.expires_at:%Y-%m-%d}"
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        may = ", ".join(sorted(scope.value for scope in key.scopes))
        table.add_row(str(key.id), printable(key.partner), printable(key.name), may, state, used)
    console.print(table if keys else "No keys.")


def show_users(console: Console, users: Sequence[User], at: datetime) -> None:
    """A table of people: for whom they sign in, and whether they can."""
    table = Table("address", "name", "for", "state", "last signed in")
    for user in users:
        state = "good" if user.has_password else "no password yet"
        if user.locked_until and at < user.locked_until:
            state = f"locked until {user.locked_until:%Y-%m-%d %H:%M}"
        if user.disabled_at:
            state = "revoked"
        signed_in = f"{user.signed_in_at:%Y-%m-%d %H:%M}" if user.signed_in_at else "never"
        whose = user.partner or "the hub (operator)"
        table.add_row(*map(printable, (user.email, user.name, whose)), state, signed_in)
    console.print(table if users else "Nobody.")


def show_endpoints(console: Console, endpoints: Sequence[Endpoint], last: Mapping[int, PostAttempt]) -> None:
    """A table of webhooks: where to, what of, and what came of the last attempt."""
    table = Table("webhook", "partner", "URL", "topics", "state", "last result")
    for one in endpoints:
        topics = ", ".join(sorted(topic.value for topic in one.topics))
        state = "on" if one.is_on else f"disabled: {one.disabled_why}"
        tried = last.get(one.id)
        said = f"{_time(tried.at)} {tried.error or tried.status}" if tried else "never tried"
        table.add_row(
            str(one.id), printable(one.partner), printable(one.url), topics, printable(state), printable(said)
        )
    console.print(table if endpoints else "No webhooks.")


def show_order(console: Console, view: OrderView) -> None:
    """One order: its lines with their counters, and its timeline."""
    key = view.summary.key
    release = f" release {printable(key.release)}" if key.release else ""
    console.print(
        f"[bold]PO {printable(key.po_number)}[/]{release}: {printable(key.buyer)} orders from"
        f" {printable(key.seller)}; {status_words(view.summary.status)}"
    )
    asked = any(line.requested for line in view.lines)
    counted = ["ordered", "fulfilled", "cancelled", *(["requested"] if asked else []), "open"]
    table = Table("line", "item", "unit")
    for word in counted:
        table.add_column(word, justify="right")
    for line in view.lines:
        items = ", ".join(f"{item.qualifier} {item.id}" for item in line.ids)
        counters = (plain(getattr(line, word)) for word in counted)
        table.add_row(printable(line.line), printable(items), printable(line.unit), *counters)
    console.print(table)
    if asked:
        said = f"countermand answer {key.po_number} --by {key.seller} --agree (or --refuse)"
        console.print("Requested: open units that the buyer asked to cancel; the seller has not answered.")
        console.print(f"Enter its answer: {printable(said)}", soft_wrap=True)
        if view.answer_by:
            console.print(f"It can be answered until {_time(view.answer_by)} UTC; then the request lapses.")
    for event in view.events:
        _show_event(console, event)


def _show_event(console: Console, event: LedgerEvent) -> None:
    source = event.source
    said = f"{source.type} {source.interchange}/{source.group}/{source.set}, {source.file}"
    where = said if source.type else f"entered by {source.actor or 'staff'}"
    units = ", ".join(
        f"line {unit.line}: {plain(unit.quantity)}{_because(unit, event)}" for unit in event.units
    )
    told = all(_because(unit, event) for unit in event.units) and event.units
    why = f" ({event.reason.text})" if event.reason.text and not told else ""
    kind = event.kind.value.replace("_", " ")
    head = f"{event.at:%Y-%m-%d %H:%M:%S}  {kind} by {event.by}{why}"
    console.print(f"{printable(head)}{': ' if units else ''}{printable(units)}")
    for note in (*event.notes, event.note):
        if note:
            console.print(f"{'':21}{printable(note)}")
    console.print(f"{'':21}{printable(where)}", style="dim")


def _because(unit: Units, event: LedgerEvent) -> str:
    """A line's own reason, where it says more than the event's."""
    return f" ({unit.reason.text})" if unit.reason.text and unit.reason != event.reason else ""


def show_held(
    console: Console,
    held: Sequence[Held],
    parked: Sequence[Parked],
    receipts: Mapping[int, SetReceipt],
    now: datetime,
) -> None:
    """What waits for a person, with the choices and what each would do; and what waits for its order.

    `receipts` are the sets behind them, by id.
    """
    for question in held:
        document = receipts.get(question.set_id or 0)
        who = f"{_document(document)} from {question.partner}" if document else question.partner
        console.print(
            f"[bold]{question.id}[/]  PO {printable(question.po_number)}: {printable(who)}", soft_wrap=True
        )
        limit = "no time limit"
        if question.expires_at:
            limit = f"its sender is told no after {_time(question.expires_at)}"
        since = f"since {_time(question.at)}, {age_words(question.age(now))}"
        console.print(f"    {since}; {limit}", style="dim", soft_wrap=True)
        console.print(f"    {printable(question.statement)}", style="yellow", soft_wrap=True)
        for choice in question.choices:
            name = f"countermand release {question.id} --as {choice.name}"
            console.print(f"    {printable(name)}: {printable(choice.effect)}", soft_wrap=True)
    for waiting in parked:
        document = receipts.get(waiting.set_id)
        what = f"{_document(document)} from {waiting.partner}" if document else waiting.partner
        console.print(
            f"parked: PO {printable(waiting.po_number)} is not known here; {printable(what)} waits for it"
            f" since {_time(waiting.since)}, until {_time(waiting.expires_at)}",
            soft_wrap=True,
        )
    if not held and not parked:
        console.print("Nothing is held, nothing is parked.")


def _document(receipt: SetReceipt) -> str:
    return f"{receipt.type} {receipt.control_number} in {receipt.file_name}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def age_words(age: timedelta) -> str:
    """How long something has waited, in the largest unit that says enough."""
    hours = int(age.total_seconds()) // 3600
    if hours < 1:
        return f"{max(int(age.total_seconds()) // 60, 0)} min"
    return f"{hours} h" if hours < HOURS_SHOWN_MAX else f"{hours // 24} days"


def show_messages(console: Console, messages: Sequence[OutboxMessage], *, narrowed: bool) -> None:
    """The outbox, or part of it, as a table; what partners said of X12 documents of ours is a column more."""
    answered = any(message.verdict for message in messages)
    table = Table("id", "what", "to", "subject", "status", *(["the partner says"] if answered else []))
    for message in messages:
        sent = f" {_time(message.sent_at)}" if message.sent_at else ""
        status = message.status.value + sent + (f": {message.error}" if message.error else "")
        note = message.verdict_note.replace("\n", " ")
        answer = message.verdict.replace("_", " ") + (f": {note}" if note else "")
        table.add_row(
            str(message.id),
            message.set_type or message.kind.value,
            printable(message.to),
            printable(message.subject or message.identity),
            printable(status),
            *([printable(answer)] if answered else []),
        )
    nothing = "Nothing in the outbox is like that." if narrowed else "The outbox is empty."
    console.print(table if messages else nothing)


def status_words(status: OrderStatus) -> str:
    """The status for people."""
    return status.value.replace("_", " ")
