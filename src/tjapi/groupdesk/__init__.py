"""团检台: what a unit's campaign asks of many exams at once.

Members are booked over days, moved between groups with their price, brought to an end; and each unit sees how far it has come.
A context of its own beside the front desk: its commands reach from the list of members over appointments to exams, and those over many are
jobs, in slices of a transaction each. It has no tables; a member's standing is read from the member and the exam, never kept twice:

    listed → booked → unfinished (arrived) → finished;  no_show | cancelled by decision
"""
