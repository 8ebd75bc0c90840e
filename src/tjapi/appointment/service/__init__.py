"""The verbs of appointments: calendars, places, the waiting list."""

from tjapi.appointment.models import Appointment, AppointmentPolicy, AppointmentWait
from tjapi.appointment.service.batch import Batch, prepare
from tjapi.appointment.service.booking import (
    Order,
    arrive,
    attach,
    book,
    cancel,
    get,
    hold,
    let_go,
    look,
    miss,
    of_exam,
    of_examinee,
    out,
    page,
    reinstate,
    reschedule,
)
from tjapi.appointment.service.calendar import (
    availability,
    calendar,
    days,
    load_defaults,
    policy,
    put_calendar,
    put_day,
    refuse_offline,
)
from tjapi.appointment.service.following import follow_person
from tjapi.appointment.service.sweeping import sweep
from tjapi.appointment.service.waiting import join, leave, offer_next, wait_out, waits

__all__ = [
    "Appointment",
    "AppointmentPolicy",
    "AppointmentWait",
    "Batch",
    "Order",
    "arrive",
    "attach",
    "availability",
    "book",
    "calendar",
    "cancel",
    "days",
    "follow_person",
    "get",
    "hold",
    "join",
    "leave",
    "let_go",
    "load_defaults",
    "look",
    "miss",
    "of_exam",
    "of_examinee",
    "offer_next",
    "out",
    "page",
    "policy",
    "prepare",
    "put_calendar",
    "put_day", "refuse_offline", "reinstate", "reschedule", "sweep", "wait_out", "waits",
]  # fmt: skip
