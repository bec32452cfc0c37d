"""Commands that look at the ledger and speak to it: orders, cancel, answer, held, release, outbox, audit."""

from dataclasses import asdict
from typing import Annotated

import typer

from pipeline import screen, sheet, staff
from pipeline.actors import HUB
from pipeline.cli.options import (
    AsCsv,
    AsJson,
    Config,
    check_one_form,
    end,
    out,
    print_csv,
    print_json,
    say_cut,
)
from pipeline.errors import OperatorError
from pipeline.people import is_secret
from pipeline.reasons import CancelReason
from pipeline.views import (
    held_json,
    message_json,
    order_json,
    parked_json,
    receipts_of,
    summary_json,
    waiting_rows,
)
from pipeline.wiring import open_application
from storage import deadlines, messages, order_lists
from storage import held as held_questions
from storage import parked as parked_sets
from storage.commands import Consent
from storage.invariants import audit as find_breaches
from storage.states import Kind, Status

app = typer.Typer()

ORDERS_MAX, MESSAGES_MAX = 100_000, 1000  # listed, if nothing else is asked for
REASONS = tuple(reason.value for reason in CancelReason)
Release = Annotated[str, typer.Option(help="The release, if the order has several.")]


@app.command()
def orders(
    config: Config = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    partner: Annotated[str, typer.Option(help="Either party.")] = "",
    status: Annotated[str, typer.Option(help="open, partly_fulfilled, fulfilled, cancelled, complete.")] = "",
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = ORDERS_MAX,
) -> None:
    """List orders, newest first."""
    check_one_form(as_json=as_json, as_csv=as_csv)
    application = open_application(config)
    if partner and application.settings.directory.get(partner) is None:
        raise OperatorError(f'There is no partner "{partner}" in the settings.')
    with application.database.reading() as tx:
        wanted = staff.status_named(status)
        found = order_lists.list_orders(tx, partner=partner, status=wanted, limit=limit + 1)
        due = deadlines.next_of(tx, None) if as_json else {}
    cut, found = len(found) > limit, found[:limit]
    if cut:
        say_cut(limit, "orders", "--partner and --status")
    if as_json:
        print_json({"orders": [summary_json(order, due.get(order.id)) for order in found], "cut": cut})
    elif as_csv:
        print_csv(sheet.ORDER_COLUMNS, map(summary_json, found))
    else:
        screen.show_orders(out, found)


@app.command()
def order(
    po_number: str,
    config: Config = None,
    as_json: AsJson = False,
    buyer: Annotated[str, typer.Option(help="The buyer, if several orders have this number.")] = "",
    seller: Annotated[str, typer.Option(help="The seller, if several orders have this number.")] = "",
    release: Release = "",
) -> None:
    """Show one order: its lines and all that happened to it."""
    application = open_application(config)
    with application.database.reading() as tx:
        view = staff.one_order(tx, po_number, buyer, seller, release)
    if as_json:
        print_json(order_json(view, HUB))
    else:
        screen.show_order(out, view)


@app.command()
def cancel(
    po_number: str,
    by: Annotated[str, typer.Option("--by", help="The partner who cancels.")],
    config: Config = None,
    as_json: AsJson = False,
    line: Annotated[str, typer.Option(help="One line; without it the whole order.")] = "",
    quantity: Annotated[str, typer.Option(help="Units of that line; without it all open.")] = "",
    reason: Annotated[str, typer.Option(help=f"{', '.join(REASONS)}; or a code of X12.")] = "",
    note: Annotated[str, typer.Option(help="A sentence for the other party.")] = "",
    release: Release = "",
    counterparty: Annotated[str, typer.Option(help="The other partner, if several have this PO.")] = "",
) -> None:
    """Cancel for one party: same rule, same notices. It cannot be undone."""
    application = open_application(config)
    wanted = staff.Cancellation(
        po_number=po_number, release=release, by=by, counterparty=counterparty,
        line=line, quantity=quantity, reason=reason, note=note,
    )  # fmt: skip
    report = staff.cancel(application, wanted)
    if as_json:
        print_json(report.to_json())
    else:
        screen.show_set(out, report)
    if report.refusals and report.outcome.value == "refused":
        end(attention=True)


