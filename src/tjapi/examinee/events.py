"""Facts of examinees: ids, no personal data."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineeRegistered(Event):
    """A person was entered who was not known before."""

    name: ClassVar[str] = "examinee.registered"
    examinee_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineeAmended(Event):
    """Phone, address or nation of a person changed. A person belongs to no one campus."""

    name: ClassVar[str] = "examinee.amended"
    examinee_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineesMerged(Event):
    """One entry was found to be another: what belongs to `merged_id` belongs to `survivor_id` from now on."""

    name: ClassVar[str] = "examinee.merged"
    merge_id: UUID
    merged_id: UUID
    survivor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineesUnmerged(Event):
    """They are two after all: what followed that merge, and nothing else, goes back to `merged_id`."""

    name: ClassVar[str] = "examinee.unmerged"
    merge_id: UUID
    merged_id: UUID
    survivor_id: UUID
