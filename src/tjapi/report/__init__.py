"""体检报告: the finished exam as a document.

    rendering → generated → published → superseded | recalled
    rendering | generated → failed (a result changed since the final sign-off; no seal; a seal that does not check out)

The bytes are frozen when they are rendered: content-addressed, with their SHA-256; publishing and downloading never render again.
Publishes ReportRequested, ReportGenerated, ReportPublished, ReportRecalled.
"""
