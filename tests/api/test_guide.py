"""docs/api.md is run: each request by curl against a served ledger, and each answer compared."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.api import problems
from pipeline.api.problems import MEANINGS
from pipeline.api.webhooks import _PROBLEMS
from pipeline.reasons import CancelReason
from storage.refusals import Refusal
from tests.api.site import Site

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
API = Path(problems.__file__).parent
_PAIRS = re.compile(r"^```sh\n(.*?)^```\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def differences(shown: Any, got: Any, place: str = "answer") -> list[str]:
    """Where an answer is not what the guide shows of it; what the guide leaves out does not matter."""
    if isinstance(shown, dict) and isinstance(got, dict):
        missing = [f"{place} has no {name}" for name in shown if name not in got]
        return missing + [
            found for name in shown if name in got
            for found in differences(shown[name], got[name], f"{place}.{name}")
        ]  # fmt: skip
    if isinstance(shown, list) and isinstance(got, list):
        cut = "..." in shown
        wanted = [one for one in shown if one != "..."]
        if len(got) < len(wanted) or (len(got) > len(wanted) and not cut):
            return [f"{place} has {len(got)} entries, not {len(wanted)}"]
        pairs = zip(wanted, got, strict=False)
        return [found for n, pair in enumerate(pairs) for found in differences(*pair, f"{place}[{n}]")]
    return [] if shown == got else [f"{place} is {got!r}, not {shown!r}"]


@pytest.mark.needs("curl")
def test_every_request_of_the_guide_is_answered_as_it_says(site: Site) -> None:
    pairs = _PAIRS.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(pairs) >= 11
    keys = {"BUYER_KEY": site.key("acme"), "SELLER_KEY": site.key("globex")}
    environment = {**os.environ, **keys, "HUB": f"{site.address}/api/v1", "no_proxy": "*"}
    for command, shown in pairs:
        ran = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert differences(json.loads(shown), json.loads(ran.stdout)) == [], command
    assert site.breaches() == ()


def test_no_request_of_the_guide_goes_without_its_answer() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert text.count("```sh\n") == len(_PAIRS.findall(text))


def test_the_guide_lists_every_reason() -> None:
    listed = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| (\w\w) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == [(one.value, one.meaning.words, one.meaning.acknowledged) for one in CancelReason]


def test_every_refusal_has_a_page(site: Site) -> None:
    for refusal in Refusal:
        page = site.client().get(f"/api/problems/{refusal.name.lower().replace('_', '-')}")
        assert refusal.sentence in page.text
    assert site.client().get("/api/problems/nothing").status_code == 404


def test_every_other_problem_has_a_page_too(site: Site) -> None:
    """Those that the code names as such; the names of the framework's own are phrases of HTTP."""
    said = "".join(path.read_text(encoding="utf-8") for path in sorted(API.glob("*.py")))
    named = set(re.findall(r'ApiProblem\(\s*\d{3}, "([a-z-]+)"', said)) | {*_PROBLEMS, "bad-request"}
    assert {"invalid", "which-is-meant", "unavailable", "bad-url"} <= named <= MEANINGS.keys()
    for name in MEANINGS:
        page = site.client().get(f"/api/problems/{name}").text
        assert page.endswith(f"{name}: {MEANINGS[name]}\n")
