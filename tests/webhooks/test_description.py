"""The description of the webhooks' routes is true: generated requests are answered as it says."""

import time
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

from storage.states import Scope
from tests.api.site import Site
from tests.api.test_description import CHECKS
from tests.webhooks.test_doors import HOOKS, listen

SECONDS = 12
EXAMPLES = 25


@pytest.fixture(autouse=True)
def _checks() -> None:
    load_all_checks()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_is_described_is_what_is_answered(site: Site, mode: GenerationMode) -> None:
    listen(site, "acme", "https://mine.example/hook")
    listen(site, "bolt", "https://theirs.example/hook")
    site.place("MINE-1", 10)
    site.place("THEIRS-1", 10, buyer="bolt", seller="initech")
    secret, end, asked = site.key("acme", Scope.WEBHOOKS), time.monotonic() + SECONDS, [0]
    schema = schemathesis.openapi.from_url(f"{site.address}/api/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    ours = [operation for operation in operations if operation.path.startswith(HOOKS)]
    assert len(ours) == 6

    def ask(case: Any) -> None:
        for name in ("webhook_id", "delivery_id"):
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = 1 + asked[0] % 5
        asked[0] += 1
        response = case.call(headers={"Authorization": f"Bearer {secret}"})
        case.validate_response(response, checks=CHECKS)
        assert "theirs.example" not in response.text

    for operation in ours:  # when the time is over, one request to each that is left
        generated = settings(
            max_examples=EXAMPLES if time.monotonic() < end else 1, database=None, phases=[Phase.generate],
            derandomize=True, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        generated(given(case=operation.as_strategy(generation_mode=mode))(ask))()
    assert asked[0] > len(ours)
    assert site.breaches() == ()
