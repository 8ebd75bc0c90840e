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
CRITICALS = Gauge(
    "tjapi_critical_values",
    "Critical values that are not ended: open, untold (nobody was told), overdue",
    ["kind"],
    registry=REGISTRY,
)
REQUISITIONS = Gauge("tjapi_requisitions", "Orders to the laboratory by state", ["state"], registry=REGISTRY)
RETRYING = Gauge(
    "tjapi_jobs_retrying",
    "Jobs that failed at least once and will be tried again, by name: a neighbour that does not answer",
    ["name"],
    registry=REGISTRY,
)
INBOX_SILENT = Gauge(
    "tjapi_inbox_silent_seconds", "Time since the newest message of a source was stored", ["source"], registry=REGISTRY
)
INBOX_LAG = Gauge(
    "tjapi_inbox_oldest_unfiled_seconds",
    "Age of the oldest message that is stored and not yet filed",
    registry=REGISTRY,
)
AUDIT_LAG = Gauge(
    "tjapi_audit_oldest_unsealed_seconds", "Age of the oldest audit row outside the chain", registry=REGISTRY
)
POOL = Gauge(
    "tjapi_database_pool",
    "Connections of this process by role: size, used, waiting",
    ["role", "kind"],
    registry=REGISTRY,
)
SEAL_LEFT = Gauge(
    "tjapi_seal_certificate_seconds_left",
    "Time until the certificate of the hospital's seal expires; negative: expired",
    registry=REGISTRY,
)


def exposition() -> bytes:
    """Return the metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)
