"""`make serve` without make: somebody who read nothing cancels a part and has the buyer's e-mail."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from pipeline.demo.serve import PASSWORD, PEOPLE
from tests.api.site import SELLER
from tests.app.people import Person

ROOT = Path(__file__).resolve().parents[2]
STARTING_SECONDS_MAX = 120  # it plays the demonstration first, where there is none yet
MAIL_SECONDS_MAX = 20


def _until(seconds: float, folder: Path, pattern: str) -> re.Match[str]:
    """Wait until it was printed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        printed = (folder / "printed.txt").read_text(encoding="utf-8")
        if found := re.search(pattern, printed):
            return found
        time.sleep(0.2)
    raise AssertionError((folder / "printed.txt").read_text(encoding="utf-8"))


def test_the_demonstrations_orders_are_served_with_people_keys_and_mail(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.demo.serve", str(tmp_path / "demo")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (
        (tmp_path / "printed.txt").open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        try:
            address = _until(STARTING_SECONDS_MAX, tmp_path, r"Open (http://\S+)/ in a browser")[1]
            for person in PEOPLE:
                _until(1, tmp_path, rf"{person.email} +{PASSWORD}")
            with httpx.Client(base_url=address, follow_redirects=True, trust_env=False) as client:
                _cancel(Person(client, "sam@globex.example"))
            mail = _until(MAIL_SECONDS_MAX, tmp_path, r"e-mail to (\S+): Cancelled in part[^\n]*\n +(/\S+)")
            assert mail[1] == "orders@acme.example"
            assert "More in May." in Path(mail[2]).read_text(encoding="utf-8")
            key = _until(1, tmp_path, r"key of Globex Supply\D.*(cmk_\S+)")[1]
            headers = {"Authorization": f"Bearer {key}"}
            assert httpx.get(address + SELLER, headers=headers, trust_env=False).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _cancel(sam: Person) -> None:
    sam.sign_in(PASSWORD)
    assert "Waiting for your answer" in sam.text
    order = re.search(r'href="(/orders/\d+)">4500102<', sam.page)
    assert order is not None
    sam.get(f"{order[1]}/cancel")
    sam.send(f"{order[1]}/cancel/preview", what="lines", note="More in May.", **{"quantity-1": "5"})
    sam.send(f"{order[1]}/cancel")
    assert "5 units of line 1" in sam.text
