"""Jobs: rows in PostgreSQL that a worker claims under a lease and a fence. arq only wakes.

    queued → running → succeeded
       ↑        ├→ queued (failed, tried again later; or taken back from a dead worker)
       │        ├→ dead (attempts used up: a person looks) → queued by `retry`
       └────────└→ cancelled

A kill is not an attempt. Handlers are idempotent, take ids, and commit only while they hold the job's fence.
"""
