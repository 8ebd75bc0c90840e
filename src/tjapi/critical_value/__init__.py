"""危急值与重要异常: raised on that very result, explained, acknowledged, told with read-back, escalated by the clock, closed.

detected → confirmed | dismissed → notifying → notified (read back) → in_follow_up → closed;  overdue is derived
superseded marks one whose result was corrected: it does not vanish
"""
