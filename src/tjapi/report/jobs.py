"""What the worker does for reports."""

from tjapi.kernel.jobs.spec import JobSpec
from tjapi.report import flows, service

JOBS = [JobSpec(service.RENDER, flows.render, max_attempts=8, timeout=90)]
