"""运维: inbound messages, jobs, live events, the audit trail: what keeps the house running and lets one see that it runs."""
