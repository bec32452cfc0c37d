"""Wiring: settings become the parts of a running program. Nothing is opened before it is needed."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import Clock, SystemClock
from pipeline.errors import OperatorError
from pipeline.guides import check_guides
from pipeline.mail import SmtpSettings, check_templates
from pipeline.mailbox import SftpMailbox
from pipeline.poll import Poller
from pipeline.ports import Mailbox
from pipeline.settings import Settings, find_settings, load
from pipeline.sightings import Sightings
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One installation, ready to work."""

    settings: Settings
    database: Database
    clock: Clock

    def smtp(self) -> SmtpSettings:
        """The mail server with its password looked up; an OperatorError when it cannot be."""
        mail = self.settings.mail
        try:
            return SmtpSettings(
                host=mail.host,
                port=mail.port,
                security=mail.security,
                username=mail.username,
                password=mail.password.reveal() if mail.password and mail.username else "",
                sender=mail.sender,
            )
        except ValueError as error:
            raise OperatorError(f"{self.settings.path}: mail.security: {error}") from error

    def open_mailbox(self, partner_id: str) -> Mailbox:
        """A partner's mailbox; it connects when it is first used."""
        partner = self.settings.directory.get(partner_id)
        if partner is None or partner.mailbox is None:
            raise OperatorError(f'Partner "{partner_id}" has no mailbox in {self.settings.path}.')
        return SftpMailbox(partner.mailbox)

    def poller(self) -> Poller:
        """What `countermand poll` runs; templates and guides are proven before anything is received."""
        check_templates()
        check_guides(self.settings)
        return Poller(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            mail=self.smtp,
            open_mailbox=self.open_mailbox,
            sightings=Sightings(),
        )


def open_application(option: Path | None) -> Application:
    """From --config, COUNTERMAND_CONFIG or ./countermand.toml."""
    settings = load(find_settings(option, os.environ), os.environ)
    return Application(settings=settings, database=Database(settings.database.url), clock=SystemClock())
