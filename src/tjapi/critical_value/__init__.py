"""危急值与重要异常: raised on the very result that makes it, and not closed before somebody has said what became of it.

    detected → confirmed | dismissed | superseded
    confirmed → notifying → notified (with read-back) → in_follow_up → closed (with an outcome, or lost after two failed channels)

Another measurement of the same value is news to whoever dismissed the first or told of it. Until somebody was told, one of class A keeps
the exam from being finalized. A correction never makes one vanish: what nobody had acted on is superseded, what somebody had acted on
stays open and says so. Overdue is derived from the clock, never stored. Escalation is a sweep: twice is once.

Published: CriticalDismissed.
"""
