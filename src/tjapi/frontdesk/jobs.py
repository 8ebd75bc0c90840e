"""What the worker does for the front desk: the files of large prints, one at a time, for they fill a core."""

from tjapi.frontdesk import flows, service
from tjapi.kernel.jobs.spec import JobSpec

JOBS = [JobSpec(service.MAKE, flows.make_file, max_attempts=5, at_once=1, timeout=1_800)]
