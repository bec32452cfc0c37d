"""Metrics: the gauges as Prometheus reads them, on a page or in a file for node_exporter."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from tempfile import NamedTemporaryFile

from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage.database import Database
from storage.gauges import Gauges, gauges
from storage.orders import OrderStatus
from storage.outcomes import Outcome
from storage.states import FileStatus, Kind, Left, Status

_Labels = Mapping[str, str]
_Samples = Sequence[tuple[_Labels, float]]


def metrics(settings: Settings, database: Database, now: datetime) -> str:
    """The whole page, in the text exposition format 0.0.4."""
    with database.reading() as tx:
        found = gauges(tx)
    schema = database.current() or ""
    workers = database.crew().workers if database.dialect != "sqlite" else 0
    partners = [partner.id for partner in settings.partners if partner.mailbox is not None]
    families: list[tuple[str, str, _Samples]] = [
        ("info", "Always 1; which program and schema.", [({"version": version(), "schema": schema}, 1)]),
        ("collected_timestamp_seconds", "When this was counted.", [({}, now.timestamp())]),
        *_counted(found),
        ("oldest_seconds", "How long the oldest of what waits has waited; 0 when none does.",
         _ages(found, now)),
        *_mailboxes(found, partners),
        ("restoring", "1 while a backup that was put back is not made good: nothing is sent.",
         [({}, float(found.restoring))]),
        ("workers", "Workers at work just now; always 0 on SQLite.", [({}, float(workers))]),
    ]  # fmt: skip
    return "".join(_family(f"countermand_{name}", said, samples) for name, said, samples in families)


def version() -> str:
    """The version of the program that is installed."""
    try:
        return metadata.version("countermand")
    except metadata.PackageNotFoundError:
        return "unknown"


def write(path: Path, page: str) -> None:
    """Replace the file in one step: whoever reads it sees the old page or the new one."""
    try:
        file = NamedTemporaryFile(  # noqa: SIM115 - it becomes the page, or goes
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        )
        try:
            with file:
                file.write(page)
            os.chmod(file.name, 0o644)  # read by another user than the one who writes it
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)  # or each minute one more would lie there
            raise
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}.") from error


def _counted(found: Gauges) -> list[tuple[str, str, _Samples]]:
    """Every status has its sample, 0 where there is none, so that an alarm can rely on it."""
    return [
        ("files", "Received files by status.", _each("status", FileStatus, found.files)),
        ("sets", "Transaction sets by outcome.", _each("outcome", Outcome, found.sets)),
        ("orders", "Orders by status.", _each("status", OrderStatus, found.orders)),
        (
            "messages",
            "E-mails, X12 documents and webhooks by status.",
            [
                ({"kind": kind, "status": status}, found.messages.get((kind, status), 0))
                for kind in (kind.value for kind in Kind)
                for status in (status.value for status in Status)
            ],
        ),
        ("held_open", "Questions that wait for a person.", [({}, found.held)]),
        ("parked_waiting", "Documents that wait for their order.", [({}, found.parked)]),
        ("requested_lines", "Lines whose cancellation waits for the seller.", [({}, found.requested_lines)]),
    ]  # fmt: skip


def _each(
    label: str, words: Iterable[FileStatus | Outcome | OrderStatus], found: Mapping[str, int]
) -> _Samples:
    return [({label: word.value}, found.get(word.value, 0)) for word in words]


def _ages(found: Gauges, now: datetime) -> _Samples:
    since = {
        "unread_file": found.unread_since,
        "held": found.held_since,
        "parked": found.parked_since,
        "unsent_message": found.unsent_since,
        "unposted_webhook": found.unposted_since,
        "uncertain_message": found.uncertain_since,
    }
    return [({"what": what}, max((now - at).total_seconds(), 0) if at else 0) for what, at in since.items()]


def _mailboxes(found: Gauges, partners: Sequence[str]) -> list[tuple[str, str, _Samples]]:
    """Partners of the settings only; one that was never served has the time 0."""
    states = {state.partner: state for state in found.mailboxes}
    served = [(partner, state.served_at if (state := states.get(partner)) else None) for partner in partners]
    failing = [(partner, state.failures if (state := states.get(partner)) else 0) for partner in partners]
    left = [
        ({"partner": partner, "reason": reason.value},
         sum(file.partner == partner and file.reason is reason for file in found.left))
        for partner in partners
        for reason in Left
    ]  # fmt: skip
    return [
        (
            "mailbox_served_timestamp_seconds",
            "When a mailbox was last looked into with success.",
            [({"partner": partner}, at.timestamp() if at else 0) for partner, at in served],
        ),
        (
            "mailbox_failures",
            "How often a mailbox failed in a row.",
            [({"partner": partner}, count) for partner, count in failing],
        ),
        ("left_files", "What stays in a pickup folder, by reason.", left),
    ]


def _family(name: str, said: str, samples: _Samples) -> str:
    lines = [f"# HELP {name} {said}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{'{' + shown + '}' if shown else ''} {_number(value)}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"
