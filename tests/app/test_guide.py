"""The guides show pictures that are there, that the tests take, and that have words beside them."""

import re
from pathlib import Path

from tests.app.browsing import DOCS, GUIDES, IMAGES

TAKES = [Path(__file__).with_name(name) for name in ("test_browser.py", "test_support_browser.py")]


def test_every_picture_of_the_guide_is_there_and_every_picture_is_in_the_guide() -> None:
    text = "".join(guide.read_text(encoding="utf-8") for guide in GUIDES)
    shown = re.findall(r"!\[([^\]]*)\]\((images/app/[^)]+)\)", text)
    assert {DOCS / path for _, path in shown} == set(IMAGES.iterdir())
    assert all(words for words, _ in shown)


def test_every_picture_of_the_guide_is_taken_by_a_test() -> None:
    text = "".join(test.read_text(encoding="utf-8") for test in TAKES)
    taken = set(re.findall(r'picture\("([a-z-]+)"\)', text))
    assert {path.stem.rpartition("-")[0] for path in IMAGES.iterdir()} <= taken
