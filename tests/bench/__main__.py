"""Every bench in one run: prints its tables and writes docs/benchmarks.md with the plot beside it."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from tests.bench import bench_http, bench_pages, bench_stages, bench_way, bench_x12, day, plot, workers
from tests.bench.measure import Table

_DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Measure everything; some minutes."""
    machine = f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}"
    parts = ["# Benchmarks", f"Measured in one run of `make bench` on {machine}."]
    print(parts[-1], flush=True)

    def show(table: Table) -> None:
        print(f"\n{table.as_text()}", flush=True)
        parts.append(table.as_markdown())

    def draw(title: str, name: str, points: Sequence[tuple[str, float]]) -> None:
        (_DOCS / name).write_text(plot.bars(title, points), encoding="utf-8")
        parts.append(f"![{title}]({name})")

    show(bench_way.way())
    table, points = bench_stages.stages()
    show(table)
    draw("files a second, by stage", "stages.svg", points)
    show(bench_way.fetching())
    show(bench_way.ledger())
    table, points = bench_way.growth()
    show(table)
    draw("files a second, by orders in the ledger before", "benchmarks.svg", points)
    show(day.day(rounds=288))  # one in five minutes
    show(workers.bench())
    show(bench_http.http())
    show(bench_pages.pages())
    for make in (bench_x12.speed, bench_x12.size, bench_x12.hostile):
        show(make())
    (_DOCS / "benchmarks.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
