"""A real browser for tests: headless Chromium, narrow or wide, with an eye on what the page does."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.app.people import PASSWORD

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES, IMAGES = (DOCS / "app.md", DOCS / "support.md"), DOCS / "images" / "app"
NARROW, WIDE = 375, 1280
_GRAVE = ("serious", "critical")
#: Of what is right it need not tell each place. A mail's frame runs no script, and so none of axe's; asked,
#: the browser complains of that, if sometimes too late to be heard.
_AXE = {"resultTypes": ["violations"], "iframes": False}


@dataclass
class Looking:
    """A page of the app in a window of some width, looked at after every step."""

    page: Page
    address: str
    width: int
    complaints: list[str] = field(default_factory=list)  # of the browser: scripts, styles, dialogs

    def open(self, path: str) -> None:
        """Go there, and look."""
        self.page.goto(self.address + path)
        self.look()

    def click(self, name: str, *, role: str = "button") -> None:
        """Click what has this name for people and for screen readers, and look."""
        self.page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
        self.look()

    def sign_in(self, email: str) -> None:
        """By keyboard alone."""
        self.open("/sign-in")
        self.page.keyboard.type(email)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/orders")
        self.look()

    @property
    def text(self) -> str:
        """What a person reads of the page's content."""
        return " ".join(self.page.locator("main").inner_text().split())

    def hear(self, message: ConsoleMessage) -> None:
        """What the browser says on its console. That a page says no by its status is none of our mistakes."""
        if not re.match(r"Failed to load resource: .* status of 4(03|04|09|22) ", message.text):
            self.complaints.append(message.text)

    def look(self) -> None:
        """axe finds nothing serious, nothing is cut off at the side, and the browser has no complaint."""
        grave = [
            f"{found['id']} ({found['impact']}): {found['nodes'][0]['html']}"
            for found in Axe().run(self.page, options=_AXE).response["violations"]
            if found["impact"] in _GRAVE
        ]
        assert grave == [], self.page.url
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width, self.page.url
        assert self.page.locator("h1").count() == 1, self.page.url
        assert self.complaints == [], self.page.url

    def picture(self, name: str) -> None:
        """For the guide, if it shows this one and is to be drawn anew: UPDATE_SCREENSHOTS=1."""
        file = f"{name}-{'phone' if self.width == NARROW else 'desk'}.png"
        shown = (guide.read_text(encoding="utf-8") for guide in GUIDES)
        if os.environ.get("UPDATE_SCREENSHOTS") and file in "".join(shown):
            IMAGES.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=IMAGES / file, full_page=True, animations="disabled")


@contextmanager
def chromium(program: Path) -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--lang=en-GB"])
        yield browser
        browser.close()


@contextmanager
def window(browser: Browser, address: str, width: int, *, scripts: bool = True) -> Iterator[Looking]:
    """A fresh profile: no cookies of anybody else's."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts, locale="en-GB"
    )
    page = context.new_page()
    looking = Looking(page, address, width)
    page.on("console", looking.hear)
    page.on("pageerror", lambda error: looking.complaints.append(str(error)))
    page.on("dialog", lambda dialog: looking.complaints.append(dialog.message))
    yield looking
    context.close()
