"""主检: what two physicians conclude from everything that was found.

    draft → initial_signed → finalized
    initial_signed → draft   (returned with a reason, or something changed under the review)

The first reviewer writes and signs; another person finalizes. A result that changes, or a department that signs anew, after the first
signature takes it back: nobody finalizes what the first reviewer did not see. Publishes ConclusionSigned, ConclusionReturned; the
final sign-off is exam's ExamFinalized.
"""
