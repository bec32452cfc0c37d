"""State: what a site holds for every request, by name and with its type."""

from fastapi import Request

from pipeline.api.desk import Desk
from pipeline.wiring import Application


def application_of(request: Request) -> Application:
    """The installation behind the site."""
    application: Application = request.app.state.application
    return application


def desk_of(request: Request) -> Desk:
    """Where what is asked for is decided."""
    desk: Desk = request.app.state.desk
    return desk
