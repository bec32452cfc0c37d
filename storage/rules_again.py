"""The rule about documents that come again: the same again is no news (section 2.6). See rules.

Unless what it did was taken back since: then it may be a repetition by machine, or said once more, and only
a person can tell.
"""

from dataclasses import dataclass

from storage.commands import AnswerRequest, ChangeOrder, Command, RecordShipment, Submission
from storage.outcomes import Choice, Question
from storage.refusals import Decision, Refusal, duplicate, held, ignored, refuse
from storage.rules_answers import AGAIN, answer_to, is_late, not_answered


@dataclass(frozen=True, slots=True)
class Earlier:
    """The document applied before under the same key.

    `taken_back`: the request it made was refused or lapsed since, or the shipment it told of was withdrawn.
    """

    content_hash: str
    taken_back: bool = False


def decide_document(earlier: Earlier | None, submission: Submission) -> Decision | None:
    """What the business key alone decides; None: the commands must be decided.

    An order restated under the same revision is compared line by line, like an acknowledgment or a
    cancellation said again.
    """
    if earlier is None or submission.document is None:
        return None
    if is_repeated(earlier, submission):
        known = duplicate("This document was applied before.")
        return _said_again(submission.commands[0]) if earlier.taken_back else known
    for command in submission.commands:
        po = command.order.po_number
        match command:
            case RecordShipment():
                said = (
                    f"Shipment {command.shipment_id} was sent before with other content; nothing was changed."
                )
                return refuse(Refusal.SHIPMENT_EXISTS, said)
            case AnswerRequest() | ChangeOrder() if command.source.type != "850":
                said = f"This change of PO {po} was sent before with other content; nothing was changed."
                return refuse(Refusal.DOCUMENT_EXISTS, said)
    return None


def is_repeated(earlier: Earlier | None, submission: Submission) -> bool:
    """Whether this very content was applied under the document's key."""
    document = submission.document
    return earlier is not None and document is not None and earlier.content_hash == document.content_hash


def is_again(command: Command) -> bool:
    """Whether a person said that it is meant once more."""
    return any(given.choice == AGAIN for given in command.answers)


def _said_again(command: Command) -> Decision | None:
    question = Question(
        f"PO {command.order.po_number}: this document was applied before, and what it did was taken back"
        " since: was it sent once more by mistake, or is it said again?",
        (Choice(AGAIN, "decide it anew"), Choice("ignore", "change nothing")),
    )
    choice = answer_to(command, question)
    if choice == AGAIN:
        return None
    if is_late(command):
        return not_answered(question)
    return ignored() if choice == "ignore" else held(question)
