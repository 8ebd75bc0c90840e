"""What the worker does for the group desk: one batch of a campaign at a time."""

from tjapi.groupdesk import flows, service
from tjapi.kernel.jobs.spec import JobSpec

JOBS = [
    JobSpec(service.BOOK, flows.book_members, at_once=2, timeout=3_600),
    JobSpec(service.REPRICE, flows.reprice_members, at_once=2, timeout=3_600),
]
