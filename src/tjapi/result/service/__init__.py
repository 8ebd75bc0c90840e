"""The verbs of results, one use case per file: filing what a laboratory reports, and what departments enter and sign."""

from tjapi.result.service.entry import get_sheet, plan_sheets, put_results, reopen_sheet, sign_sheet
from tjapi.result.service.filing import Filing, file_report
from tjapi.result.service.reading import digest, history, overview, result_ids

__all__ = [
    "Filing", "digest", "file_report", "get_sheet", "history", "overview", "plan_sheets", "put_results", "reopen_sheet", "result_ids",
    "sign_sheet",
]  # fmt: skip
