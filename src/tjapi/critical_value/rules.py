"""States of a critical value, its clocks, and when it may be closed."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal
from uuid import UUID

CriticalState = Literal[
    "detected", "confirmed", "dismissed", "notifying", "notified", "in_follow_up", "closed", "superseded"
]
Channel = Literal["phone", "in_person", "sms", "wechat", "other"]
StepAction = Literal[
    "detected", "confirmed", "dismissed", "notified", "attempt_failed", "followed_up", "closed", "superseded", "corrected", "escalated"
]  # fmt: skip
STATES: tuple[CriticalState, ...] = (
    "detected", "confirmed", "dismissed", "notifying", "notified", "in_follow_up", "closed", "superseded",
)  # fmt: skip
CHANNELS: tuple[Channel, ...] = ("phone", "in_person", "sms", "wechat", "other")
MOVES: Mapping[str, frozenset[str]] = {
    "detected": frozenset({"confirmed", "dismissed", "superseded"}),
    "confirmed": frozenset({"notifying", "notified"}),
    "notifying": frozenset({"notified", "closed"}),
    "notified": frozenset({"in_follow_up", "closed"}),
    "in_follow_up": frozenset({"closed"}),
    "dismissed": frozenset(),
    "closed": frozenset(),
    "superseded": frozenset(),
}
ENDED: frozenset[str] = frozenset({"dismissed", "closed", "superseded"})
UNSEEN: frozenset[str] = frozenset({"detected"})
CHANNELS_BEFORE_LOST = 2
# No rule of the knowledge base: what the laboratory itself calls critical alarms whether or not one of ours would.
LAB_ALARM = "LAB-CRITICAL"
LAB_ALARM_NAME = "检验科报危急值"
LAB_ALARM_ACTION = "立即与检验科核实结果并复述,通知受检者与临床医生。"
# Parameters of the hospital; not read in a source: the 2019 consensus knows 2 h and 24 h, a laboratory's own rules 10 to 30 minutes.
ESCALATE_AGAIN = timedelta(minutes=10)
MOST_LEVELS = 5


def event_key(values: Iterable[tuple[UUID | None, str]]) -> str:
    """Return what makes two alerts of one rule the same event: the results that made it fire, with what they said.

    A value that is said again, final after preliminary or repeated by a correction, is the event that somebody is dealing with already.
    """
    said = ",".join(sorted(f"{result_id}={value}" for result_id, value in values))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def nth(key: str, times: int) -> str:
    """Return the key under which an event is kept that happened so many times before, each time to be corrected away."""
    return f"{key}.{times + 1}" if times else key


def event_of(kept_as: str) -> str:
    """Return the event of a kept key."""
    return kept_as.partition(".")[0]


def may_be_lost(failed_channels: Iterable[str]) -> bool:
    """Say whether somebody may be given up as not reached: two channels at least were tried in vain."""
    return len(set(failed_channels)) >= CHANNELS_BEFORE_LOST
