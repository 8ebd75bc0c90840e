"""Jobs: rows in PostgreSQL that a worker claims under a lease and a fence. arq only wakes.

    queued → running → succeeded
       ↑        ├→ queued (failed, tried again later; or taken back from a dead worker)
       │        ├→ dead (attempts used up: a person looks) → queued by `retry`
       └────────└→ cancelled

A kill is not an attempt; five workers lost under one job set it aside, and so do two overruns of its limits, a process that it brings
down, and data that the database refuses. A thread keeps leases and watches the loop (`pulse`). Handlers are idempotent, take ids, and commit only while they hold the job's fence.
"""
