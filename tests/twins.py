"""`python -m tests.twins`: breaks each guard once, in a copy of the tree, and insists that its test turns red.

A check that cannot fail is a defect. Each twin is an edit of the sources and the one test that must notice it. The test is first seen
green in the untouched copy. Exit 1: a twin stayed green, or the text of its edit is no longer in the source.
"""

import asyncio
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests import conftest
from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("src", "adapters", "device_gateway", "migrations", "tests", "pyproject.toml", "alembic.ini")
LINKED = ("report_templates", "openapi")
LANES = int(os.environ.get("TJ_TWIN_LANES", "2"))
GUARDS = "migrations/versions/2026_11_22_0002_guards.py"
KERNEL = "src/tjapi/kernel"
KERNEL_TESTS = "tests/tjapi/kernel"
REPORT_TESTS = "tests/tjapi/report"

PEOPLE, PEOPLE_TESTS = "src/tjapi/examinee", "tests/tjapi/examinee"
MERGING, MERGE_TABLES = f"{PEOPLE_TESTS}/test_merging.py", "migrations/versions/2026_11_27_2300_examinee_merge.py"
IDENTITY_TESTS = "tests/tjapi/frontdesk/test_identity_checks.py"
BACK_TESTS = "tests/tjapi/requisition/test_lines_that_come_back.py"
LIST_TESTS, GROUP_TESTS = "tests/tjapi/employer", "tests/tjapi/groupdesk"


@dataclass(frozen=True, slots=True)
class Twin:
    """A guard, the edits of one file that break it (old text, new text), and the test that must turn red."""

    guard: str
    file: str
    edits: tuple[tuple[str, str], ...]
    test: str

    @property
    def own_servers(self) -> bool:
        """Whether the template database itself is another one."""
        return self.file.startswith("migrations")


def _twin(guard: str, file: str, old: str, new: str, test: str) -> Twin:
    return Twin(guard, file, ((old, new),), test)


