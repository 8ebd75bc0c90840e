"""结果与科室小结: what was measured or found, by whom, and what a department says of it.

    revision   preliminary → final → corrected;  entered_in_error strikes what was said before it
    sheet      draft → signed → draft (reopened, with a reason)

Revisions are only added. The current one is a function of the set of revisions, never of the order in which they came: corrected
before final before preliminary; a final value is replaced by a corrected one and by nothing else (rules.revisions.current).
What no machine may decide becomes a question to a person (rules.questions) and blocks the final review.
Publishes ResultsRecorded, RevisionsAdded, CriticalUnread, CriticalNotExcluded, CriticalExcluded, ResultArrivedLate, DerivedFollowed, SheetSigned.
"""
