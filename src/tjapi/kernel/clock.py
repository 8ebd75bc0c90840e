"""The one source of "now". Injected, so that a test can stand still or jump."""

from datetime import UTC, date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

HOSPITAL_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


def business_day(moment: datetime) -> date:
    """Return the hospital's calendar day of a moment: midnight is midnight in Asia/Shanghai."""
    return moment.astimezone(HOSPITAL_ZONE).date()


def midnight(day: date) -> datetime:
    """Return the moment at which a day of the hospital begins."""
    return datetime.combine(day, time.min, HOSPITAL_ZONE)