TWINS = (
    _twin(
        "merge: nothing is given to somebody merged away", "src/tjapi/exam/service/finding.py",
        "return await examinees.kept(uow, new.examinee_id)", "return await examinees.get(uow, new.examinee_id)",
        f"{MERGING}::test_what_is_registered_while_people_are_merged_is_the_survivors",
    ),
    _twin(
        "merge: every campus is held", f"{PEOPLE}/service/merging.py",
        "if not await repository.covers(uow, whole):", "if not whole:",
        f"{MERGING}::test_nobody_moves_what_a_campus_of_theirs_does_not_see",
    ),
    _twin(
        "merge: undoing brings back these rows alone", f"{PEOPLE}/service/merging.py",
        "await repoint(uow, event.survivor_id, event.merged_id, followed)", "await repoint(uow, event.survivor_id, event.merged_id, None)",
        f"{MERGING}::test_everything_follows_every_key_finds_the_survivor_and_undoing_brings_back_exactly_that",
    ),
    _twin(
        "merge: contradictions are accepted by name", f"{PEOPLE}/service/merging.py",
        "missing = [what for what in found if what not in accepted]", "missing = []",
        f"{MERGING}::test_what_contradicts_is_accepted_by_name_and_by_somebody_who_may",
    ),
    _twin(
        "merge: tokens end", "src/tjapi/portal/service/access.py",
        "await repository.end_sessions(uow, examinee_ids)", "del uow, examinee_ids",
        f"{MERGING}::test_a_token_ends_with_the_merge_and_whoever_enters_anew_sees_the_reports_of_both",
    ),
    _twin(
        "merge: nothing changes hands without one", MERGE_TABLES,
        "for table in OWNED:", "for table in ():",
        f"{MERGING}::test_past_every_service_nothing_goes_from_one_person_to_another",
    ),
    _twin(
        "duplicates: found to be two", f"{PEOPLE}/service/duplicates.py",
        "if frozenset((pair[0].id, pair[1].id)) not in apart", "if apart is not None",
        f"{PEOPLE_TESTS}/test_duplicates.py::test_who_was_found_to_be_two_people_is_not_suggested_until_that_is_withdrawn",
    ),
    _twin(
        "guardian: consent before check-in", f"{PEOPLE}/service/guardians.py",
        "if any(row.consented_at is not None for row in rows):", "if rows:",
        f"{PEOPLE_TESTS}/test_guardians.py::test_a_child_below_14_is_checked_in_once_a_guardian_has_consented",
    ),
    _twin(
        "identity check: two people", "src/tjapi/frontdesk/service/checking.py",
        "if row.checked_by == uow.principal.id:", "if row.checked_by is None:",
        f"{IDENTITY_TESTS}::test_somebody_else_is_not_checked_in_until_a_second_person_decides",
    ),
    _twin(
        "identity check: the right person first", "src/tjapi/frontdesk/service/desk.py",
        "await refuse_somebody_else(uow, exam_id)", "assert exam",
        f"{IDENTITY_TESTS}::test_who_is_somebody_else_indeed_leaves_the_exam_for_the_right_person_or_for_nobody",
    ),
    _twin(
        "a hold ends by resuming alone", "src/tjapi/exam/service/course.py",
        'if exam.state == "on_hold":  # which', "if not exam.state:  # which",
        f"{IDENTITY_TESTS}::test_an_exam_held_for_another_reason_is_not_resumed_by_a_decision",
    ),
    _twin(
        "together as one by one", "src/tjapi/exam/service/registering.py",
        '"released" if free else "ordered"', '"released"',
        "tests/tjapi/groupdesk/test_bulk_booking.py::test_members_booked_together_leave_the_rows_in_every_table_that_they_leave_one_by_one",
    ),
    _twin(
        "a place is for who waits", "src/tjapi/appointment/service/places.py",
        "    if waiting and await", "    if not waiting and await",
        "tests/tjapi/appointment/test_calendar.py::test_a_free_place_is_for_who_waits_unless_the_desk_says_that_it_goes_past_them",
    ),
    _twin(
        "a unit's list keeps its order", "src/tjapi/frontdesk/views.py",
        "order by m.list_no, m.id", "order by e.id",
        "tests/tjapi/groupdesk/test_unit_papers.py::test_a_unit_s_sheets_and_labels_are_one_file_in_its_order_and_logged_once_though_the_job_is_killed",
    ),
    _twin(
        "commit before response", f"{KERNEL}/routing.py",
        'Depends(_write_unit, scope="function")', "Depends(_write_unit)",
        f"{KERNEL_TESTS}/test_commit_before_response.py::test_a_commit_that_takes_long_holds_the_answer_back",
    ),
    _twin(
        "no 2xx without a commit", f"{KERNEL}/routing.py",
        'Depends(_write_unit, scope="function")', "Depends(_write_unit)",
        f"{KERNEL_TESTS}/test_commit_before_response.py::test_nobody_hears_200_of_what_failed_at_commit",
    ),
    _twin(
        "idempotency: fingerprint", f"{KERNEL}/idempotency.py",
        'if bytes(found["fingerprint"]) != self._fingerprint:', "if found is None:",
        f"{KERNEL_TESTS}/test_idempotency.py::test_the_same_key_for_another_request_is_refused",
    ),
    _twin(
        "idempotency: answer stored", f"{KERNEL}/routing.py",
        "await pending.store(response)", "del pending",
        f"{KERNEL_TESTS}/test_idempotency.py::test_the_same_request_again_gets_the_same_answer_and_nothing_more",
    ),
    _twin(
        "idempotency: one at a time", f"{KERNEL}/idempotency.py",
        "if not await fetch_value(session, _LOCK, lock):", "if not lock:",
        f"{KERNEL_TESTS}/test_idempotency.py::test_twelve_at_once_have_one_effect",
    ),
    _twin(
        "inbox: other bytes", f"{KERNEL}/inbox.py",
        "if bytes(found.sha256) != digest:", "if found is None:",
        f"{KERNEL_TESTS}/test_inbox.py::test_other_bytes_under_a_used_id_are_refused_and_kept_beside_in_quarantine",
    ),
    _twin(
        "inbox: one at a time", f"{KERNEL}/inbox.py",
        'await uow.session.execute(_LOCK, {"key": f"{uow.principal.id}|{source}|{message_id}"})', "",
        f"{KERNEL_TESTS}/test_inbox.py::test_a_copy_that_comes_before_the_first_is_committed_waits_and_finds_it",
    ),
    _twin(
        "lease fencing", f"{KERNEL}/uow.py",
        "fence is not None and await", "fence is None and await",
        f"{KERNEL_TESTS}/test_fence_and_rows.py::test_a_unit_whose_claim_was_taken_over_commits_nothing",
    ),
    _twin(
        "row security: campus", GUARDS,
        '        _secure(run, table, prefix)\n        run(f"create policy campus',
        '        _secure(run, table, prefix)\n        sees = "true" if table == "tube" else sees\n        run(f"create policy campus',
        f"{KERNEL_TESTS}/test_fence_and_rows.py::test_raw_sql_shows_a_campus_its_own_rows_alone",
    ),
    _twin(
        "row security: own rows", GUARDS,
        'own = f" or {OWN_ROWS[table]} = (select tj.subject())" if', 'own = " or (select tj.subject()) is not null" if',
        f"{KERNEL_TESTS}/test_fence_and_rows.py::test_raw_sql_shows_a_campus_its_own_rows_alone",
    ),
    _twin(
        "row security: signature of the context", "migrations/versions/2026_11_22_0000_kernel_context.py",
        ", 'hex') <> parts[8] then", ", 'hex') is null then",
        f"{KERNEL_TESTS}/test_fence_and_rows.py::test_a_forged_setting_shows_nothing",
    ),
    _twin(
        "ETag of a sheet", "src/tjapi/result/service/entry.py",
        "if desk.version != expected:", "if desk is None:",
        f"{KERNEL_TESTS}/test_etag.py::test_of_eight_writers_of_a_sheet_exactly_one_wins",
    ),
    _twin(
        "ETag of a conclusion", "src/tjapi/conclusion/service/writing.py",
        "if (found.version if found is not None else 0) != expected:", "if expected < 0:",
        f"{KERNEL_TESTS}/test_etag.py::test_of_eight_writers_of_a_conclusion_exactly_one_wins",
    ),
    _twin(
        "audit chain: previous link", f"{KERNEL}/audit.py",
        'chain + n.to_bytes(8, "big")', 'n.to_bytes(8, "big")',
        f"{KERNEL_TESTS}/test_audit_chain.py::test_a_tail_that_is_edited_and_sealed_anew_contradicts_the_anchor",
    ),
    _twin(
        "audit chain: every column", f"{KERNEL}/audit.py",
        "row.detail, row.request_id]", "row.request_id]",
        f"{KERNEL_TESTS}/test_audit_chain.py::test_whatever_a_superuser_changes_is_located",
    ),
    _twin(
        "audit chain: anchor", f"{KERNEL}/audit.py",
        "if anchors and max(anchors) > n:", "if anchors and max(anchors) < 0:",
        f"{KERNEL_TESTS}/test_audit_chain.py::test_whatever_a_superuser_changes_is_located",
    ),
    _twin(
        "import contracts: the journey", "src/tjapi/catalog/errors.py",
        "from tjapi.kernel.problem import", "from tjapi.requisition import rules as later  # noqa: F401\nfrom tjapi.kernel.problem import",
        "tests/architecture/test_imports.py::test_every_import_contract_is_kept_and_asked_in_seconds",
    ),
    _twin(
        "import contracts: rules are pure", "src/tjapi/exam/rules.py",
        "from datetime import date\n", "from datetime import date\nimport sqlalchemy  # noqa: F401\n",
        "tests/architecture/test_imports.py::test_every_import_contract_is_kept_and_asked_in_seconds",
    ),
    _twin(
        "only one commit", "src/tjapi/exam/service/course.py",
        'await uow.audit("exam.checked_in"', 'await uow.session.commit()\n    await uow.audit("exam.checked_in"',
        "tests/architecture/test_imports.py::test_only_the_unit_of_work_commits",
    ),
    _twin(
        "models = migrations", "src/tjapi/exam/models.py",
        'Index("ix_exam_line_exam", "exam_id"),', "",
        "tests/architecture/test_schema.py::test_alembic_finds_no_difference_between_models_and_migrations",
    ),
    _twin(
        "checks of models = migrations", "src/tjapi/exam/models.py",
        "price_fen >= 0 and", "price_fen >= 1 and",
        "tests/architecture/test_schema.py::test_every_column_constraint_and_index_is_as_the_models_would_make_it",
    ),
    _twin(
        "permission", f"{KERNEL}/routing.py",
        "if permission == AUTHENTICATED or principal.may(permission):", "if principal:",
        "tests/tjapi/operations/test_operations.py::test_a_refusal_is_remembered_although_nothing_else_is",
    ),
    _twin(
        "four eyes", "src/tjapi/conclusion/service/writing.py",
        "if found.initial_by == uow.principal.id:", "if found.initial_by is None:",
        "tests/tjapi/exam/test_exam.py::test_who_signed_first_does_not_give_the_final_signature",
    ),
    _twin(
        "identity of a laboratory's result", "src/tjapi/result/service/filing.py",
        "if against is not None:", "if against == []:",
        "tests/tjapi/result/test_result_filing.py::test_a_report_on_somebody_else_is_quarantined_and_nothing_is_filed",
    ),
    _twin(
        "append-only rows", GUARDS,
        "for table in APPEND_ONLY:", "for table in APPEND_ONLY[:1]:",
        "tests/tjapi/exam/test_exam.py::test_revisions_of_a_result_are_only_added",
    ),
    _twin(
        "states in the database", GUARDS,
        "if new.state is distinct from old.state and not", "if new.state is null and not",
        "tests/tjapi/exam/test_exam.py::test_the_database_refuses_the_illegal_steps_and_allows_the_others",
    ),
    _twin(
        "finalized means closed", GUARDS,
        "where id = which and state = 'finalized'", "where id = which and state = 'cancelled'",
        "tests/tjapi/exam/test_exam.py::test_a_finalized_exam_is_closed_in_the_database_itself",
    ),
    _twin(
        "completeness", "src/tjapi/exam/service/standing.py",
        "    if outstanding:\n        raise ExamNotComplete", "    if not outstanding and outstanding:\n        raise ExamNotComplete",
        "tests/tjapi/exam/test_exam.py::test_an_exam_with_anything_outstanding_is_neither_reviewed_nor_finalized",
    ),
    _twin(
        "whose report it is", "src/tjapi/report/service.py",
        "report.examinee_id != examinee_id or", "",
        "tests/tjapi/portal/test_portal.py::test_whose_a_report_is_is_asked_even_where_the_database_would_show_it",
    ),
    _twin(
        "recalled means gone", "src/tjapi/report/service.py",
        '    if report.state != "published":\n        raise ReportRecalledProblem', "",
        "tests/tjapi/report/test_report.py::test_a_recalled_report_is_gone_for_its_owner_at_the_next_request_and_its_bytes_stay",
    ),
    _twin(
        "five failures end a code", "src/tjapi/frontdesk/service/codes.py",
        " and row.failures < _MOST_FAILURES", "",
        "tests/tjapi/portal/test_portal.py::test_five_failures_end_a_code",
    ),
    _twin(
        "a code is used once", "src/tjapi/frontdesk/service/codes.py",
        "row.used_at = uow.now", "",
        "tests/tjapi/portal/test_portal.py::test_a_code_is_used_once",
    ),
    _twin(
        "nothing is taken from who is not here", "src/tjapi/requisition/service/specimens.py",
        '    if exam.state == "prepared":\n        raise NotCheckedIn', "",
        "tests/tjapi/requisition/test_requisition.py::test_nothing_is_taken_from_who_is_not_here",
    ),
    _twin(
        "visit: no add-on in a tube that was reported on", "src/tjapi/requisition/service/planning.py",
        "if any(line.state in REPORTED for line in served):", "if not served and tube.state == 'reported':",
        f"{BACK_TESTS}::test_an_add_on_does_not_go_into_a_tube_of_which_the_laboratory_has_reported",
    ),
    _twin(
        "visit: a line is asked for under its own tube", "src/tjapi/requisition/service/ordering.py",
        "row.tube_id == tube.id if row.tube_id else", "row.tube_id is None or",
        f"{BACK_TESTS}::test_a_line_that_comes_back_is_asked_for_under_its_new_tube_and_taken_back_under_its_old_one",
    ),
    _twin(
        "visit: nothing is taken of an exam on hold", "src/tjapi/requisition/service/specimens.py",
        'if tube.state == "planned" and exam.state == "on_hold":', 'if tube.state == "rejected" and exam.state == "on_hold":',
        f"{BACK_TESTS}::test_nothing_is_taken_from_whose_exam_is_on_hold_here_or_not_yet_here",
    ),
    _twin(
        "visit: what is unpaid comes back unpaid", "src/tjapi/exam/service/changing.py",
        'if row.from_state not in (None, "refused", "waived", "deferred")', "if row.from_state is not None",
        "tests/tjapi/exam/test_exam_lines.py::test_what_was_deferred_unpaid_and_then_refused_is_not_free_when_it_comes_back[refused]",
    ),
    _twin(
        "visit: the sheet goes out for a further line", "src/tjapi/exam/service/standing.py",
        "if exam.sheet_returned_at is not None and exam.state in OPEN_FOR_LINES and", 'if exam.state == "sheet_returned" and',
        "tests/tjapi/guidance/test_guidance.py::test_a_line_added_to_an_exam_that_waits_for_review_brings_the_sheet_out_and_its_examinee_to_a_room",
    ),
    _twin(
        "visit: later decisions outlive a return that is undone", "src/tjapi/guidance/service/returning.py",
        "standing.line_ids = [line_id for line_id in standing.line_ids if line_id not in line_ids]", "del line_ids",
        "tests/tjapi/guidance/test_guidance.py::test_a_decision_that_was_made_after_the_sheet_came_back_is_not_undone_with_it",
    ),
    _twin(
        "visit: who counts as examined", "src/tjapi/exam/rules.py",
        "bool(here) and not any(state in FOR_THE_PERSON for state, _, _ in here)", "bool(here)",
        "tests/tjapi/exam/test_exam_model.py::test_whatever_is_done_to_an_exam_it_is_what_a_clerk_would_have_on_paper",
    ),
    _twin(
        "page token: signature", f"{KERNEL}/paging.py",
        "if not hmac.compare_digest(signature, self._sign(body)):", "if not signature:",
        f"{KERNEL_TESTS}/test_paging.py::test_no_token_can_be_made_or_changed",
    ),
    _twin(
        "page token: its list", f"{KERNEL}/paging.py",
        'self._scope + b"|" + body', "body",
        f"{KERNEL_TESTS}/test_paging.py::test_a_token_belongs_to_one_list_its_filters_and_one_installation",
    ),
    Twin(
        "field cipher: place", f"{KERNEL}/security/fields.py",
        (
            ("self._aead.encrypt(nonce, plain, place.encode())", "self._aead.encrypt(nonce, plain, None)"),
            ("sealed[1 + _NONCE :], place.encode())", "sealed[1 + _NONCE :], None)"),
        ),
        f"{KERNEL_TESTS}/test_fields_and_storage.py::test_a_field_opens_nowhere_else_and_not_when_a_bit_was_turned",
    ),
    Twin(
        "storage: address", f"{KERNEL}/storage.py",
        (
            ("self._aead.encrypt(nonce, content, address.encode())", "self._aead.encrypt(nonce, content, None)"),
            ("sealed[_NONCE:], address.encode())", "sealed[_NONCE:], None)"),
        ),
        f"{KERNEL_TESTS}/test_fields_and_storage.py::test_a_file_under_anothers_address_is_noticed",
    ),
    _twin(
        "report: no bit of its seal's container", f"{KERNEL}/seal.py",
        'container was changed", untouched)', 'container was changed", True)',
        f"{REPORT_TESTS}/test_seal.py::test_a_flipped_bit_is_detected_wherever_it_is",
    ),
    _twin(
        "report: results stand at publication", "src/tjapi/report/service.py",
        'if report.state == "sealed" and not await conclusion.stands(uow, report.exam_id):', "if False:",
        f"{REPORT_TESTS}/test_lifecycle.py::test_a_result_that_changes_after_the_sealing_stops_the_publication",
    ),
    _twin(
        "report: a retry seals what was rendered", "src/tjapi/report/flows.py",
        "if report.snapshot is None:", "if report.state:",
        f"{REPORT_TESTS}/test_lifecycle.py"
        "::test_a_worker_killed_between_rendering_and_sealing_leaves_a_version_that_is_sealed_once_as_it_was_rendered",
    ),
    _twin(
        "report: recalled is gone at once", "src/tjapi/report/service.py",
        'if report.state != "published":\n        raise ReportRecalledProblem', "",
        f"{REPORT_TESTS}/test_lifecycle.py::test_a_report_is_recalled_on_every_path_at_once_and_comes_back_as_a_new_version",
    ),
    _twin(
        "report: a critical value makes its own entry critical alone", "src/tjapi/report/rules.py",
        "found |= {place for place, size in citing.items() if size == least}", "found |= set(citing)",
        f"{REPORT_TESTS}/test_layout.py::test_a_critical_value_makes_its_own_entry_critical_and_none_that_only_cites_it",
    ),
    _twin(
        "report: no calm beside a flag", "src/tjapi/report/layout.py",
        "if not (abnormal or unjudged) or not says_all_normal(said, subjects):", "if said:",
        f"{REPORT_TESTS}/test_layout.py::test_no_summary_says_normal_beside_a_flag",
    ),
    _twin(
        "report: no flag without a word", "src/tjapi/report/layout.py",
        "for r in abnormal if r.result_id not in concluded]", "for r in abnormal if not concluded]",
        f"{REPORT_TESTS}/test_layout.py::test_every_flagged_result_has_a_conclusion_or_stands_under_other_abnormal_results",
    ),
    _twin(
        "report: undetermined is not normal", "src/tjapi/result/rules/flags.py",
        'return flag is None and kind != "text" and (laboratory or ranged)', "return False",
        f"{REPORT_TESTS}/test_layout.py::test_what_nobody_could_judge_is_neither_normal_nor_abnormal",
    ),
    _twin(
        "report: a line that is not what is stored is read", "src/tjapi/report/layout.py",
        '"unit": printed_unit(row.unit),', '"unit": "",',
        "tests/reading/test_reading.py::test_published_reports_of_random_journeys_say_what_is_stored_line_by_line",
    ),
    _twin(
        "verification: a name is masked", "src/tjapi/report/rules.py",
        '"name": masked_name(data["person"]["name"]),', '"name": data["person"]["name"],',
        f"{REPORT_TESTS}/test_lifecycle.py"
        "::test_the_verification_shows_what_is_printed_so_that_a_genuine_code_on_a_forged_paper_is_seen_through",
    ),
    _twin(
        "verification: outdated while a task is open", "migrations/versions/2026_11_29_1310_report_proof.py",
        "then 'outdated'", "then 'published'",
        f"{REPORT_TESTS}/test_lifecycle.py"
        "::test_a_report_after_which_a_result_came_is_outdated_for_its_owner_and_for_whoever_holds_the_paper",
    ),
    _twin(
        "summary: no calm beside a flag", "src/tjapi/result/service/entry.py",
        "any(known.flag for known in values)", "False",
        "tests/tjapi/result/test_summary.py::test_a_flag_without_a_line_is_told_in_the_summary_and_nothing_calls_it_normal",
    ),
    _twin(
        "overview: no calm beside a flag", "src/tjapi/conclusion/service/writing.py",
        "if says_all_normal(found.overview) and", "if not found.overview and",
        "tests/tjapi/conclusion/test_review.py::test_an_overview_that_calls_everything_normal_beside_a_flag_is_not_signed",
    ),
    _twin(
        "report: a link ends", f"{KERNEL}/security/tokens.py",
        "if expires <= now.timestamp():", "if expires < 0:",
        f"{REPORT_TESTS}/test_lifecycle.py::test_a_link_ends_after_ten_minutes_and_is_good_for_its_person_and_version_alone",
    ),
    _twin(
        "report: signatures never alone", f"{KERNEL}/documents/pages.py",
        "return _without_end(block, width) or (block, None)", "return block, None",
        f"{REPORT_TESTS}/test_document.py::test_the_signatures_take_the_end_of_the_results_along_wherever_the_page_ends",
    ),
    _twin(
        "campaign: a day's quota", "src/tjapi/groupdesk/service.py",
        "return taken.get((place.day, place.session_id), 0) >= place.quota", "return place.quota < 0",
        f"{GROUP_TESTS}/test_group_desk.py::test_members_are_spread_over_days_by_quota_and_whom_no_day_takes_hears_so",
    ),
    _twin(
        "campaign: who has arrived is left alone", "src/tjapi/groupdesk/service.py",
        "if exam_state is not None and exam_state not in NOTHING_TO_LOSE:", "if exam_state == 'finalized':",
        f"{GROUP_TESTS}/test_group_desk.py::test_moving_to_another_group_prices_anew_whoever_has_not_arrived_and_says_who_was_left_alone",
    ),
    _twin(
        "campaign: the booked are not relisted", "src/tjapi/employer/service/members.py",
        'if found.state not in ("no_show", "cancelled"):', 'if found.state == "done":',
        f"{GROUP_TESTS}/test_campaign_model.py::test_whatever_is_done_to_a_campaign_its_counts_and_states_are_those_of_the_model[1]",
    ),
    _twin(
        "list: all or nothing", "src/tjapi/employer/service/importing.py",
        'if mode == "atomic" and found.bad:', 'if mode == "never":',
        f"{LIST_TESTS}/test_member_import.py::test_every_error_names_its_row_and_column_and_nothing_is_half_taken_over",
    ),
    _twin(
        "list: a bomb is counted", "src/tjapi/employer/sheets.py",
        "if room < 0:", "if room < -(1 << 40):",
        f"{LIST_TESTS}/test_member_import.py::test_what_is_no_list_is_refused_and_says_why",
    ),
    _twin(
        "list: changed by another hand", "src/tjapi/employer/service/importing.py",
        "if staged != found.added + found.changed or await repository.clashes(uow, found):", "if staged != found.added + found.changed:",
        f"{LIST_TESTS}/test_member_import.py::test_a_list_that_another_hand_changed_after_the_preview_is_not_taken_over",
    ),
    _twin(
        "list: staged rows", "migrations/versions/2026_11_25_1735_employer.py",
        "revoke all on member_staging from {prefix}_app, {prefix}_reader", "revoke delete on member_staging from {prefix}_reader",
        f"{LIST_TESTS}/test_member_import.py::test_the_staged_rows_are_seen_by_no_role_but_the_workers",
    ),
    _twin(
        "price: the cap", "src/tjapi/pricing/rules.py",
        "share = min(price, left)", "share = price",
        "tests/tjapi/pricing/test_member_quote.py::test_what_exceeds_the_cap_is_the_persons_and_says_so",
    ),
)  # fmt: skip


