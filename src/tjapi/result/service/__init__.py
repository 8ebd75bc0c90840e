"""The verbs of results, one use case per file: filing what a laboratory reports, and what departments enter and sign."""

from tjapi.result.service.alarming import alarms_of
from tjapi.result.service.answering import answer, shown
from tjapi.result.service.answering import get as get_question
from tjapi.result.service.case import Ground, case_of, edition_of, ground_of, values_of
from tjapi.result.service.claims import Truth, truth_of
from tjapi.result.service.clicking import clickables, preview
from tjapi.result.service.criticality import as_told, grave_rules
from tjapi.result.service.entry import (
    drop_sheets,
    get_sheet,
    plan_sheets,
    plan_sheets_of_many,
    put_results,
    put_summary,
    reopen_sheet,
    revoke_results,
    sign_sheet,
)
from tjapi.result.service.filing import Filing, file_report, leads_elsewhere
from tjapi.result.service.findings import Found, found_in, reasons
from tjapi.result.service.findings import result_ids as found_result_ids
from tjapi.result.service.giving_up import give_up, specimens_refused
from tjapi.result.service.importing import PastResults, PastSheet, PastValue, import_past
from tjapi.result.service.judging import (
    find_signed,
    follow_past,
    hint,
    judge_anew,
    lines_gone,
    opened_again,
    past_changed,
)
from tjapi.result.service.questions import block_open, drop_questions, scope_of
from tjapi.result.service.questions import page as questions_page
from tjapi.result.service.reading import (
    change_of,
    department_history,
    digest,
    digests,
    history,
    ids_of,
    passed,
    private_ids,
    reads_as,
    result_ids,
    trends,
    unmapped_codes,
)
from tjapi.result.service.release import (
    alarming,
    decide_release,
    propose_release,
    proposed,
    raw_for_readings,
    release_out,
    releases,
    to_be_read,
    word_on,
)
from tjapi.result.service.stating import stated_of
from tjapi.result.service.summarizing import summary_lines
from tjapi.result.service.trying import try_content, try_edition

__all__ = [
    "Filing",
    "Found",
    "Ground",
    "PastResults",
    "PastSheet",
    "PastValue",
    "Truth",
    "alarming",
    "alarms_of",
    "answer",
    "as_told",
    "block_open",
    "case_of",
    "change_of",
    "clickables",
    "decide_release",
    "department_history",
    "digest",
    "digests",
    "drop_questions",
    "drop_sheets",
    "edition_of",
    "file_report",
    "find_signed",
    "follow_past",
    "found_in",
    "found_result_ids",
    "get_question",
    "get_sheet",
    "give_up",
    "grave_rules",
    "ground_of",
    "hint",
    "history",
    "ids_of",
    "import_past",
    "judge_anew",
    "leads_elsewhere",
    "lines_gone",
    "opened_again",
    "passed",
    "past_changed",
    "plan_sheets",
    "plan_sheets_of_many",
    "preview",
    "private_ids",
    "propose_release",
    "proposed",
    "put_results",
    "put_summary",
    "questions_page",
    "raw_for_readings",
    "reads_as",
    "reasons",
    "release_out",
    "releases",
    "reopen_sheet",
    "result_ids",
    "revoke_results",
    "scope_of",
    "shown",
    "sign_sheet",
    "specimens_refused",
    "stated_of",
    "summary_lines",
    "to_be_read",
    "trends",
    "truth_of",
    "try_content",
    "try_edition",
    "unmapped_codes",
    "values_of",
    "word_on",
]
