"""What may go wrong around an appointment."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class AppointmentNotFound(NotFound):
    """No such appointment, or not of a campus one may see."""

    zh, en = "没有这个预约", "No such appointment"


class AppointmentWaitNotFound(NotFound):
    """No such entry of the waiting list."""

    zh, en = "没有这条候补记录", "No such entry of the waiting list"


class AppointmentAwaited(Conflict):
    """Others wait for this session, and were there before: its free places are theirs. A desk may book all the same, and says so."""

    zh, en = "该时段有人候补,空出的名额先留给候补者", "Others wait for this session: its free places are theirs first"


class AppointmentFull(Conflict):
    """A session or a resource has no place left; `errors` name which, and the nearest days with room."""

    zh, en = "所选时段或资源已约满", "The session, or something it needs, is fully booked"


class AppointmentSessionNotOffered(Conflict):
    """The campus has no such session on that day: closed, another weekday, or taken out of the calendar."""

    zh, en = "当天没有这个时段", "There is no such session on that day"


class AppointmentStateConflict(Conflict):
    """The appointment is in a state that does not allow this step."""

    zh, en = "预约当前状态不允许此操作", "The appointment's state does not allow this"
    states = "appointment_state"


class AppointmentHoldEnded(Conflict):
    """The hold has expired, was used, or was let go: take another."""

    zh, en = "占位已失效,请重新选择", "The hold has ended; choose again"


class AppointmentTwice(Conflict):
    """The examinee has an appointment at this campus on that day already."""

    zh, en = "受检者当天已有预约", "The examinee has an appointment on that day already"


class AppointmentDayOutOfReach(Invalid):
    """The day is past, or further ahead than the campus books."""

    zh, en = "日期不在可预约范围内", "The day is past, or further ahead than the campus books"


class AppointmentSessionNotForSex(Invalid):
    """The session is for the other sex."""

    zh, en = "该时段不适用于受检者性别", "The session is not for the examinee's sex"


class AppointmentCalendarInvalid(Invalid):
    """A calendar that contradicts itself; `errors` name where."""

    zh, en = "预约日历有矛盾", "The calendar contradicts itself"


class AppointmentDayBooked(Conflict):
    """People are booked in what the day would offer no more: say that it is meant, and then move them; `errors` name how many and each."""

    zh, en = "当天已有预约,请确认后再更改", "People are booked on that day: say that it is meant"


class AppointmentsOnOneDay(Conflict):
    """Two people who are to be one have appointments on the same day at one campus; `errors` name the days."""

    zh, en = "两人同日均有预约", "Both have an appointment on the same day"


class WalkInNotTaken(Conflict):
    """The campus examines by appointment alone."""

    zh, en = "本院区不接受未预约体检", "This campus examines by appointment only"


class OnlineBookingClosed(Conflict):
    """The campus lets nobody book online."""

    zh, en = "本院区未开放自助预约", "This campus is not open for booking online"


class WaitStateConflict(Conflict):
    """The entry of the waiting list has ended."""

    zh, en = "候补已结束", "This entry of the waiting list has ended"
    states = "wait_state"