class Lane:
    """A copy of the tree, and servers with an untouched template for the twins that do not change the schema."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self._state = folder / "state"
        self._servers: list[EmbeddedPostgres | EmbeddedValkey] = []
        self._addresses: dict[str, str] = {}

    def open(self) -> None:
        """Copy the sources and start the servers."""
        ignore = shutil.ignore_patterns("__pycache__")
        self.tree.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.tree / name, ignore=ignore)
            else:
                shutil.copy2(source, self.tree / name)
        for name in LINKED:
            (self.tree / name).symlink_to(ROOT / name)
        self._state.mkdir()
        self._state.chmod(0o711)
        postgres = EmbeddedPostgres(self._state, fsync=False, settings={"max_connections": "300"})
        valkey = EmbeddedValkey(self._state)
        for server in (postgres, valkey):
            server.start()
            self._servers.append(server)
        self._addresses = {
            "TJ_TEST_STATE": str(self._state),
            "TJ_TEST_SERVER": postgres.url(postgres.superuser, postgres.superuser_password, "DATABASE"),
            "TJ_TEST_VALKEY": valkey.url,
        }
        os.environ.update(self._addresses)
        asyncio.run(conftest._make_template())
        for name in self._addresses:
            del os.environ[name]
        where = self.run(
            [
                sys.executable,
                "-c",
                "import tjapi, adapters, tests.conftest as t; print(tjapi.__file__, adapters.__file__, t.__file__)",
            ]
        )
        if where.stdout.count(str(self.tree)) != 3:
            raise RuntimeError(f"the copy is not what is imported: {where.stdout}{where.stderr}")

    def close(self) -> None:
        """Stop the servers."""
        for server in reversed(self._servers):
            server.stop()

    def run(self, command: list[str], *, own_servers: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command on the copy: PYTHONPATH comes before the editable install's path file."""
        environment = {
            **os.environ, **({} if own_servers else self._addresses), "PYTHONPATH": f"{self.tree}{os.pathsep}{self.tree / 'src'}",
            "TJ_TEST_BUDGET": "600",
        }  # fmt: skip
        return subprocess.run(command, cwd=self.tree, env=environment, capture_output=True, text=True, check=False)

    def ask(self, tests: list[str], *, own_servers: bool = False) -> subprocess.CompletedProcess[str]:
        """Run tests."""
        return self.run([sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", *tests], own_servers=own_servers)

    def judge(self, twin: Twin) -> tuple[str, str]:
        """Break the guard, run its test, mend the guard; return the colour and what pytest said last."""
        path = self.tree / twin.file
        sound = path.read_text(encoding="utf-8")
        broken = sound
        for old, new in twin.edits:
            if broken.count(old) != 1:
                return "no match", f"{broken.count(old)} times in {twin.file}: {old!r}"
            broken = broken.replace(old, new)
        path.write_text(broken, encoding="utf-8")
        try:
            ended = self.ask([twin.test], own_servers=twin.own_servers)
        finally:
            path.write_text(sound, encoding="utf-8")
        said = next((line for line in reversed(ended.stdout.splitlines()) if line), ended.stderr[-300:])
        # Red is a test that failed; one that could not be run, or a test that is not there, proves nothing.
        failed = ended.returncode == 1 and f"FAILED {twin.test}" in ended.stdout
        return ("red" if failed else "green" if ended.returncode == 0 else "broken run"), said


def _control(lane: Lane, chosen: list[Twin]) -> bool:
    ended = lane.ask(sorted({twin.test for twin in chosen}))
    if ended.returncode:
        sys.stdout.write(ended.stdout[-4000:] + ended.stderr[-1000:] + "\nthe untouched copy is not green\n")
    return ended.returncode == 0


def _work(lane: Lane, waiting: "queue.Queue[Twin]", judged: dict[Twin, tuple[str, str]]) -> None:
    while True:
        try:
            twin = waiting.get_nowait()
        except queue.Empty:
            return
        judged[twin] = lane.judge(twin)


def main() -> int:
    """Judge every twin, or those whose guard holds a word given on the command line."""
    began = time.monotonic()
    chosen = [twin for twin in TWINS if all(word in twin.guard for word in sys.argv[1:])]
    judged: dict[Twin, tuple[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="tj-twins-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # a server started by root runs as another user
        lanes = [Lane(folder / f"lane{number}") for number in range(min(LANES, len(chosen)))]
        try:
            for lane in lanes:
                lane.open()
            if not _control(lanes[0], chosen):
                return 1
            waiting: queue.Queue[Twin] = queue.Queue()
            for twin in chosen:
                waiting.put(twin)
            workers = [threading.Thread(target=_work, args=(lane, waiting, judged)) for lane in lanes]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            for lane in lanes:
                lane.close()
    print("| guard | broken in | test | seen |\n|---|---|---|---|")
    for twin in chosen:
        colour, said = judged.get(twin, ("not run", ""))
        test = twin.test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        print(f"| {twin.guard} | `{twin.file}` | {test} | {colour}{'' if colour == 'red' else ': ' + said} |")
    reds = sum(colour == "red" for colour, _ in judged.values())
    print(f"\n{reds} of {len(chosen)} twins red in {time.monotonic() - began:.0f} s")
    return 0 if reds == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
