"""docs/app.md shows pictures that are there, that the tests take, and that have words beside them."""

import re
from pathlib import Path

from tests.app.browsing import DOCS, GUIDE, IMAGES

TAKES = Path(__file__).with_name("test_browser.py")


def test_every_picture_of_the_guide_is_there_and_every_picture_is_in_the_guide() -> None:
    shown = re.findall(r"!\[([^\]]*)\]\((images/app/[^)]+)\)", GUIDE.read_text(encoding="utf-8"))
    assert {DOCS / path for _, path in shown} == set(IMAGES.iterdir())
    assert all(words for words, _ in shown)


def test_every_picture_of_the_guide_is_taken_by_a_test() -> None:
    taken = set(re.findall(r'picture\("([a-z-]+)"\)', TAKES.read_text(encoding="utf-8")))
    assert {path.stem.rpartition("-")[0] for path in IMAGES.iterdir()} <= taken
