"""Time as an argument: what o'clock it is, how much has passed, and waiting."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the pipeline may ask about time; tests bring their own."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC: for records, never for measuring."""
        ...

    def monotonic_seconds(self) -> float:
        """Seconds since an arbitrary start, never going back: for measuring only."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Seconds since an arbitrary start, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
