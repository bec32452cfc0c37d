"""What the demonstration prints: the story as it happens, in 80 columns."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.demo.stage import Acknowledgment, Mail
from pipeline.demo.story import Step, Story
from pipeline.demo.world import CHARACTERS

WIDTH_MAX = 80

_STYLES = {
    "applied": "green",
    "duplicate": "cyan",
    "ignored": "cyan",
    "parked": "yellow",
    "held": "yellow",
    "refused": "red",
    "faulty": "red",
}
_VERDICTS = {
    "997 A": "could be read",
    "997 E": "could be read, with errors",
    "997 P": "could be read in part",
    "997 R": "could not be read",
    "824 TP": "was done in part",
    "824 TR": "was refused",
}


class Teller:
    """Prints; colours only where there is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, emoji=False)
        self._console.width = min(self._console.width, WIDTH_MAX)
        self._day = ""

    def opening(self, story: Story, folder: Path) -> None:
        self._console.rule(Text(story.title, style="bold"))
        self._console.print(story.intro)
        self._console.print("Everything is kept to look at afterwards, in:")
        self._console.print(Text(f"  {folder}"), soft_wrap=True)

    def heading(self, title: str, said: str = "") -> None:
        self._console.print()
        self._console.rule(Text(title, style="bold"), align="left")
        if said:
            self._console.print(said)

    def step(self, number: int, step: Step) -> None:
        if step.day != self._day:
            self._day = step.day
            self.heading(step.day)
        self._console.print()
        self._line(f"{number}. {step.says}", indent=0, style="bold")
        self._line(f"{CHARACTERS[step.partner].name} drops {step.file.name}")

    def sets(self, sets: Iterable[tuple[Mapping[str, Any], bool]]) -> None:
        """What became of each set; what came before and waited for this order is marked."""
        for one, released in sets:
            order = f" of PO {one['order']}" if one["order"] else ""
            waited = "waited: " if released else ""
            said = Text(f"{waited}{one['type']} (set {one['control_number']}){order}: ")
            said.append(one["outcome"], style=_STYLES.get(one["outcome"], ""))
            for word in ("cancelled", "fulfilled"):
                moved = _moved(one.get(word) or ())
                if moved:
                    said.append(f"; {word} now: {moved}")
            self._line(said, indent=4)
            for finding in (one.get("findings") or ())[:4]:
                self._line(f"- {finding['message']}", indent=6)

    def mails(self, mails: Iterable[Mail]) -> None:
        for mail in mails:
            self._line(Text.assemble(("e-mail", "magenta"), f" to {mail.to}: {mail.subject}"), indent=4)

    def typed(self, *arguments: str) -> None:
        """A command, as a person would type it."""
        self._console.print()
        self._line(Text("$ countermand " + " ".join(arguments), style="bold"), indent=0)

    def mail_text(self, mail: Mail, lines_max: int | None) -> None:
        """The text part, or its first lines."""
        self._console.print()
        self._line(Text.assemble(("To: ", "bold"), mail.to), indent=0)
        self._line(Text.assemble(("Subject: ", "bold"), mail.subject), indent=0)
        lines = mail.text.strip().split("\n")
        shown = lines if lines_max is None else [line for line in lines if line.strip()][:lines_max]
        for line in shown:
            self._line(line, indent=2)
        if len(shown) < len(lines):
            self._line("...", indent=2)
        self._line(Text(f"in full: {mail.eml.name}, as HTML: {mail.html.name}", style="dim"), indent=2)

    def acknowledgments(self, found: Sequence[Acknowledgment]) -> None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for one in found:
            verdict = f"{one.verdict}: {_VERDICTS.get(one.verdict, 'unknown')}"
            table.add_row(CHARACTERS[one.partner].name, one.path.name, verdict)
        self._console.print(table)

    def places(self, folder: Path, entries: Iterable[tuple[str, str]]) -> None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, words in entries:
            table.add_row(Text(name, style="bold"), words)
        self._console.print(Text(f"{folder}:"), soft_wrap=True)
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def closing(self, differences: Sequence[str]) -> None:
        self._console.print()
        if not differences:
            self._line(Text("Everything came out as the story says.", style="bold green"), indent=0)
            return
        self._line(Text("The story did not come out as expected:", style="bold red"), indent=0)
        for sentence in differences:
            self._line(f"- {sentence}")

    def offer(self) -> None:
        self._console.print()
        self._line(Text.assemble(("make serve", "bold"), " opens the same orders in a browser."), indent=0)

    def _line(self, said: str | Text, *, indent: int = 3, style: str = "") -> None:
        """One paragraph, wrapped within its indent; text of partners is never read as markup."""
        text = Text(said) if isinstance(said, str) else said
        if style:
            text.stylize(style)
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False))


def _moved(lines: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['quantity']} of line {one['line']}" for one in lines)
