"""What the worker does for employers: lists are read and taken over one at a time per worker, they are heavy."""

from tjapi.employer import flows
from tjapi.employer.service.importing import COMMIT, READ
from tjapi.kernel.jobs.spec import JobSpec

JOBS = [
    JobSpec(READ, flows.read_members, max_attempts=3, at_once=1, timeout=300),
    JobSpec(COMMIT, flows.commit_members, max_attempts=5, at_once=1, timeout=300),
]
