"""Actors: who did something, as far as whoever reads it may know.

The hub's own people see all. A partner sees its own people and systems by name; the hub's people are the
hub's staff to it, and the other party's are that company: nobody's name goes to another company.
"""

import re
from dataclasses import replace

from storage.commands import Source

STAFF = "staff"  # somebody of the hub
PARTNER = "partner"  # somebody, or a system, of the party that is named beside it
CLOCK = "deadline"  # nobody: a time was over
HUB = ""  # as a reader: the hub's own people

# A partner's key or person, as callers and users name themselves; behind a person of the hub stands its name.
_OF_PARTNER = re.compile(r"API key \d+(?: \(.*\))?|(?:.* \()?[^()\s]+@[^()\s]+\)?", re.DOTALL)


def seen_by(reader: str, by: str, source: Source) -> Source:
    """Where something that `by` said came from, as `reader` may know it: a partner's id, or HUB."""
    actor = source.actor
    if reader == HUB or actor in ("", CLOCK):
        return source
    if source.type or not _OF_PARTNER.fullmatch(actor):  # what has to do with documents is the hub's people's
        return replace(source, actor=STAFF)
    return source if reader == by else replace(source, actor=PARTNER)


def source_words(source: Source, hub: str, by: str) -> str:
    """The document, or the person, that said so; or the clock. `by` is the name of the party that spoke."""
    if source.actor == CLOCK:
        return f"the clock of {hub}: the time to answer was over"
    if not source.type and not source.file and not source.interchange:
        who = {"": f"staff of {hub}", STAFF: f"staff of {hub}", PARTNER: by}
        return f"entered by {who.get(source.actor, source.actor)}"
    named = (
        ("X12 ", source.type), ("interchange ", source.interchange), ("group ", source.group),
        ("set ", source.set), ("file ", source.file),
    )  # fmt: skip
    return ", ".join(word + value for word, value in named if value)
