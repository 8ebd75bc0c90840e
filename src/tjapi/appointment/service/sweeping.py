"""What time does: holds end, days pass, and who did not come is marked."""

from tjapi.appointment import repository
from tjapi.appointment.service import places
from tjapi.appointment.service.booking import say_missed
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork

_AT_ONCE = 200


async def sweep(uow: UnitOfWork) -> tuple[int, int]:
    """End expired holds of one campus and mark the no-shows of days gone by; say how many of each. Twice at once is once."""
    ended = 0
    for campus_id in list(await repository.campuses_with_expired(uow))[:1]:
        rows = await repository.expire(uow, [campus_id], None, _AT_ONCE)
        await repository.end_offers(uow, [row[0] for row in rows], "lapsed")
        await places.give_back(uow, campus_id, [row[3] for row in rows])
        ended = len({row[0] for row in rows})
    today = business_day(uow.now)
    missed = await repository.miss(uow, today, _AT_ONCE)
    for appointment_id, campus_id in missed:
        await say_missed(uow, appointment_id, campus_id)
    await repository.lapse_waits(uow, today)
    return ended, len(missed)
