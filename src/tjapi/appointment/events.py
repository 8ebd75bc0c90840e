"""What happened to appointments."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked(Event):
    """Somebody has a place."""

    name: ClassVar[str] = "appointment.booked"
    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentRescheduled(Event):
    """Somebody has another place than before."""

    name: ClassVar[str] = "appointment.rescheduled"
    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled(Event):
    """A place was given back."""

    name: ClassVar[str] = "appointment.cancelled"
    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentArrived(Event):
    """Who was expected is here."""

    name: ClassVar[str] = "appointment.arrived"
    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentMissed(Event):
    """Who was expected did not come."""

    name: ClassVar[str] = "appointment.missed"
    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFreed(Event):
    """A place came free on a day for which somebody waits."""

    name: ClassVar[str] = "appointment.place_freed"
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOffered(Event):
    """A place is held for somebody who waited."""

    name: ClassVar[str] = "appointment.place_offered"
    wait_id: UUID
    appointment_id: UUID
