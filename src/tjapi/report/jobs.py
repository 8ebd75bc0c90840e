"""What the worker does for reports."""

from tjapi.kernel.jobs.spec import JobSpec
from tjapi.report import flows, service

JOBS = [
    JobSpec(service.RENDER, flows.render, max_attempts=service.RENDER_ATTEMPTS, timeout=90),
    JobSpec(service.FOLLOW_PAST, flows.follow_past),
]
