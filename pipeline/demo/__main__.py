"""`python -m pipeline.demo [FOLDER]`: one week between four partners, over SFTP and SMTP on loopback."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.demo import story as stories
from pipeline.demo.command import CommandFailed
from pipeline.demo.show import Teller
from pipeline.demo.stage import FolderInUse, Mail, Stage, staged
from pipeline.demo.story import Story
from pipeline.demo.world import CHARACTERS

STORY = Path(__file__).resolve().parents[2] / "samples" / "stories" / "one-week"
FOLDER = "demo"  # under the current folder; .gitignore knows it
TIMELINE_OF = "4500104"  # the order cancelled after part of it was shipped
IN_FULL = ("order_cancelled", "cancellation_refused", "document_rejected")  # the first of each
LINES_OF_OTHERS = 3


def main(arguments: Sequence[str]) -> int:
    """Play the story; 0 when it came out as it should."""
    folder = Path(arguments[0] if arguments else FOLDER).absolute()
    try:
        story = stories.load(STORY)
    except OSError as error:
        print(f"The story is not here ({error}); run the demonstration from a clone.", file=sys.stderr)
        return 1
    try:
        with staged(folder) as stage:
            differences = _perform(story, stage)
    except (CommandFailed, FolderInUse) as error:
        print(f"The demonstration cannot go on: {error}", file=sys.stderr)
        return 1
    return 1 if differences else 0


def _perform(story: Story, stage: Stage) -> tuple[str, ...]:
    """The story from beginning to end, then what is left of it; the differences from what was expected."""
    teller = Teller()
    teller.opening(story, stage.folder)
    files = _play(story, stage, teller)
    mails = stage.mails()
    _show_ledger(stage, teller)
    _show_mails(mails, teller)
    _show_acknowledgments(stage, teller)
    teller.typed("audit")
    audit = stage.countermand.show("audit")
    _show_places(stage, teller)
    differences = stories.differences(story.expected, _seen(stage, files, mails))
    if audit:
        differences = (*differences, "the audit found a breach")
    teller.closing(differences)
    teller.offer()
    return differences


def _play(story: Story, stage: Stage, teller: Teller) -> dict[str, Any]:
    """Drop each file, poll once, and tell what became of it; the sets of each file."""
    files: dict[str, Any] = {}
    for number, step in enumerate(story.steps, 1):
        teller.step(number, step)
        stage.drop(step)
        before = len(stage.sink.messages)
        report = stage.countermand.ask("poll").value
        files[step.file.name] = stories.sets_of(report)
        teller.sets(stories.reported_sets(report))
        teller.mails(stage.mails(before))
    return files


def _show_ledger(stage: Stage, teller: Teller) -> None:
    teller.heading("The ledger", "What the same commands would have told you at any time:")
    for command in (("orders",), ("order", TIMELINE_OF), ("held",)):
        teller.typed(*command)
        stage.countermand.show(*command)


def _show_mails(mails: Sequence[Mail], teller: Teller) -> None:
    teller.heading(f"The {len(mails)} e-mails", "Three of them in full, the others by their first lines.")
    wanted = list(IN_FULL)
    for mail in mails:
        template = stories.email(mail.to, mail.subject)["template"]
        in_full = template in wanted
        if in_full:
            wanted.remove(template)
        teller.mail_text(mail, None if in_full else LINES_OF_OTHERS)


def _show_acknowledgments(stage: Stage, teller: Teller) -> None:
    teller.heading(
        "The answers",
        "Left on each partner's SFTP server. A 997 says: I could read it; an 824: why it was not done.",
    )
    teller.acknowledgments(stage.acknowledgments())


def _show_places(stage: Stage, teller: Teller) -> None:
    teller.heading("Where it is kept")
    teller.places(
        stage.folder,
        (
            ("countermand.db", "the database: bytes, orders, events, outbox"),
            ("countermand.toml", "the settings; try: countermand orders --config ..."),
            ("mail", "each e-mail as .eml, and its HTML part to open in a browser"),
            ("sftp", "the partners' folders: outgoing/processed, incoming"),
        ),
    )


def _seen(stage: Stage, files: dict[str, Any], mails: Sequence[Mail]) -> dict[str, Any]:
    """What came of it all, as expected.json writes it."""
    ask = stage.countermand.ask
    orders = [
        stories.order_of(
            ask("order", one["po_number"], "--buyer", one["buyer"], "--seller", one["seller"]).value
        )
        for one in sorted(ask("orders").value["orders"], key=lambda one: str(one["po_number"]))
    ]
    verdicts = {
        partner: [one.verdict for one in stage.acknowledgments() if one.partner == partner]
        for partner in CHARACTERS
    }
    return {
        "files": files,
        "orders": orders,
        "emails": [stories.email(mail.to, mail.subject) for mail in mails],
        "acknowledgments": verdicts,
        "held": [one["po_number"] for one in ask("held").value["held"]],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
