"""Wording: how the sentences of findings name places, values and whose guide asked."""

from edi.grammar import Place

_shown_chars_max = 60  # of a value in a sentence; the finding itself carries all of it


def named(place: Place) -> str:
    """ "REF (Reference Identification)"."""
    return f"{place.tag} ({place.segment.name})"


def times(count: int) -> str:
    """ "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def article(noun: str) -> str:
    """ "an" before a vowel; Unit, Usage, Unique and User sound like "you"."""
    return "an" if noun[:1] in "AEIO" or (noun[:1] == "U" and noun[1:2] not in "ns") else "a"


def shown(value: str) -> str:
    """What a partner sent, in quotes, shortened, nothing in it that a terminal could take for a command."""
    cut = value if len(value) <= _shown_chars_max else value[:_shown_chars_max] + "..."
    return f'"{printable(cut)}"'


def printable(text: str) -> str:
    """The text with every unprintable character as \\x and its hexadecimal number."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def asked(guide: str, sentence: str) -> str:
    """The sentence as a guide's: "By the guide of Acme Stores, ..."; as it is when it is the standard's."""
    if not guide:
        return sentence
    lowered = sentence[:1].lower() + sentence[1:] if sentence.startswith(("The ", "A ", "An ")) else sentence
    return f"By the guide of {guide}, {lowered}"


def with_remedy(message: str, remedy: str) -> str:
    """What is wrong and what to do, as two sentences, fit for a terminal."""
    return printable(f"{message[:1].upper()}{message[1:].removesuffix('.')}. {remedy}")
