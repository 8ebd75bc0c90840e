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
