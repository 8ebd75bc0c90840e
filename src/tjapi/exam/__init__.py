"""体检: one visit of an examinee, its lines, their execution state, and what keeps it from being finalized.

    exam   prepared → checked_in → in_progress → sheet_returned → ready_for_review → in_review → finalized
           prepared → cancelled;  any before the review ⇄ on_hold;  finalized → in_review only by a named command with a reason
    line   ordered → released → sent → collected | started → resulted → verified
           collected → specimen_rejected → collected | resulted (of another specimen)
           ordered | released | sent → withdrawn | substituted;  ordered … started → refused | waived | deferred → ordered

Why an exam cannot be finalized are rows that any later context adds and clears: `block(uow, exam_id, code, source)`.
Past exams of another system's archive (往年档案) come in bulk, between two states that nobody else sees: `import_past` … `close_past`.
Publishes ExamRegistered, ExamFactsCorrected, ExamReopened, LinesReleased, LinesSetAside, LinesReinstated, ExamCheckedIn, ExamReadyForReview, ExamFinalized, ExamCancelled, PastExamsImported.
"""
