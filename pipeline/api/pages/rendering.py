"""Rendering: a template of templates/web filled for one visitor. Everything in it is escaped."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.staticfiles import StaticFiles

from pipeline.amounts import amounts
from pipeline.api.pages.cookies import Cookies
from pipeline.api.pages.navigation import entries_for
from pipeline.wiring import Application
from storage.quantities import plain

STATIC = "/static"
_KEPT_SECONDS = 365 * 24 * 3600  # by browsers: a file's address changes with its content
_ASKED = re.compile(r"^to cancel [^:]*: ")  # nobody asked: it is said before anyone does
# Controls and format signs are invisible: they could turn the direction of what stands beside them.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


class StaticFolder(StaticFiles):
    """The stylesheet and the icon, which browsers may keep."""

    def __init__(self) -> None:
        super().__init__(directory=_folder())

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file, for ever under its address."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}, immutable"
        return answer


def render(
    request: Request, template: str, visitor: Any = None, *, status: int = 200,
    headers: Mapping[str, str] | None = None, **values: object,
) -> Response:  # fmt: skip
    """A page. `visitor`: who is signed in, None for nobody. Every form in it needs `{{ csrf() }}`."""
    application: Application = request.app.state.application
    cookies = Cookies.of(request)
    page = _environment().get_template(template).render(
        {
            "hub": application.settings.hub.name,
            "support": application.settings.hub.support_email,
            "visitor": visitor,
            "navigation": entries_for(visitor, request.url.path),
            "csrf": lambda: _csrf_field(cookies.csrf),
            **values,
        }
    )  # fmt: skip
    answer = HTMLResponse(page, status, {"Cache-Control": "no-store", **(headers or {})})
    cookies.keep(answer)
    return answer


def _csrf_field(value: str) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(value)


def shown(value: object) -> object:
    """A text of somebody else's without what cannot be seen; anything else as it is."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in _UNSEEN else " " for sign in value
    )


def moment(at: datetime) -> Markup:
    """A time for people, in UTC, and for machines."""
    utc = at.astimezone(UTC)
    exact = utc.isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, f"{utc:%Y-%m-%d %H:%M} UTC")


def day(at: datetime) -> Markup:
    """The day of a time, in UTC."""
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{0}">{0}</time>').format(f"{utc:%Y-%m-%d}")


def _amount(quantity: Decimal, unit: str) -> str:
    return amounts([(quantity, unit)])


def _why(sentence: str, line: str) -> str:
    """A refusal where it stands beside its line, without naming it again, and what nobody asked for."""
    said = _ASKED.sub("", sentence.removeprefix(f"Line {line}: "))
    return said[:1].upper() + said[1:]


@cache
def _environment() -> Environment:
    """Templates compiled once per process."""
    environment = Environment(
        loader=PackageLoader("templates", "web"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "moment": moment, "day": day, "number": plain, "amount": _amount, "why": _why,
    }  # fmt: skip
    environment.globals["static"] = _static
    return environment


@cache
def _static(name: str) -> str:
    content = (_folder() / name).read_bytes()
    return f"{STATIC}/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _folder() -> Path:
    return Path(str(resources.files("templates"))) / "web" / "static"
