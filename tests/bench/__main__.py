"""Every bench in one run: prints its tables and writes docs/benchmarks.md with the plot beside it."""

import os
import platform
from pathlib import Path

from tests.bench import bench_http, bench_pages, bench_stages, bench_way, bench_x12, plot

_DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Measure everything; some minutes."""
    machine = f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}"
    parts = ["# Benchmarks", f"Measured in one run of `make bench` on {machine}."]
    print(parts[-1], flush=True)
    for make in (bench_way.way, bench_stages.stages, bench_way.fetching, bench_way.ledger):
        table = make()
        print(f"\n{table.as_text()}", flush=True)
        parts.append(table.as_markdown())
    table, points = bench_way.growth()
    print(f"\n{table.as_text()}", flush=True)
    drawn = plot.bars("files a second, by orders in the ledger before", points)
    (_DOCS / "benchmarks.svg").write_text(drawn, encoding="utf-8")
    parts += [table.as_markdown(), "![files a second, by orders in the ledger before](benchmarks.svg)"]
    for more in (bench_http.http, bench_pages.pages, bench_x12.speed, bench_x12.size, bench_x12.hostile):
        table = more()
        print(f"\n{table.as_text()}", flush=True)
        parts.append(table.as_markdown())
    (_DOCS / "benchmarks.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
