"""docs/webhooks.md is run: its requests, and its way of verifying, against what is really posted."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.webhooks.posting import CONNECT_SECONDS, EXCERPT_CHARS_MAX, READ_SECONDS, TOTAL_SECONDS
from pipeline.webhooks.targets import LOOK_UP_SECONDS
from storage.states import Scope, Topic
from storage.webhooks import ENDPOINTS_MAX
from tests.api.site import Site
from tests.api.test_guide import _PAIRS, differences
from tests.webhooks.receiver import Receiver

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def verifier() -> Callable[[str, dict[str, str], bytes], bool]:
    """What the guide tells receivers to do."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(compile(code, str(GUIDE), "exec"), names)
    return names["verify"]


@pytest.mark.needs("curl")
def test_the_guide_does_what_it_says(site: Site, one: Receiver) -> None:
    keys = {"BUYER_KEY": site.key("acme", Scope.WEBHOOKS), "LISTENER": one.url()}
    environment = {**os.environ, **keys, "HUB": f"{site.address}/api/v1", "no_proxy": "*"}
    pairs = _PAIRS.findall(TEXT)
    assert (len(pairs), TEXT.count("```sh\n")) == (3, 3)
    secret = ""
    for command, shown in pairs:
        ran = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        got = json.loads(ran.stdout)
        assert differences(json.loads(shown), got) == [], command
        if "secret" in got:
            secret = got["secret"]
            site.place("PO-1", 10)
            site.application.poster().round()
    verify = verifier()
    (request,) = one.requests
    assert verify(secret, request.headers, request.body)
    assert not verify(secret, request.headers, request.body + b" ")
    assert not verify("whsec_" + "A" * 43 + "=", request.headers, request.body)
    assert not verify(secret, {**request.headers, "webhook-timestamp": "1"}, request.body)


def test_the_guide_names_every_topic_and_the_limits_there_are() -> None:
    named = set(re.findall(r"^\| `([a-z.]+)` \|", TEXT, re.MULTILINE))
    assert named == {topic.value for topic in Topic}
    for said in (
        f"at most {ENDPOINTS_MAX}", f"{CONNECT_SECONDS:.0f} to connect",
        f"{LOOK_UP_SECONDS:.0f} seconds\nto look its name up",
        f"{READ_SECONDS:.0f} for each",
        f"{TOTAL_SECONDS:.0f} in all", f"{EXCERPT_CHARS_MAX} characters",
    ):  # fmt: skip
        assert said in TEXT, said
