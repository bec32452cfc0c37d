"""Visible: text that others wrote, made fit for a terminal, a log or a table: one line, nothing in it acts.

Partners choose file names, order numbers, item texts and notes; servers choose their banners and answers.
None of them may forge a line, move the cursor, colour the screen or turn the direction of what stands beside.
"""

import json
import re
from collections.abc import Mapping

# What may be unprintable: json escapes what lies below the blank itself.
_UNSEEN = re.compile(r"[^ -~\n]")


def visible(text: str) -> str:
    """The text on one line: a character that cannot be seen is written as Python would, such as \\x1b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def json_text(value: Mapping[str, object], *, indent: int | None = None) -> str:
    """One JSON document; on one line unless it is indented. For output, and for logs: one event, one line.

    Letters of any script stay as they are. What cannot be seen (line separators, C1 controls, direction
    marks, halves of surrogates) is escaped, which JSON allows anywhere: the same values come out of it.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return _UNSEEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]
