"""Measure: the best of several runs, and tables of what was measured, for the screen and for a page."""

import time
from collections.abc import Callable, Sequence


def best_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of some runs, in processor time: others may be at work on the machine too."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


class Table:
    """Rows of text under a title, the first column to the left and the others to the right."""

    def __init__(self, title: str, columns: Sequence[str], note: str = "") -> None:
        self.title, self.note = title, note
        self._rows: list[Sequence[str]] = [columns]

    def add(self, *cells: str) -> None:
        """One more row."""
        self._rows.append(cells)

    def as_text(self) -> str:
        """For a terminal."""
        widths = [max(map(len, column)) for column in zip(*self._rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in self._rows
        ]
        return "\n".join([self.title, *lines, self.note])

    def as_markdown(self) -> str:
        """For the documentation."""
        head, *rows = ["| " + " | ".join(row) + " |" for row in self._rows]
        rule = "|---" + "|---:" * (len(self._rows[0]) - 1) + "|"
        return "\n".join([f"## {self.title}", "", head, rule, *rows, "", self.note])
