"""Notes: a sentence that a person adds, as every mail, page and timeline can show it."""

import re

NOTE_CHARS_MAX = 500
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plain_text(text: str) -> str:
    """The text; a ValueError when something in it is no sign, but an order to a terminal or half a sign."""
    if _CONTROL.search(text):
        raise ValueError("has control characters")
    return text


def plain_note(text: str) -> str:
    """The same, of a text that may not be longer than a note."""
    if len(text) > NOTE_CHARS_MAX:
        raise ValueError(f"is longer than {NOTE_CHARS_MAX} signs")
    return plain_text(text)