@app.command()
def answer(
    po_number: str,
    by: Annotated[str, typer.Option("--by", help="The seller who was asked.")],
    agree: Annotated[bool, typer.Option("--agree", help="The seller agrees to cancel.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="The seller does not agree.")] = False,
    config: Config = None,
    as_json: AsJson = False,
    note: Annotated[str, typer.Option(help="A sentence for the buyer.")] = "",
    release: Release = "",
    counterparty: Annotated[str, typer.Option(help="The buyer, if several have this PO.")] = "",
) -> None:
    """Enter the seller's answer to all that its buyer asked to cancel. Agreeing cannot be undone."""
    if agree == refuse:
        raise OperatorError("Give either --agree or --refuse. Nothing was done.")
    application = open_application(config)
    wanted = staff.Cancellation(
        po_number=po_number, release=release, by=by, counterparty=counterparty, note=note
    )
    report = staff.answer(application, wanted, Consent.AGREED if agree else Consent.REFUSED)
    if as_json:
        print_json(report.to_json())
    else:
        screen.show_set(out, report)
    end(attention=report.outcome.value in ("refused", "held"))


@app.command()
def held(config: Config = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """What waits for a person, how long, and with which choices; and what waits for its order."""
    check_one_form(as_json=as_json, as_csv=as_csv)
    application = open_application(config)
    with application.database.reading() as tx:
        questions, waiting = held_questions.list_held(tx), parked_sets.list_parked(tx)
        receipts = receipts_of(tx, questions, waiting)
    held_list = [held_json(question, receipts.get(question.set_id or 0)) for question in questions]
    parked_list = [parked_json(parked, receipts.get(parked.set_id)) for parked in waiting]
    if as_csv:
        print_csv(sheet.HELD_COLUMNS, waiting_rows(held_list, parked_list))
    elif as_json:
        print_json({"held": held_list, "parked": parked_list})
    else:
        screen.show_held(out, questions, waiting, receipts, application.clock.now())


@app.command()
def release(
    held_id: int,
    choice: Annotated[str, typer.Option("--as", help="One of the choices that `held` lists.")],
    config: Config = None,
    as_json: AsJson = False,
    by: Annotated[str, typer.Option(help="Who decides.")] = "staff",
    note: Annotated[str, typer.Option(help="Why, for those who ask later.")] = "",
) -> None:
    """Answer what is held; the document is decided with the answer."""
    application = open_application(config)
    report = staff.release(application, held_id, choice, by, note)
    if as_json:
        print_json(report.to_json())
    else:
        screen.show_set(out, report)
    end(attention=report.outcome.value in ("refused", "held", "faulty"))


@app.command()
def outbox(
    config: Config = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    status: Annotated[list[Status] | None, typer.Option(help="Give it several times for several.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="An X12 document is an acknowledgment.")] = None,
    partner: Annotated[str, typer.Option(help="Whom it is for.")] = "",
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = MESSAGES_MAX,
) -> None:
    """List e-mails and X12 documents, sent and owed, and what partners answered to them."""
    check_one_form(as_json=as_json, as_csv=as_csv)
    application = open_application(config)
    with application.database.reading() as tx:
        found = messages.list_messages(
            tx, statuses=status or (), kind=kind, partner=partner, limit=limit + 1,
            with_payload=as_json or as_csv,
        )  # fmt: skip
        cut, found = len(found) > limit, found[-limit:]
        listed = [
            message_json(tx, message, is_secret=is_secret(message.dedupe_key))
            for message in found
            if as_json or as_csv
        ]
    if cut:
        say_cut(limit, "messages", "--status, --kind and --partner")
    if as_json:
        print_json({"messages": listed, "cut": cut})
    elif as_csv:
        print_csv(sheet.MESSAGE_COLUMNS, listed)
    else:
        screen.show_messages(out, found, narrowed=bool(status or kind or partner))


@app.command()
def resend(message_id: int, config: Config = None, as_json: AsJson = False) -> None:
    """Deliberately send a message again, as a new one that points to the old."""
    application = open_application(config)
    made = staff.resend(application, message_id)
    if as_json:
        print_json({"id": made[0], "ids": list(made), "resend_of": message_id})
    else:
        for new_id in made:
            out.print(f"Message {new_id} repeats message {message_id}; it goes out with the next delivery.")


@app.command()
def audit(config: Config = None, as_json: AsJson = False) -> None:
    """Prove every invariant over the whole database; names each breach."""
    application = open_application(config)
    with application.database.reading() as tx:
        breaches = find_breaches(tx)
    if as_json:
        print_json({"breaches": [asdict(breach) for breach in breaches]})
    else:
        for breach in breaches:
            out.print(f"[red]{breach.invariant}[/] ({breach.promise}): {screen.printable(breach.sentence)}")
            for row in breach.rows:
                said = ", ".join(f"{name} {value}" for name, value in row.items())
                out.print(f"  {screen.printable(said)}")
        advice = 'What to do: docs/runbook.md, "The audit names a breach".'
        out.print(advice if breaches else "Every invariant holds.")
    end(attention=bool(breaches))
