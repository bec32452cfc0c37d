"""Phrases: what the templates of an e-mail say, taken apart, for a mail that repeats it."""

from dataclasses import dataclass

from pipeline.mail.message import said_of
from pipeline.notices.contexts import Context


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one notice."""

    headline: str
    lead: str
    advice: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def phrases(context: Context) -> Phrases:
    """The words of the context's template, as its own e-mail has them. Raises what a template raises."""
    said = said_of(context)
    return Phrases(
        headline=str(said["headline"]),
        lead=str(said["lead"]),
        advice=tuple(map(str, said["advice"])),
        facts=tuple((str(label), str(value)) for label, value in said["facts"] if value),
    )
