"""Prometheus metrics: requests by route template, never by path, so that no identifier becomes a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
REQUESTS = Counter("tjapi_requests_total", "Requests answered", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "tjapi_request_seconds", "Time to answer", ["route"], registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
JOBS = Gauge("tjapi_jobs", "Jobs by state", ["state"], registry=REGISTRY)
OLDEST_JOB = Gauge("tjapi_oldest_ready_job_seconds", "Age of the oldest job that could run now", registry=REGISTRY)
WORKERS_OK = Gauge("tjapi_workers_ok", "1: workers live, turn and take what is due", registry=REGISTRY)
INBOX = Gauge("tjapi_inbox_messages", "Inbound messages by state", ["state"], registry=REGISTRY)


def exposition() -> bytes:
    """Return the metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)
