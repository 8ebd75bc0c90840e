"""预约: places by day, session and resource, who holds them, and who waits for one.

    appointment   held → booked → arrived | no_show | cancelled;  held → cancelled (expired or let go)
                  no_show → booked | arrived, by a named command: they came after all
    wait          waiting → offered → booked | lapsed | left;  offered → waiting is none: who lets an offer lapse joins again

A campus's calendar says what there is (sessions by weekday, resources, exceptions by day); a slot counts what is taken of it. A slot is
taken by a guarded update only, in one fixed order of slots, so that no day is overbooked and no two bookings wait for each other. What is
free is for who waits for it; a desk may go past them by saying so.
It knows no exam: `exam_id` is whatever the caller says. Publishes AppointmentBooked, AppointmentRescheduled, AppointmentCancelled,
AppointmentArrived, AppointmentMissed, PlaceFreed, PlaceOffered.
"""
