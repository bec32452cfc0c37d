"""Phrases: what the templates of an e-mail say, taken apart, for a mail that repeats it."""

from dataclasses import dataclass, fields

from pipeline.mail.message import _environment, presentable
from pipeline.notices import Context


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one notice."""

    headline: str
    lead: str
    advice: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def phrases(context: Context) -> Phrases:
    """The words of the context's template, as its own e-mail has them. Raises what a template raises."""
    shown = presentable(context)
    values = {entry.name: getattr(shown, entry.name) for entry in fields(shown)}
    words = _environment("body").get_template(f"{context.TEMPLATE}.words.j2").make_module(values)
    said = words.__dict__
    if "facts" not in said:  # shared by what was cancelled
        facts = _environment("body").get_template("_cancelled_facts.j2").make_module(values)
        said = {**said, **facts.__dict__}
    return Phrases(
        headline=str(said["headline"]),
        lead=str(said["lead"]),
        advice=tuple(map(str, said["advice"])),
        facts=tuple((str(label), str(value)) for label, value in said["facts"] if value),
    )
