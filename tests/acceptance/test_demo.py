"""`make demo` without make: the whole story over SFTP and SMTP, and what it leaves behind."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.demo.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_the_demonstration_tells_its_story_and_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.demo"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything came out as the story says." in done.stdout
    week = done.stdout.partition("The ledger")[0].split("\n")
    assert max(len(line) for line in week if str(tmp_path) not in line) <= 80
    kept = tmp_path / "demo"
    assert (kept / "countermand.db").is_file()
    mails = sorted(path.name for path in (kept / "mail").iterdir())
    assert mails
    assert {name.removesuffix(".eml") + ".html" for name in mails if name.endswith(".eml")} < set(mails)
    assert not [path for path in kept.glob("sftp/*/outgoing/*") if path.is_file()]
    assert not list(kept.glob("sftp/*/outgoing/rejected/*"))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "letters.txt"
    mine.write_text("keep me", encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert mine.read_text(encoding="utf-8") == "keep me"
