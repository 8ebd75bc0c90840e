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
COPIED = (
    "src",
    "adapters",
    "device_gateway",
    "migrations",
    "tests",
    "pyproject.toml",
    "alembic.ini",
    "Dockerfile",
    "compose.yaml",
    "requirements.lock",
    "monitoring",
    "docs",
)
LINKED = ("report_templates", "openapi")
LANES = int(os.environ.get("TJ_TWIN_LANES", "2"))
GUARDS = "migrations/versions/2026_11_22_0002_guards.py"
KERNEL = "src/tjapi/kernel"
KERNEL_TESTS = "tests/tjapi/kernel"
REPORT_TESTS = "tests/tjapi/report"

PEOPLE, PEOPLE_TESTS = "src/tjapi/examinee", "tests/tjapi/examinee"
MERGING, MERGE_TABLES = f"{PEOPLE_TESTS}/test_merging.py", "migrations/versions/2026_11_27_2300_examinee_merge.py"
WHOSE = "tests/tjapi/report/test_whose.py"
IDENTITY_TESTS = "tests/tjapi/frontdesk/test_identity_checks.py"
BACK_TESTS = "tests/tjapi/requisition/test_lines_that_come_back.py"
WIRE_TESTS = "tests/adapters"
DERIVED = "tests/tjapi/conclusion/test_derived.py"
ALARM_TESTS = "tests/tjapi/conclusion/test_alarms.py"
PAST_TESTS = "tests/tjapi/result/test_past_values.py"
REPORT_PAST = "tests/tjapi/report/test_past.py"
SEEN_TESTS, SAME_TESTS = "tests/tjapi/result/test_seen.py", "tests/tjapi/conclusion/test_same_again.py"
PRIVATE_ITEMS = "migrations/versions/2026_11_30_1800_private_items.py"
PRIVATE_TESTS = (
    "tests/access/test_private.py::test_what_is_private_waits_for_consent_and_shows_to_those_alone_who_may_see_it"
)
DOOR, LIMIT_TESTS = "tests/tjapi/identity/test_signing_in.py", "tests/tjapi/identity/test_limits.py"
OVER_RIGHTS, SESSIONS = "tests/access/test_rights_over_rights.py", "tests/access/test_sessions.py"
APART = "migrations/versions/2026_11_30_2156_identity_apart.py"
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


HARM = "tests/faults/test_harm.py"
GIVEN_UP = "tests/tjapi/result/test_given_up.py"
CONTRADICTIONS = "tests/tjapi/result/test_contradictions.py"
ABSENT, FORMS = "tests/tjapi/result/test_absent.py", "tests/tjapi/result/test_number_forms.py"
NOT_EXCLUDED = "tests/tjapi/result/test_not_excluded.py"
DOOR_ALARMS = "tests/tjapi/result/test_door_alarms.py"
READINGS = "tests/tjapi/result/test_message_readings.py"
PLACED = "tests/tjapi/critical_value/test_placed.py"
MEASURED_AGAIN = "tests/tjapi/critical_value/test_measured_again.py"

SUITING = "tests/tjapi/exam/test_suiting.py"
TOLD = "tests/tjapi/conclusion/test_told.py"

TWINS = (
    _twin(
        "door: nobody waits for a hash with a connection in hand", "src/tjapi/identity/flows.py",
        "            known = await service.credentials(uow, given.username)\n        who",
        "            known = await service.credentials(uow, given.username)\n            await held.hasher.verify(given.password, known.secret_hash)\n        who",
        f"{DOOR}::test_whoever_is_hashed_for_holds_no_connection_and_the_queue_has_an_end",
    ),
    _twin(
        "door: the queue has an end", "src/tjapi/kernel/security/passwords.py", "if self._taken >= self._places:", "if self._taken > 10 * self._places:",
        f"{DOOR}::test_whoever_is_hashed_for_holds_no_connection_and_the_queue_has_an_end",
    ),
    _twin(
        "door: guesses are counted by address", "src/tjapi/identity/flows.py",
        'guess(f"{who}|{asked.source}", steps,', "guess(who, steps,",
        f"{DOOR}::test_what_a_stranger_guesses_elsewhere_holds_nobody_up_and_an_account_is_not_guessed_from_many_places",
    ),
    _twin(
        "door: guesses from many places are braked", "src/tjapi/identity/flows.py", "if not known.familiar:", "if False:",
        f"{DOOR}::test_what_a_stranger_guesses_elsewhere_holds_nobody_up_and_an_account_is_not_guessed_from_many_places",
    ),
    _twin(
        "door: a name that nobody has is written down too", "src/tjapi/identity/service.py",
        'await uow.audit("staff.login_failed", "staff", held.told)', 'held.subject and await uow.audit("staff.login_failed", "staff", held.told)',
        f"{DOOR}::test_a_name_that_nobody_has_costs_the_same_looks_the_same_and_is_written_down_the_same",
    ),
    _twin(
        "door: only our proxies are believed", "src/tjapi/kernel/middleware.py", "if peer is None or not self._is_ours(peer):", "if peer is None:",
        f"{DOOR}::test_nobody_is_believed_who_is_no_proxy_of_ours",
    ),
    _twin(
        "apart: nobody lets in whom they made", APART, "if p_id = tj.me() or was.password_set_by = tj.me() then", "if p_id = tj.me() then",
        f"{OVER_RIGHTS}::test_whoever_holds_every_right_makes_no_second_self",
    ),
    _twin(
        "apart: nobody changes the own rights", APART,
        "  if p_id = tj.me() then return 'own'; end if;\n  select * into was from public.staff where id = p_id for update;\n  if was.version <> p_version then return 'changed'; end if;\n"
        "  if cardinality(was.campuses) > 0 and not was.campuses && tj.campuses() then return 'campus'; end if;\n  if exists",
        "  select * into was from public.staff where id = p_id for update;\n  if was.version <> p_version then return 'changed'; end if;\n"
        "  if cardinality(was.campuses) > 0 and not was.campuses && tj.campuses() then return 'campus'; end if;\n  if exists",
        f"{OVER_RIGHTS}::test_nobody_changes_the_own_rights",
    ),
    _twin(
        "apart: one person holds one of the three", APART, "select count(distinct p) < 2 from", "select count(distinct p) < 9 from",
        f"{OVER_RIGHTS}::test_of_three_administrations_one_person_holds_one_and_no_client_any",
    ),
    _twin(
        "apart: two who go at once go one after the other", APART, "select pg_advisory_xact_lock(7307002)", "select null::void",
        f"{OVER_RIGHTS}::test_the_last_administrator_of_a_kind_stays_also_when_two_go_at_once",
    ),
    _twin(
        "apart: no role writes to accounts", APART, "revoke insert, update, delete on staff, role, staff_role, api_client from {p}_app, {p}_worker;", "",
        f"{OVER_RIGHTS}::test_no_login_role_writes_to_accounts_past_their_functions",
    ),
    _twin(
        "sessions: a code is good once", "src/tjapi/identity/service.py", "    factor.last_step = step\n", "",
        f"{SESSIONS}::test_whoever_has_a_second_factor_signs_in_with_it_and_each_code_is_good_once",
    ),
    _twin(
        "sessions: a longest life", "src/tjapi/identity/service.py", "session_idle_minutes), ends)", "session_idle_minutes), ends + timedelta(days=1))",
        f"{SESSIONS}::test_a_session_ends_when_it_is_idle_and_after_its_longest_life",
    ),
    _twin(
        "sessions: proof grows old", "src/tjapi/kernel/routing.py", "if proved is None or proved < held.clock.now() - timedelta(minutes=minutes):", "if proved is None:",
        f"{SESSIONS}::test_what_weighs_heavily_asks_anew_who_one_is",
    ),
    _twin(
        "sessions: a stream is asked again", "src/tjapi/kernel/live.py", "now = await again() if again is not None else principal", "now = principal",
        f"{SESSIONS}::test_a_right_taken_away_ends_a_stream",
    ),
    _twin(
        "limits: processes count together", "src/tjapi/kernel/limits.py", "return await self._broker.run(script, names, values)", "return None",
        f"{LIMIT_TESTS}::test_two_processes_count_together",
    ),
    _twin(
        "limits: guesses at once are counted each", "src/tjapi/kernel/limits.py",
        "if open > 0 and tonumber(held[1] or '0') + open >= most then return -1 end", "",
        f"{LIMIT_TESTS}::test_guesses_at_once_are_counted_each_before_any_is_looked_at",
    ),
    _twin(
        "private: a result is hidden from who may not see it", PRIVATE_ITEMS,
        "create policy private_read on result as restrictive for select to {p}_reader using (not private or {mine});",
        "create policy private_read on result as restrictive for select to {p}_reader using (true or {mine});", PRIVATE_TESTS,
    ),
    _twin(
        "private: what is concluded is hidden with it", PRIVATE_ITEMS,
        "on conclusion_entry as restrictive for select to {p}_reader using (not private or ", "on conclusion_entry as restrictive for select to {p}_reader using (true or ",
        PRIVATE_TESTS,
    ),
    _twin(
        "private: words signed before are masked", "migrations/versions/2026_11_30_2152_open_words.py",
        "then said\n    else tj.main_words(exam, said) end", "then said\n    else said end", PRIVATE_TESTS,
    ),
    _twin(
        "private: consent withdrawn is told of by no report", "src/tjapi/report/views.py", "\n  and l.consent_withdrawn_at is null\norder", "\norder",
        PRIVATE_TESTS,
    ),
    _twin(
        "private: what is not handed over is stopped", "src/tjapi/report/service.py", '        await fail(uow, report.id, "consent_withdrawn")', "        pass",
        PRIVATE_TESTS,
    ),
    _twin(
        "report: nothing needs anything only where a description is read to its end", "src/tjapi/report/layout.py",
        'return not said.unread and all(one.assertion == "absent" for one in said.mentions)', "return True",
        "tests/tjapi/report/test_layout.py::test_nobody_is_told_that_nothing_needs_anything_beside_what_may",
    ),
    _twin(
        "private: no line without consent", "src/tjapi/exam/service/course.py", " and not (line.private and line.consented_at is None)", "", PRIVATE_TESTS,
    ),
    _twin(
        "private: the main report does not tell", "src/tjapi/report/views.py", "l.state in ('resulted', 'verified') and l.private = :private\n  and",
        "l.state in ('resulted', 'verified') and (l.private = :private or true)\n  and", PRIVATE_TESTS,
    ),
    _twin(
        "private: the overview does not tell", "src/tjapi/conclusion/service/following.py",
        "if not (e.private or self.private.intersection(e.result_ids))", "", PRIVATE_TESTS,
    ),
    _twin(
        "private: an alert says that it is, not what", "src/tjapi/critical_value/service.py", "return value.private and not reader", "return value.private and reader is None and not reader",
        PRIVATE_TESTS,
    ),
    _twin(
        "private: a message as it came is read by whom it allows", "src/tjapi/catalog/service/content.py", "frozenset() if uow.principal.sees_private(None) else await", "frozenset() if uow.principal else await",
        PRIVATE_TESTS,
    ),
    _twin(
        "ranges: what held before ends the day before", "src/tjapi/catalog/service/ranging.py", "stored.valid_to = on - _ONE_DAY", "before[1].valid_to = on",
        "tests/tjapi/knowledge/test_ranges_dated.py::test_a_range_that_is_signed_holds_from_its_day_on_and_what_was_judged_keeps_its_own",
    ),
    _twin(
        "ranges: two for one person are refused", "src/tjapi/catalog/service/ranging.py", "for pair in meeting(held):", "for pair in meeting(held[:0]):",
        "tests/tjapi/knowledge/test_ranges_dated.py::test_ranges_that_cannot_hold_are_refused_by_name[two-for-one]",
    ),
    _twin(
        "ranges: a release changes none unsigned", "src/tjapi/knowledge/service/shipping.py", "        version = await add(uow, said, _SHIPPED, digest)",
        "        await catalog.put_ranges(uow, moved.all, business_day(uow.now))\n        version = await add(uow, said, _SHIPPED, digest)",
        "tests/tjapi/knowledge/test_ranges_dated.py::test_a_newer_shipped_range_is_a_draft_and_the_hospitals_own_stays_in_a_second_one",
    ),
    _twin(
        "content: an own row keeps what it leads to", "src/tjapi/knowledge/service/shipping.py", "    rows |= stayed\n", "",
        "tests/tjapi/knowledge/test_ranges_dated.py::test_what_an_own_row_leads_to_stays_with_it_in_the_draft",
    ),
    _twin(
        "content: three persons sign in the database", "migrations/versions/2026_11_30_1810_knowledge_cited.py", "or new.signed_by = new.approved_by", "",
        "tests/tjapi/knowledge/test_signed.py::test_the_database_too_lets_three_persons_sign[head signs]",
    ),
    _twin(
        "content: a withdrawn standard is a fault", "src/tjapi/catalog/citing.py", "self.withdrawn_on <= on.isoformat()", "self.withdrawn_on < on.isoformat()",
        "tests/tjapi/catalog/test_citing.py::test_a_row_in_force_whose_standard_is_withdrawn_is_a_fault_from_that_day_on",
    ),
    _twin(
        "readings: a figure that changed is read no more", "src/tjapi/catalog/readings.py", " if said == figures), None)", "), None)",
        "tests/tjapi/test_readings.py::test_another_figure_is_not_what_was_read",
    ),
    _twin(
        "ranges: the method of a value chooses", "src/tjapi/catalog/service/content.py", "return choose(self._ranges.get(item_id, ()), replace(subject, method=method))",
        "return choose(self._ranges.get(item_id, ()), subject)", "tests/tjapi/result/test_which_range.py::test_a_value_is_judged_by_the_range_of_the_method_that_its_message_says[P5P-]",
    ),
    _twin(
        "ranges: an item's own word goes before its campus's", "src/tjapi/result/service/book.py", "if item.laboratory_first is None else item.laboratory_first", "",
        "tests/tjapi/result/test_which_range.py::test_which_goes_first_is_the_campuss_policy_unless_the_item_says_otherwise[this-item-ours]",
    ),
    _twin(
        "content: what was unfound is found once it is signed", "src/tjapi/result/jobs.py", "on=(KnowledgeSigned,)", "on=()",
        "tests/tjapi/knowledge/test_signed.py::test_what_was_left_unfound_is_found_once_it_is_signed_and_what_is_finished_stays",
    ),
    _twin(
        "knowledge: what nobody signed finds nothing", "src/tjapi/knowledge/service/asking.py",
        'if purpose == "finding" and not self.signed:', 'if purpose == "finding" and self.signed is None:',
        "tests/tjapi/knowledge/test_signed.py::test_unsigned_content_alarms_marked_and_finds_nothing_until_it_is_signed_where_it_stands",
    ),
    _twin(
        "knowledge: three persons sign", "src/tjapi/knowledge/service/signing.py",
        "if uow.principal.id in (version.created_by, version.approved_by):", "if uow.principal.id == version.approved_by:",
        "tests/tjapi/knowledge/test_versions.py::test_a_version_is_written_compared_activated_by_another_and_used_from_then_on",
    ),
    _twin(
        "knowledge: a version waits for its day", "src/tjapi/knowledge/service/signing.py",
        "if version.effective_on is None or version.effective_on <= today:", "if True:",
        "tests/tjapi/knowledge/test_signed.py::test_a_version_signed_for_a_later_day_waits_for_it",
    ),
    _twin(
        "knowledge: the hospital's own rows stay", "src/tjapi/knowledge/merging.py", "kept = now if own == before else own", "kept = now",
        "tests/tjapi/knowledge/test_signed.py::test_the_hospitals_own_rows_stay_when_a_newer_content_ships",
    ),
    _twin(
        "content: what fires on the healthy is a fault", "src/tjapi/content/checking.py",
        "for sex, years, pregnant in _PEOPLE:", "for sex, years, pregnant in _PEOPLE[:0]:",
        "tests/tjapi/test_content.py::test_each_kind_of_fault_is_seen[an-alarm-of-the-healthy]",
    ),
    _twin(
        "told: a department names the critical choice that no finding tells", "src/tjapi/result/service/summarizing.py",
        "words = tuple(one for one in clause.found if one in left)", "words = ()",
        f"{TOLD}::test_a_critical_choice_that_no_line_tells_is_named_first",
    ),
    _twin(
        "told: a department names what is critical in a description", "src/tjapi/result/service/summarizing.py",
        "words = tuple(one for one in clause.found if not any(folded(one) in folded(text) for text in texts))", "words = ()",
        f"{TOLD}::test_what_is_critical_of_a_description_stands_before_the_findings_that_tell_of_something_else",
    ),
    _twin(
        "told: only the choice that is critical is called so", "src/tjapi/conclusion/rules.py",
        "return set(clause.found or known.chosen) <= words", "return True",
        f"{TOLD}::test_only_the_choice_that_is_critical_itself_is_called_so",
    ),
    _twin(
        "told: each choice that no entry names stands under the others", "src/tjapi/report/layout.py",
        "        elif left:", "        elif left and not told:",
        f"{TOLD}::test_each_abnormal_choice_that_no_entry_names_stands_under_the_others",
    ),
    _twin(
        "told: what was not examined is not normal", "src/tjapi/result/rules/flags.py", "if said and not idle and all(", "if said and all(",
        f"{TOLD}::test_no_choice_that_says_that_nothing_was_examined_is_normal_in_the_catalog_or_by_any_range",
    ),
    _twin(
        "lis: a name that is another item's disagrees with its code", "src/tjapi/result/service/naming.py",
        'codes[f"name:{other.code}"] = other', "codes.update()",
        "tests/tjapi/result/test_disputes.py::test_a_code_beside_the_name_of_another_item_is_filed_under_neither",
    ),
    _twin(
        "substitute: a tube that nobody scanned may be the other one's", "src/tjapi/exam/service/correcting.py",
        "if line.state in TAKEN or unseen:", "if line.state in TAKEN:",
        "tests/tjapi/frontdesk/test_identity_checks.py::test_a_tube_that_nobody_scanned_is_in_doubt_when_its_values_come_after_the_right_person",
    ),
    _twin(
        "notes: another number that a repeat gave is asked about", "src/tjapi/result/rules/retractions.py",
        "    for form, surely in ((_PUT, True), (_MAY_PUT, False)):", "    for form, surely in ((_PUT, True),):",
        "tests/tjapi/result/test_retractions.py::test_a_note_that_puts_something_else_in_the_place_of_a_value_is_understood[words38-repeat 1.40]",
    ),
    _twin(
        "notes: a sentence in a field for codes is one", "adapters/lis/hl7_mllp.py",
        "remarks = _sentences(obx, _BESIDE_OBX)", "remarks: list[str] = []",
        "tests/tjapi/result/test_orders.py::test_words_that_take_a_value_back_are_heard_wherever_they_stand[the access checks]",
    ),
    _twin(
        "notes: what is written where the range belongs is one", "src/tjapi/result/service/filing.py",
        "if voids(o.range_text) else o.remarks", "if False else o.remarks",
        "tests/tjapi/result/test_orders.py::test_words_that_take_a_value_back_are_heard_wherever_they_stand[the range]",
    ),
    _twin(
        "told: a doctor's calm line is no finding, a doubtful one is", "src/tjapi/knowledge/calm.py",
        "return bool(clauses) and all(\n        len(said) <= _MOST_SAID", "return bool(clauses) and any(\n        len(said) <= _MOST_SAID",
        f"{TOLD}::test_only_what_is_calm_in_every_clause_is_no_finding",
    ),
    _twin(
        "suiting: lines are judged anew when the facts change", "src/tjapi/exam/service/correcting.py",
        "        await judge(uow, exam)\n        await uow.publish(", "        await uow.publish(",
        f"{SUITING}::test_a_film_of_a_woman_who_says_that_she_is_pregnant_is_taken_of_nobody_until_a_person_decides",
    ),
    _twin(
        "suiting: nobody enters what does not suit", "src/tjapi/exam/service/suiting.py",
        "if line.id in doubted]\n    if wrong:", "if line.id in doubted]\n    if not wrong:",
        f"{SUITING}::test_a_film_of_a_woman_who_says_that_she_is_pregnant_is_taken_of_nobody_until_a_person_decides",
    ),
    _twin(
        "suiting: what does not suit does not come back", "src/tjapi/exam/service/changing.py",
        "for kind in wrong.get(line.id, ())", "for kind in wrong.get(exam.id, ())",
        f"{SUITING}::test_what_was_deferred_and_does_not_suit_any_more_does_not_come_back_unless_somebody_says_that_it_stands",
    ),
    _twin(
        "suiting: a payment does not release it", "src/tjapi/exam/service/course.py",
        'if line.state == "ordered" and line.id not in doubted and', 'if line.state == "ordered" and',
        f"{SUITING}::test_a_payment_releases_nothing_that_does_not_suit_and_what_stands_is_released_then",
    ),
    _twin(
        "suiting: nobody is sent there", "src/tjapi/guidance/service/queueing.py",
        'line.state != "ordered" and line.id not in doubted:', 'line.state != "ordered":',
        "tests/tjapi/guidance/test_guidance.py::test_who_is_pregnant_since_is_not_sent_to_the_film_and_is_told_why",
    ),
    _twin(
        "guidance: a queue follows the lines", "src/tjapi/guidance/reactions.py",
        "(LinesSetAside, give_errand_up),", "",
        "tests/tjapi/guidance/test_guidance.py::test_whose_lines_are_set_aside_waits_for_nothing_and_is_not_called",
    ),
    _twin(
        "masks: a third at most", f"{KERNEL}/security/fields.py", "min(len(number) // 3, 8)", "min(len(number), 10)",
        "tests/tjapi/kernel/test_fields_and_storage.py::test_masks_show_what_the_rule_says",
    ),
    _twin(
        "campaigns: completed is locked", "src/tjapi/exam/service/changing.py",
        'if campaign.state == "completed":', 'if campaign.state == "draft":',
        "tests/tjapi/groupdesk/test_locked.py::test_what_the_employer_owes_of_a_completed_campaign_does_not_change_until_it_is_opened_again",
    ),
    _twin(
        "desk: an exam does not come beside today's unasked", "src/tjapi/frontdesk/service/desk.py",
        "if exam.exam_date != business_day(uow.now):", "if not exam.exam_date:",
        "tests/tjapi/frontdesk/test_front_desk.py::test_an_exam_of_another_day_does_not_come_beside_todays_unasked",
    ),
    _twin(
        "people: a passport is one of its country", "migrations/versions/2026_11_29_1650_examinee_passport_country.py",
        "and (id_country = p_country or id_country = '' or p_country = '')", "",
        "tests/tjapi/examinee/test_card_reading.py::test_two_countries_give_one_number_to_two_people_and_a_country_that_is_not_said_keeps_nobody_apart",
    ),
    _twin(
        "repricing: what was taken away stays away", "src/tjapi/exam/rules.py",
        "if group not in here and group not in people.gone)", "if group not in here)",
        f"{GROUP_TESTS}/test_repricing_decisions.py::test_nothing_changed_changes_nothing_of_what_was_decided",
    ),
    _twin(
        "repricing: what was added stays", "src/tjapi/exam/rules.py",
        "goes=tuple(group for group in here if group not in wanted and group not in people.added)",
        "goes=tuple(group for group in here if group not in wanted)",
        f"{GROUP_TESTS}/test_repricing_decisions.py::test_nothing_changed_changes_nothing_of_what_was_decided",
    ),
    _twin(
        "repricing: an offer decides nothing for the examinee", "src/tjapi/exam/service/changing.py",
        'await _set_aside(uow, exam, gone, "withdrawn", reason=reason, by_offer=True)',
        'await _set_aside(uow, exam, gone, "withdrawn", reason=reason)',
        f"{GROUP_TESTS}/test_repricing_decisions.py::test_what_only_the_offer_brought_goes_with_the_offer",
    ),
    _twin(
        "units: no package by sex for whom it is not known", "src/tjapi/pricing/rules.py",
        "return his if his == hers else None", "return his",
        f"{GROUP_TESTS}/test_repricing.py::test_whose_sex_is_not_known_is_given_no_package_that_is_by_sex",
    ),
    _twin(
        "units: the campaign's quota of a day", "src/tjapi/groupdesk/rules.py",
        "return there >= place.quota or is_day_full(taken, place.day, daily_quota)", "return there >= place.quota",
        f"{GROUP_TESTS}/test_booking_days.py::test_a_campaign_s_quota_of_a_day_counts_at_every_door",
    ),
    _twin(
        "units: a day without a session takes its sessions' places", "src/tjapi/groupdesk/rules.py",
        "return [Place(day, one, quota, anywhen=True) for one in offer.sessions] or [Place(day, None, quota, anywhen=True)]",
        "return [Place(day, None, quota, anywhen=True)]",
        f"{GROUP_TESTS}/test_booking_days.py::test_a_day_without_a_session_takes_no_more_than_the_sessions_have_places",
    ),
    _twin(
        "units: the age is that of the exam's day", "src/tjapi/employer/rules/campaigns.py",
        "return None if now.group_id == group_id else now", "return None",
        f"{GROUP_TESTS}/test_booking_days.py::test_who_is_too_old_for_the_group_on_the_booked_day_is_named_and_may_take_an_earlier_one",
    ),
    _twin(
        "calendar: a day with bookings is closed knowingly", "src/tjapi/appointment/service/calendar.py",
        'if "booked" not in new.despite:', "if False:",
        f"{GROUP_TESTS}/test_booking_days.py::test_a_day_with_bookings_is_closed_only_by_who_says_so_and_they_are_listed_to_be_moved",
    ),
    _twin(
        "lists: a value that Excel lost is no blank", "src/tjapi/employer/sheets/archive.py",
        """if b'"e"' in seen or b"'e'" in seen:""", "if False:",
        f"{LIST_TESTS}/test_list_files.py::test_a_value_that_excel_lost_is_no_blank_cell",
    ),
    _twin(
        "offers: choices can be made together", "src/tjapi/employer/rules/offers.py",
        "one not in taken\n", "True\n",
        f"{LIST_TESTS}/test_offers.py::test_what_can_never_be_is_named_by_its_field",
    ),
    _twin(
        "queries: an unknown name is refused", f"{KERNEL}/routing.py",
        "(strange := unknown_names(request.query_params, known))", "(strange := unknown_names([], known))",
        "tests/contract/test_queries.py::test_an_unknown_query_parameter_is_refused_by_every_operation",
    ),
    _twin(
        "overlap: what contains a line", "src/tjapi/pricing/rules.py",
        'if other in there or how == "shares":', 'if other in there and how == "contained":',
        "tests/tjapi/pricing/test_overlaps.py::test_what_contains_a_line_is_refused_and_takes_its_place_by_substituting",
    ),
    _twin(
        "overlap: items shared on every path", "src/tjapi/pricing/rules.py",
        'if other in there or how == "shares":', "if other in there:",
        "tests/tjapi/pricing/test_overlaps.py::test_no_path_of_ordering_takes_two_groups_that_share_an_item",
    ),
    _twin(
        "money: released is not paid", "src/tjapi/exam/rules.py",
        "    if line.state in UNCHARGED:\n        return 0", '    if line.state != "ordered":\n        return 0',
        "tests/tjapi/frontdesk/test_board.py::test_each_count_is_that_of_its_list_and_of_a_recount_after_every_step",
    ),
    _twin(
        "money: a refund of what was paid", "src/tjapi/exam/rules.py",
        "        return line.paid_fen\n", "        return line.person_share_fen\n",
        "tests/tjapi/frontdesk/test_board.py::test_a_refund_is_proposed_of_what_was_paid_and_never_of_more",
    ),
    _twin(
        "guidance: not back to the room just left", "src/tjapi/guidance/rules.py",
        "        {d: errand for d, errand in every.items() if d not in been},\n", "",
        "tests/tjapi/guidance/test_guidance_rules.py::test_nobody_is_sent_back_to_the_room_just_left_unless_nothing_else_is_left_to_do_and_then_it_is_said",
    ),
    _twin(
        "complete: on hold is a reason", "src/tjapi/exam/rules.py",
        'return "on_hold" if state == "on_hold" else "cancelled"', 'return "cancelled" if state == "cancelled" else None',
        "tests/tjapi/exam/test_complete.py::test_an_exam_on_hold_says_so_and_is_refused_by_that_name",
    ),
    _twin(
        "languages: a state is said by its label", f"{KERNEL}/problem.py",
        "    if kind.states in _LABELS:", '    if lang != "en" and kind.states in _LABELS:',
        "tests/contract/test_languages.py::test_a_refusal_says_what_each_state_is_called_in_its_language",
    ),
    _twin(
        "jobs: a timeout is counted as overrun, not taken for trouble of the database", f"{KERNEL}/jobs/runner.py",
        "if isinstance(error, TimeoutError) and limit.expired():", "if False:",
        f"{HARM}::test_a_job_that_overruns_twice_is_set_aside_and_whoever_waits_for_it_is_told",
    ),
    _twin(
        "jobs: five lost workers set a job aside", f"{KERNEL}/jobs/runner.py", "_MOST_LOST = 5", "_MOST_LOST = 25",
        f"{HARM}::test_a_killed_worker_is_no_attempt_and_five_of_them_set_a_job_aside",
    ),
    _twin(
        "jobs: what the database refuses is a verdict", f"{KERNEL}/db.py", "return state.startswith(_REFUSED)", "return False",
        f"{HARM}::test_what_the_database_refuses_is_not_tried_again",
    ),
    _twin(
        "jobs: those that workers died under run one at a time", f"{KERNEL}/jobs/runner.py", "_SUSPECT = 2", "_SUSPECT = 9",
        f"{HARM}::test_jobs_that_workers_died_under_run_one_at_a_time_so_that_the_harmless_ones_are_not_blamed",
    ),
    _twin(
        "jobs: one that is deaf to cancelling is over after the grace", f"{KERNEL}/jobs/pulse.py", "self.loop.call_later(grace, self._drop)", "pass",
        f"{HARM}::test_a_job_that_does_not_let_itself_be_cancelled_is_over_all_the_same",
    ),
    _twin(
        "worker: a loop that stands still ends the process", f"{KERNEL}/jobs/pulse.py", "        self._end_process()\n", "        return\n",
        f"{HARM}::test_a_worker_that_stands_still_is_seen_and_restarted_and_the_job_that_held_it_is_set_aside",
    ),
    _twin(
        "child: work has so much processor time", f"{KERNEL}/child/process.py", "_soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)", "pass",
        f"{KERNEL_TESTS}/test_child.py::test_work_that_is_too_much_is_a_verdict_and_the_next_work_is_done",
    ),
    _twin(
        "child: an answer holds named classes only", f"{KERNEL}/child/frames.py", "if (module, name) not in self._known:", "if False:",
        f"{KERNEL_TESTS}/test_child.py::test_work_that_is_too_much_is_a_verdict_and_the_next_work_is_done",
    ),
    _twin(
        "messages: a field is split once, however many repetitions", "adapters/wire/hl7v2.py",
        "if number not in self._repetitions:", "if number >= 0:",
        "tests/adapters/test_lis_limits.py::test_reading_takes_steps_in_proportion_to_the_size",
    ),
    _twin(
        "messages: what cannot be stored ends its message", "src/tjapi/result/flows.py", "if is_refused(error):", "if False:",
        "tests/tjapi/result/test_result_filing.py::test_what_the_database_refuses_ends_its_message_and_is_never_tried_again",
    ),
    _twin(
        "results: the last word holds", "src/tjapi/result/service/filing.py",
        "value.text, said.issued_at.timestamp(),",
        "value.text,",
        "tests/tjapi/result/test_questions.py::test_the_laboratorys_last_word_holds_though_it_said_the_same_before",
    ),
    _twin(
        "results: a withdrawal strikes what was said before it", "src/tjapi/result/rules/revisions.py",
        "else fact.issued_at <= wrong.issued_at",
        "else True",
        "tests/tjapi/result/test_questions.py::test_a_value_that_is_reinstated_after_it_was_withdrawn_stands",
    ),
    _twin(
        "results: what was said last is contested", "src/tjapi/result/rules/revisions.py",
        "or (not f.order and not chosen.order and f.issued_at > last)",
        "",
        "tests/tjapi/result/test_questions.py::test_what_is_said_last_is_current_or_contested_and_its_alarm_stands",
    ),
    _twin(
        "results: of contested values the gravest is shown", "src/tjapi/result/rules/revisions.py",
        "key=lambda f: (f.gravity, f.id == chosen.id, f.meaning))",
        "key=lambda f: (f.id == chosen.id, f.meaning))",
        "tests/tjapi/result/test_questions.py::test_what_is_said_last_is_current_or_contested_and_its_alarm_stands",
    ),
    _twin(
        "results: a withdrawal that takes nothing back is asked", "src/tjapi/result/service/book.py",
        "for one in self._idle(result, now)]\n            others",
        "for one in self._idle(result, now)][:0]\n            others",
        "tests/tjapi/result/test_questions.py::test_a_withdrawal_without_a_moment_strikes_the_value_it_repeats_and_one_that_strikes_nothing_is_asked",
    ),
    _twin(
        "results: a remark that comes later counts", "src/tjapi/result/service/book.py",
        "repeated = not says_more and",
        "repeated =",
        "tests/tjapi/result/test_questions.py::test_a_flag_or_a_remark_that_comes_with_the_same_value_later_counts",
    ),
    _twin(
        "results: a status that files nothing is asked", "src/tjapi/result/service/filing.py",
        "if _ask_unplaced(uow, book, lines, result, group, told):",
        "if group.item is None:",
        "tests/tjapi/result/test_questions.py::test_a_status_that_files_nothing_keeps_what_stands_from_being_verified_and_its_alarm_is_heard",
    ),
    _twin(
        "critical values: what a line takes later alarms once", "src/tjapi/critical_value/service.py",
        "    if not ending or (event.critical and not own):\n",
        "    if ending:\n",
        f"{PLACED}::test_a_value_that_a_line_takes_later_has_one_alert_and_the_unplaced_one_says_why_it_ended",
    ),
    _twin(
        "critical values: who was told before a line took it is not told again", "src/tjapi/critical_value/service.py",
        "    if not told:\n        if before.state",
        "    if told:\n        if before.state",
        f"{PLACED}::test_who_was_told_of_it_before_a_line_took_it_is_not_told_again",
    ),
    _twin(
        "messages: what cannot be judged may be critical", "src/tjapi/result/flows.py",
        "        return {inbox.ALARMING: [NOT_EXCLUDED], ",
        "        return {",
        "tests/tjapi/result/test_result_filing.py::test_what_cannot_be_judged_when_it_is_set_aside_may_be_critical_and_says_so",
    ),
    _twin(
        "results: what was asked under an older key is not asked again", "src/tjapi/result/service/book.py",
        "            if older in asked_before:\n",
        "            if older is None:\n",
        "tests/tjapi/result/test_questions.py::test_a_refusal_that_was_asked_about_under_an_older_key_is_not_asked_again",
    ),
    _twin(
        "derived: words about a value follow what was said of its alert", "src/tjapi/conclusion/service/alarming.py",
        "if known.revision_id in none and",
        "if known.revision_id in () and",
        f"{DERIVED}::test_what_a_draft_says_of_a_value_follows_the_alert_that_a_person_dismissed",
    ),
    _twin(
        "results: what no line took is judged by our range", "src/tjapi/result/service/filing.py",
        "by_lab or (not only_words and judge is not None and _is_critical(judge, one.result, one.group))",
        "by_lab",
        "tests/tjapi/result/test_questions.py::test_what_is_critical_by_our_range_alarms_though_no_line_takes_it",
    ),
    _twin(
        "results: what is critical of nobody known is judged by our range", "src/tjapi/result/service/filing.py",
        "if any(_is_critical(judge, result, group) for judge in judges):",
        "if not judges:",
        "tests/tjapi/result/test_questions.py::test_what_is_critical_by_our_range_of_nobody_known_makes_its_message_alarming",
    ),
    _twin(
        "results: a withdrawal of a critical value is no alarm", "src/tjapi/result/service/filing.py",
        'if LIS_STATUS.get(group.first.status or result.status) == "entered_in_error":\n        return False\n    return any(judge',
        "return any(judge",
        "tests/tjapi/result/test_questions.py::test_a_withdrawal_of_what_was_critical_raises_nothing_where_no_line_takes_it",
    ),
    _twin(
        "results: a flag of several words is one", "src/tjapi/result/rules/flags.py",
        '("".join(said.split()) for said in flags)',
        "flags",
        "tests/tjapi/result/test_questions.py::test_a_flag_of_several_words_is_stored_as_it_was_understood",
    ),
    _twin(
        "results: a refusal beside values is asked", "src/tjapi/result/service/filing.py",
        "        if result.refused is not None:\n            _ask_disowned",
        "        if result.refused is not None and not result.observations:\n            _ask_disowned",
        "tests/tjapi/result/test_questions.py::test_a_specimen_that_is_refused_together_with_its_values_is_asked_about",
    ),
    _twin(
        "results: a number of theirs does not outweigh ours", "src/tjapi/result/service/filing.py",
        "if not ours or r.exam_id in ours",
        "if True",
        "tests/tjapi/result/test_result_filing.py::test_a_number_of_theirs_that_is_used_again_does_not_outweigh_ours",
    ),
    _twin(
        "messages: what nobody could file and is called critical is told", "src/tjapi/result/flows.py",
        "return {inbox.ALARMING: codes} if codes else {}",
        "return {}",
        "tests/tjapi/result/test_result_filing.py::test_a_message_that_is_not_filed_and_calls_something_critical_is_alarming",
    ),
    _twin(
        "messages: what is refused at the door and is called critical is told", "src/tjapi/kernel/inbox.py",
        "return {**_REFUSED, ALARMING: list(alarming)} if alarming else dict(_REFUSED)",
        "return dict(_REFUSED)",
        "tests/tjapi/result/test_result_filing.py::test_a_message_that_is_refused_at_the_door_and_calls_something_critical_is_alarming",
    ),
    _twin(
        "messages: a test calls nobody", "src/tjapi/result/rules/releases.py",
        "    return reason not in _NEVER\n",
        "    return bool(reason)\n",
        "tests/tjapi/result/test_result_filing.py::test_a_message_that_is_refused_at_the_door_and_calls_something_critical_is_alarming",
    ),
    _twin(
        "messages: nobody releases what cannot be read", "src/tjapi/result/flows.py",
        "        raise MessageUnreadable from verdict\n",
        "        _ = verdict\n",
        "tests/tjapi/result/test_result_filing.py::test_nobody_is_asked_to_release_what_nobody_could_read_afterwards",
    ),
    _twin(
        "results: an alarm needs no line", "src/tjapi/result/service/filing.py",
        "            book.alarm_unplaced(",
        "            (lambda _: None)(",
        "tests/tjapi/result/test_questions.py::test_what_the_laboratory_calls_critical_alarms_though_it_belongs_to_no_line",
    ),
    _twin(
        "results: a flag nobody understands is asked", "src/tjapi/result/service/book.py",
        "or lab_unknown(marks)",
        "",
        "tests/tjapi/result/test_questions.py::test_a_flag_that_nobody_understands_or_that_contradicts_its_value_is_asked_about",
    ),
    _twin(
        "results: that a value is doubted is kept with it", "src/tjapi/result/service/book.py",
        "doubted=entry.doubt, coded=entry.coded,",
        "coded=entry.coded,",
        "tests/tjapi/result/test_questions.py::test_a_doubtful_value_is_asked_about_again_when_it_is_current_again",
    ),
    _twin(
        "results: a withdrawal that came too soon is asked no longer", "src/tjapi/result/service/book.py",
        "                return _place(question) not in wanted\n            return now",
        "                return False\n            return now",
        "tests/tjapi/result/test_questions.py::test_a_withdrawal_that_comes_before_what_it_takes_back_is_asked_until_that_came",
    ),
    _twin(
        "cost: a range of digits is read once", "src/tjapi/result/rules/reading.py",
        'r"(?<!\\d)\\d++\\.\\d++"', 'r"\\d+\\.\\d+"',
        "tests/tjapi/result/test_cost.py::test_a_value_is_read_in_time_in_proportion_to_its_length[digits-without_dust]",
    ),
    _twin(
        "words: a form that sends back a stale summary confirms nothing", "src/tjapi/result/service/entry.py",
        "given.summary is None or not (given.summary_confirmed or rewritten(sheet.summary, given.summary))", "given.summary is None",
        f"{DERIVED}::test_words_without_figures_are_confirmed_by_name_only",
    ),
    _twin(
        "words: an old figure is not signed by a department", "src/tjapi/result/service/entry.py",
        "if old := untrue_words(lines, written, truth):", "if old := untrue_words([], '', truth):",
        f"{DERIVED}::test_a_form_that_sends_back_the_summary_that_it_showed_confirms_nothing",
    ),
    _twin(
        "words: a stale line does not come in again", "src/tjapi/result/service/summarizing.py",
        "if line is None and one.text in waiting:", "if False:",
        f"{DERIVED}::test_a_stale_line_does_not_come_in_again_as_a_new_one",
    ),
    _twin(
        "words: no part of a conclusion says an old figure", "src/tjapi/conclusion/service/wording.py",
        'for field in ("advice", "lifestyle")', 'for field in ("advice",)',
        f"{DERIVED}::test_no_words_of_a_conclusion_hold_a_figure_that_a_result_said_and_none_says_now[lifestyle]",
    ),
    _twin(
        "words: no line calls a flag normal", "src/tjapi/result/service/summarizing.py",
        "    if not against or not says_all_normal", "    if against or not says_all_normal",
        f"{DERIVED}::test_no_line_that_calls_a_flag_normal_is_written_or_signed_and_none_is_a_finding[all]",
    ),
    _twin(
        "words: a figure is told of the item beside it", "src/tjapi/knowledge/figures.py",
        "        if owners:\n            stands = any(", "        if owners and figure not in every:\n            stands = any(",
        f"{DERIVED}::test_a_department_confirms_no_old_figure_that_another_item_says_now",
    ),
    _twin(
        "words: a bound is written as one", "src/tjapi/knowledge/figures.py",
        "for name in owners) and _is_bound(text, start, end)\n            )", "for name in owners)\n            )",
        "tests/tjapi/knowledge/test_words.py::test_a_figure_is_told_of_the_item_whose_name_stands_last_before_it",
    ),
    _twin(
        "words: a new figure is another item's where that says it", "src/tjapi/knowledge/figures.py",
        "new.item_name in owners or not any(new.numeric in says[name] for name in owners)", "True",
        "tests/tjapi/knowledge/test_words.py::test_a_figure_is_told_of_the_item_whose_name_stands_last_before_it",
    ),
    _twin(
        "words: the longest name counts", "src/tjapi/knowledge/names.py",
        "for spelling in sorted(own, key=len, reverse=True):", "for spelling in sorted(own, key=len):",
        "tests/tjapi/knowledge/test_words.py::test_a_figure_is_told_of_the_item_whose_name_stands_last_before_it",
    ),
    _twin(
        "content: advice knows the person", "src/tjapi/knowledge/service/asking.py",
        '            if evaluate(variant["when"], case).holds:', '            if evaluate(variant["when"], case).holds is None:',
        "tests/tjapi/knowledge/test_shipped_rules.py::test_advice_knows_the_person",
    ),
    _twin(
        "content: a critical bound is where a rule begins", "src/tjapi/knowledge/criticality.py",
        "                if not on - inside:", "                if not on:",
        "tests/tjapi/knowledge/test_sweep.py::test_a_critical_bound_that_no_rule_has_is_named",
    ),
    _twin(
        "content: a finding of a class alarms", "src/tjapi/knowledge/criticality.py",
        "        if any(enough.isdisjoint(", "        if all(not enough.isdisjoint(",
        "tests/tjapi/knowledge/test_sweep.py::test_every_class_of_a_finding_has_an_alert_of_that_class",
    ),
    _twin(
        "conclusion: advice that knows the person follows what it knows", "src/tjapi/conclusion/service/following.py",
        "for key, one in found.items() if one[0].variants}", "for key, one in found.items() if not one[0].variants}",
        "tests/tjapi/conclusion/test_advice.py::test_a_value_that_no_rule_of_the_finding_names_changes_its_advice",
    ),
    _twin(
        "critical: clocks are the policy of the version", "src/tjapi/knowledge/criticality.py",
        "self.a if important_class", "10 if important_class",
        "tests/tjapi/critical_value/test_clocks.py::test_an_alert_runs_by_the_clocks_of_the_version_in_force",
    ),
    _twin(
        "rules: pregnancy is asked of the person", "src/tjapi/knowledge/rules.py",
        ' and given.get("pregnant", case.pregnant) == case.pregnant', "",
        "tests/tjapi/knowledge/test_shipped_rules.py::test_what_is_found_and_what_alarms",
    ),
    _twin(
        "rules: of whom only the years are known, days are not guessed", "src/tjapi/knowledge/rules.py",
        "(case.age_years * 365, case.age_years * 366 + 365)", "(case.age_years * 365, case.age_years * 365)",
        "tests/tjapi/knowledge/test_condition.py::test_an_infant_is_asked_of_by_days",
    ),
    _twin(
        "descriptions: words alone are never of class A", "src/tjapi/knowledge/starter/critical_texts.toml",
        'important_class = "B"\ncondition = { concept = { item = "*"', 'important_class = "A"\ncondition = { concept = { item = "*"',
        "tests/tjapi/knowledge/test_descriptions.py::test_text_alone_is_never_of_class_a",
    ),
    _twin(
        "descriptions: what a cue denies is not there", "src/tjapi/knowledge/assertions.py",
        "token.denied = next_only or (is_open", "token.denied = next_only and (is_open",
        "tests/tjapi/knowledge/test_descriptions.py::test_what_is_usual_is_neither_listed_nor_found",
    ),
    _twin(
        "descriptions: an exclusion that is asked for excludes nothing", "src/tjapi/knowledge/assertions.py",
        "token.word.endswith(_EXCLUDES) and (advised or", "token.word.endswith(_EXCLUDES) and (False or",
        "tests/tjapi/knowledge/test_descriptions.py::test_cues_say_whether_it_is_there[8]",
    ),
    _twin(
        "descriptions: what nobody understood is listed", "src/tjapi/knowledge/descriptions.py",
        "return not any(self._is_strange(", "return True or not any(self._is_strange(",
        "tests/tjapi/knowledge/test_descriptions.py::test_what_nobody_understands_is_listed[8]",
    ),
    _twin(
        "descriptions: calm advice gives way to what cannot wait", "src/tjapi/knowledge/service/asking.py",
        "told.important_class is None and gives_way(verdict, case)", "told.important_class is None and not verdict.holds",
        "tests/tjapi/knowledge/test_organs.py::test_calm_advice_gives_way_on_the_organ_of_something_that_cannot_wait[0]",
    ),
    _twin(
        "descriptions: an organ of the other sex is nobody's finding", "src/tjapi/knowledge/rules.py",
        'one.concept in given["in"] and not others', 'one.concept in given["in"]',
        "tests/tjapi/knowledge/test_organs.py::test_an_organ_of_the_other_sex_is_asked_of_a_person_and_not_concluded[prostate]",
    ),
    _twin(
        "descriptions: a figure beyond its bound asks for a person", "src/tjapi/knowledge/sizes.py",
        "grave = one.is_grave(number)", "grave = False",
        "tests/tjapi/knowledge/test_organs.py::test_a_figure_says_what_it_is_beside_its_word[1]",
    ),
    _twin(
        "descriptions: bare words are no condition any more", "src/tjapi/knowledge/rules.py",
        'elif name == "text":', 'elif name == "texts":',
        "tests/tjapi/knowledge/test_condition.py::test_the_words_of_a_rule_may_be_written_in_either_writing_and_in_either_case",
    ),
    _twin(
        "words: a description is read in the simplified writing", "src/tjapi/knowledge/characters.py",
        "    written = simplified(text).lower()\n", "    written = text.lower()\n",
        "tests/tjapi/knowledge/test_condition.py::test_a_word_is_found_in_a_description_however_it_is_written",
    ),
    _twin(
        "words: a description is read over its line ends", "src/tjapi/knowledge/characters.py",
        ', _BLANKS.sub("", written)]', "]",
        "tests/tjapi/knowledge/test_condition.py::test_a_word_is_found_in_a_description_however_it_is_written",
    ),
    _twin(
        "words: a description is read line by line", "src/tjapi/knowledge/characters.py",
        'forms = [written, _BLANKS_IN_LINES.sub("", written), _BLANKS', "forms = [_BLANKS",
        "tests/tjapi/knowledge/test_condition.py::test_a_word_is_found_in_a_description_however_it_is_written",
    ),
    _twin(
        "words: a flagged item has its code and its plain name as well", "src/tjapi/knowledge/names.py",
        "for spelling in _spellings(name, code) | _common_names(name)}", "for spelling in _own_names(name) | _common_names(name)}",
        "tests/tjapi/knowledge/test_words.py::test_a_flagged_item_is_called_normal_by_any_of_its_names_and_in_other_words",
    ),
    _twin(
        "words: that a flag is not too high calls it normal", "src/tjapi/knowledge/calm.py",
        "(_RIGHT_AGAIN, _NOT_BEYOND, _STEADY)", "(_RIGHT_AGAIN, _STEADY)",
        "tests/tjapi/knowledge/test_words.py::test_a_flagged_item_is_called_normal_by_any_of_its_names_and_in_other_words",
    ),
    _twin(
        "words: a figure beside an item's name is its value", "src/tjapi/knowledge/figures.py",
        "        if not bound and not counts and", "        if bound and counts and",
        "tests/tjapi/knowledge/test_words.py::test_a_figure_beside_an_items_name_is_its_value",
    ),
    _twin(
        "words: nobody signs a figure that no result ever said", "src/tjapi/result/service/claims.py",
        "            or unsaid_figures(text, Earlier(self.earlier, self.past), self.current, free)\n", "",
        f"{DERIVED}::test_nobody_writes_or_signs_a_figure_beside_an_items_name_that_no_result_ever_said",
    ),
    _twin(
        "words: a figure is read in any digits", "src/tjapi/knowledge/figures.py",
        "    text = _plain(without_list_numbers(text))\n    told", "    text = without_list_numbers(text)\n    told",
        "tests/tjapi/knowledge/test_words.py::test_an_old_figure_is_read_in_whatever_digits_and_with_whatever_point_it_is_written",
    ),
    _twin(
        "specimens: a tube of which everything was taken back can be refused", "src/tjapi/requisition/service/specimens.py",
        'if tube.state == "planned" and await _reported_and_taken_back(', 'if tube.state == "rejected" and await _reported_and_taken_back(',
        "tests/tjapi/requisition/test_specimens.py::test_a_tube_that_nobody_scanned_is_refused_once_the_laboratory_took_back_all_that_it_reported_of_it",
    ),
    _twin(
        "exam: a reason offers no withdrawal that is impossible", "src/tjapi/exam/service/standing.py",
        'if code == UNSUITABLE and "withdrawn" not in', 'if not code and "withdrawn" not in',
        "tests/tjapi/exam/test_suiting.py::test_the_reason_says_what_is_possible_of_a_line_that_has_results_and_whose_it_is",
    ),
    _twin(
        "words: that nothing was found is no finding", "src/tjapi/conclusion/service/following.py",
        "if not (says_all_normal(line.text, department=True, flagged=names) or says_only_normal(line.text))", "if names is not None",
        f"{DERIVED}::test_no_line_that_calls_a_flag_normal_is_written_or_signed_and_none_is_a_finding[all]",
    ),
    _twin(
        "words: a word that a person calls abnormal is not positive", "src/tjapi/knowledge/rules.py",
        "or known.flag is None or known.by_person:", "or known.flag is None:",
        "tests/tjapi/result/test_questions.py::test_who_calls_a_word_abnormal_has_not_said_that_it_is_positive[measured again]",
    ),
    _twin(
        "results: a laboratory's flag is no understanding", "src/tjapi/result/service/book.py",
        "if item.kind in WORDS and (ours is not None or not understood(item.kind, value, known)):",
        "if item.kind in WORDS and ours is not None:",
        "tests/tjapi/result/test_questions.py::test_a_laboratorys_flag_does_not_make_words_understood",
    ),
    _twin(
        "results: a correction is answered by a correction", "src/tjapi/result/service/book.py",
        'and (status != "corrected" or now.status == "corrected")',
        "",
        "tests/tjapi/result/test_questions.py::test_a_correction_that_nobody_could_read_is_answered_by_a_correction_or_a_person_only",
    ),
    _twin(
        "results: a transcription takes its place in time", "src/tjapi/result/service/answering.py",
        "issued_at=said_at,",
        "issued_at=uow.now,",
        "tests/tjapi/result/test_questions.py::test_what_a_person_read_gives_way_to_what_the_laboratory_said_after_it",
    ),
    _twin(
        "given up: what has no value at all was not examined", "src/tjapi/result/rules/revisions.py",
        "if all(s is None or s == GIVEN_UP for s in statuses):",
        "if all(s is None for s in statuses):",
        f"{GIVEN_UP}::test_a_line_that_has_no_value_at_all_is_not_settled_by_giving_up",
    ),
    _twin(
        "given up: a value takes its place for good", "src/tjapi/result/service/book.py",
        "given.gives_up = self.now_at(given.line_id, given.item_id) is None",
        "given.gives_up = True",
        f"{GIVEN_UP}::test_a_value_that_comes_after_all_takes_its_place_and_the_mark_does_not_return",
    ),
    _twin(
        "given up: another specimen is awaited anew", "src/tjapi/result/reactions.py",
        "    (TubeRejected, await_again),\n",
        "",
        f"{GIVEN_UP}::test_what_was_given_up_of_a_specimen_is_awaited_of_the_next",
    ),
    _twin(
        "given up: by the line's department", "src/tjapi/result/service/giving_up.py",
        "if held is not None and line.department_id not in held:",
        "if held is not None and not held:",
        f"{GIVEN_UP}::test_only_a_person_of_the_department_gives_up_and_only_what_has_no_value",
    ),
    _twin(
        "given up: whatever is preliminary goes with it", "src/tjapi/result/service/giving_up.py",
        "    book.strike_all(uow, place, reason)\n", "    if (one := book.now_at(place[0].id, place[1].id)) is not None:\n        book.strike(uow, place, one, reason)\n",
        f"{GIVEN_UP}::test_of_several_preliminary_values_none_comes_back_once_the_item_is_given_up",
    ),
    _twin(
        "amending: seen is not told", "src/tjapi/conclusion/service/amending.py",
        "    if alert is None:", '    if alert is None or alert.state != "detected":',
        "tests/tjapi/conclusion/test_review.py::test_no_word_closes_what_came_late_while_a_question_or_a_critical_value_is_open[told]",
    ),
    _twin(
        "given up: no value is no value", "src/tjapi/result/service/answering.py",
        '    elif given.answer == "no_value":\n        book.strike_all(uow, place, given.reason)\n', "",
        f"{GIVEN_UP}::test_a_correction_that_nobody_could_read_takes_the_value_with_it_unless_somebody_says_that_it_stands[no_value-None]",
    ),
    _twin(
        "given up: the report names it", "src/tjapi/report/layout.py",
        "for item in rows.given_up",
        "for item in ()",
        f"{GIVEN_UP}::test_an_unread_item_that_is_said_to_have_no_value_is_settled_as_well",
    ),
    _twin(
        "contested: none of them holds beside what a person enters", "src/tjapi/result/service/answering.py",
        "        book.strike_all(uow, place, given.reason)\n    book.add(",
        "    book.add(",
        f"{GIVEN_UP}::test_a_person_enters_what_neither_of_two_contradicting_values_said",
    ),
    _twin(
        "amending: no word closes what is open", "src/tjapi/conclusion/service/amending.py",
        "    if waiting is not None:\n",
        "    if waiting is not None and not exam_id:\n",
        "tests/tjapi/conclusion/test_review.py::test_no_word_closes_what_came_late_while_a_question_or_a_critical_value_is_open",
    ),
    _twin(
        "results: a refused specimen's results are asked", "src/tjapi/result/service/filing.py",
        '            _ask_disowned(uow, book, lines, result, told, f"标本被拒收:',
        '            str(f"标本被拒收:',
        "tests/tjapi/result/test_questions.py::test_a_specimen_that_is_refused_after_its_results_were_reported_is_asked_about",
    ),
    _twin(
        "results: what a person reads is measured", "src/tjapi/result/service/answering.py",
        "doubt=doubted(value, item, last.get(item.code), book.exam.age_years)",
        "doubt=False",
        "tests/tjapi/result/test_questions.py::test_what_a_person_reads_that_can_hardly_be_is_asked_back_as_a_laboratorys_is",
    ),
    _twin(
        "derived: a summary is what its lines make", "src/tjapi/result/service/entry.py",
        "    elif not sheet.by_hand:", "    elif not sheet.by_hand and not sheet.summary:",
        f"{DERIVED}::test_a_sheet_that_is_corrected_and_signed_anew_prints_what_is_found_now",
    ),
    _twin(
        "derived: a stale line is not signed", "src/tjapi/result/service/entry.py",
        "if line.stale and not line.removed", "if line.stale and line.removed",
        f"{DERIVED}::test_a_departments_edited_line_is_stale_with_its_value_and_is_changed_or_confirmed_before_the_signature",
    ),
    _twin(
        "derived: a written summary is asked for anew", "src/tjapi/result/service/entry.py",
        "    if sheet.stale and again:", "    if sheet.stale and given.summary == sheet.summary:",
        f"{DERIVED}::test_a_summary_somebody_wrote_is_asked_for_anew_once_the_values_are_others",
    ),
    _twin(
        "derived: a removal lasts as long as its values", "src/tjapi/result/service/summarizing.py",
        "            known.removed = known.edited = False", "            known.edited = False",
        f"{DERIVED}::test_what_was_taken_out_comes_back_once_it_rests_on_another_value",
    ),
    _twin(
        "derived: a draft follows", "src/tjapi/conclusion/reactions.py",
        "    (DerivedFollowed, follow),\n", "",
        f"{DERIVED}::test_a_sheet_that_is_corrected_and_signed_anew_prints_what_is_found_now",
    ),
    _twin(
        "derived: what a reviewer wrote is stale with its results", "src/tjapi/result/rules/derivation.py",
        "    return made_of == now.digest", "    return bool(now.digest)",
        f"{DERIVED}::test_a_laboratorys_correction_after_the_draft_is_in_the_draft_or_blocks_both_signatures",
    ),
    _twin(
        "derived: merged with all its links", "src/tjapi/conclusion/service/following.py",
        "        copy.result_ids = list(dict.fromkeys([*copy.found_ids, *own]))", "        copy.result_ids = copy.found_ids[:1]",
        f"{DERIVED}::test_a_merged_entry_keeps_its_findings_its_links_and_its_place_and_is_stale_with_any_of_them",
    ),
    _twin(
        "derived: flags follow the facts", "src/tjapi/result/service/judging.py",
        "    await repository.judge_anew(uow, changed)", "    await repository.judge_anew(uow, changed[:0])",
        f"{DERIVED}::test_everything_that_was_judged_by_sex_and_age_is_judged_anew_when_they_are_corrected",
    ),
    _twin(
        "derived: a report goes with the sign-off", "src/tjapi/report/reactions.py",
        "    (ExamReopened, opened_again),\n", "",
        f"{DERIVED}::test_a_finalized_exam_is_opened_again_and_its_report_goes_with_it_and_comes_anew",
    ),
    _twin(
        "derived: the database signs nothing stale", "migrations/versions/2026_11_29_1305_derived_rows.py",
        "and (new.overview_stale\n", "and (new.overview_stale is null\n",
        f"{DERIVED}::test_the_database_signs_nothing_stale_either",
    ),
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
        "await repoint(uow, event.survivor_id, event.merged_id, back)", "await repoint(uow, event.survivor_id, event.merged_id, None)",
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
        "wire: a frame ends with FS, however its line end is written", "adapters/wire/mllp.py",
        r'rb"\x1c(?:\r|\n|(?=[ \t\0]{0,8}(?:\x0b|\Z)))"', r'rb"\x1c\r"',
        f"{WIRE_TESTS}/test_wire_mllp.py::test_a_frame_ends_with_the_mark_however_its_line_end_is_written",
    ),
    _twin(
        "wire: a frame that the next begins in is kept", "adapters/wire/mllp.py",
        "self._unended.append(bytes(self._buffer[begun : restart.start()]))", "self.skipped += 1",
        "tests/device_gateway/test_gateway.py::test_a_frame_that_the_next_begins_in_the_middle_of_is_kept_for_a_person_and_not_answered",
    ),
    _twin(
        "wire: UTF-8 under a declared GB18030 is doubtful", "adapters/wire/hl7v2.py",
        "if declared == _GB and _reads_as_utf8(body):", "if declared == _GB and not body:",
        f"{WIRE_TESTS}/test_wire_hl7v2.py::test_utf8_under_a_declared_gb18030_is_doubtful_because_it_eats_separators",
    ),
    _twin(
        "wire: a batch's count is compared", "adapters/wire/hl7v2.py",
        "if said is None or int(said[1]) == found:", "if said is None or found >= 0:",
        f"{WIRE_TESTS}/test_wire_hl7v2.py::test_every_message_of_a_batch_is_taken_out_and_a_wrong_count_is_named",
    ),
    _twin(
        "wire: nothing unseen is read", "adapters/lis/hl7_mllp.py",
        """return sieved(text.replace("\\0", "").replace("\\v", "\\n")).strip()""", "return text.strip()",
        f"{WIRE_TESTS}/test_wire_fuzz.py::test_twenty_thousand_mutated_messages_are_read_clean_or_refused_by_name",
    ),
    _twin(
        "wire: a date costs no value", "adapters/lis/hl7_mllp.py",
        """self._leave(f"{place}-{number}: not a {what}")""", """raise UnparsableReport(f"{place}-{number}: not a {what}")""",
        f"{WIRE_TESTS}/test_lis_readings.py::test_a_date_that_only_compares_or_orders_costs_no_value",
    ),
    _twin(
        "gateway: what was answered AE is said so", "device_gateway/uplink.py",
        "if entry.reason:", "if not entry.reason:",
        "tests/device_gateway/test_gateway.py::test_undecodable_bytes_are_kept_answered_ae_and_handed_on_as_octets",
    ),
    Twin(
        "gateway: a body is bound to its row", "device_gateway/sealing.py",
        (("sealed[:_NONCE], sealed[_NONCE:], place.encode())", 'sealed[:_NONCE], sealed[_NONCE:], b"")'),
         ("encrypt(nonce, body, place.encode())", 'encrypt(nonce, body, b"")')),
        "tests/device_gateway/test_doors.py::test_a_body_opens_in_its_own_row_alone_and_with_its_own_key_alone",
    ),
    _twin(
        "gateway: no other key for a sealed journal", "device_gateway/sealing.py",
        "    if make and not file.exists():", "    if not file.exists():",
        "tests/device_gateway/test_doors.py::test_a_sealed_journal_without_its_key_does_not_start_and_makes_no_other",
    ),
    _twin(
        "gateway: what a journal of before holds is sealed", "device_gateway/journal.py",
        "        _seal_old(opened, self._seal)\n", "",
        "tests/device_gateway/test_doors.py::test_what_a_journal_of_before_holds_in_clear_is_sealed_when_it_is_opened",
    ),
    _twin(
        "gateway: a client shows a certificate", "device_gateway/channel.py",
        "    context.verify_mode = ssl.CERT_REQUIRED", "    context.verify_mode = ssl.CERT_OPTIONAL",
        "tests/device_gateway/test_doors.py::test_under_tls_a_client_is_heard_with_a_certificate_of_ours_and_with_nothing_else",
    ),
    _twin(
        "gateway: a channel's own peers", "device_gateway/channel.py",
        "            allowed=spec.peers,", "            allowed=settings.allowed_peers,",
        "tests/device_gateway/test_doors.py::test_a_peer_of_one_channel_is_not_heard_on_another",
    ),
    _twin(
        "gateway: a journal of before is closed to others", "device_gateway/journal.py",
        "    _own(path)\n", "",
        "tests/device_gateway/test_doors.py::test_a_journal_that_was_open_to_all_is_closed_when_it_is_opened",
    ),
    _twin(
        "conclusion: what is called critical is as it was signed", "src/tjapi/conclusion/service/following.py",
        "        and await _alarms_as_signed(uow, exam_id)\n", "",
        f"{DERIVED}::test_a_value_that_alarms_again_after_the_final_sign_off_is_signed_anew_though_it_reads_the_same",
    ),
    _twin(
        "private: an unknown code of a private order alarms privately", "src/tjapi/critical_value/service.py",
        "    value.private = private or item_code in", "    value.private = item_code in",
        "tests/tjapi/critical_value/test_placed.py::test_what_answers_a_private_order_under_an_unknown_code_is_as_private_as_the_order",
    ),
    _twin(
        "gateway: a number is its sender's", "device_gateway/journal.py",
        "AND sender IN (?, '') ORDER BY id", "AND sender IN (?, '', sender) ORDER BY id",
        "tests/device_gateway/test_gateway.py::test_two_senders_behind_one_channel_may_use_the_same_number",
    ),
    _twin(
        "inbox: what was answered AE waits for people", f"{KERNEL}/inbox.py",
        "    if held is not None:", "    if held is None and message_id == body:",
        f"{KERNEL_TESTS}/test_inbox.py::test_whatever_was_answered_ae_is_kept_and_filed_by_no_machine_and_no_single_person",
    ),
    _twin(
        "inbox: one person does not file what was refused", f"{KERNEL}/inbox.py",
        "or (refused and not released):", "or (refused and released is None):",
        f"{KERNEL_TESTS}/test_inbox.py::test_whatever_was_answered_ae_is_kept_and_filed_by_no_machine_and_no_single_person",
    ),
    _twin(
        "inbox: a number is its sender's", f"{KERNEL}/inbox.py",
        """InboxMessage.sender.in_({sender, ""}),""", """InboxMessage.sender.in_({sender, ""}) | (InboxMessage.source == source),""",
        f"{KERNEL_TESTS}/test_inbox.py::test_two_senders_behind_one_channel_may_use_the_same_number",
    ),
    _twin(
        "release: a doubtful charset must be said", "src/tjapi/result/rules/releases.py",
        """return "nothing" if charset else "charset\"""", """return "nothing\"""",
        "tests/tjapi/result/test_release_rules.py::test_what_a_release_still_needs",
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
        "from datetime import date, timedelta\n", "from datetime import date, timedelta\nimport sqlalchemy  # noqa: F401\n",
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
        "identity: a sex contradicts on its own", "src/tjapi/result/rules/identity.py",
        "if len(sexes) > 1:", "if len(sexes) > 1 and against:",
        "tests/tjapi/result/test_result_rules.py::test_whatever_is_said_of_the_person_must_agree",
    ),
    _twin(
        "identity: a birth date contradicts on its own", "src/tjapi/result/rules/identity.py",
        "if theirs.birth_date is not None and theirs.birth_date != ours.birth_date:",
        "if theirs.birth_date is not None and theirs.birth_date != ours.birth_date and not theirs.exam_no:",
        "tests/tjapi/result/test_result_rules.py::test_nothing_that_contradicts_is_ever_filed",
    ),
    _twin(
        "identity: a message that names nobody is looked at", "src/tjapi/result/rules/identity.py",
        "if not names and not theirs.exam_no and theirs.is_theirs is None:", "if not names and not theirs.exam_no and not ours.names:",
        "tests/tjapi/result/test_result_rules.py::test_whatever_is_said_of_the_person_must_agree",
    ),
    _twin(
        "identity: only a whole ID number outweighs a name", "src/tjapi/examinee/service/reading.py",
        "if any(not digests.isdisjoint(known) for digests in wanted.values()):", "if wanted:",
        "tests/tjapi/result/test_result_filing.py::test_a_whole_id_number_lets_a_name_be_another_one_and_nothing_else",
    ),
    _twin(
        "names: two that sound alike are two", "src/tjapi/examinee/rules/names.py",
        "    if all(han):\n        return False\n", "    if all(han):\n        return not readings(one).isdisjoint(readings(two))\n",
        "tests/tjapi/examinee/test_names.py::test_two_spellings_are_one_name_or_two",
    ),
    _twin(
        "names: private forms are read", "src/tjapi/examinee/rules/names.py",
        "raw.translate(_SPELLED_ANEW)", "raw",
        "tests/tjapi/examinee/test_names.py::test_two_spellings_are_one_name_or_two",
    ),
    _twin(
        "sieve: escapes too", f"{KERNEL}/routing.py",
        "or any(_is_forbidden(_meant(found)) for found in _ESCAPE.finditer(text))", "",
        f"{KERNEL_TESTS}/test_sieve.py::test_what_turns_or_controls_is_refused_naming_the_field",
    ),
    _twin(
        "sieve: what has no width is left out", "adapters/wire/unseen.py",
        'return text if text.isascii() else _TAGS.sub("", _ZERO_WIDTH.sub("", text))', "return text",
        f"{KERNEL_TESTS}/test_sieve.py::test_what_has_no_width_is_left_out_raw_and_escaped",
    ),
    _twin(
        "ranges: pregnancy first", "src/tjapi/catalog/rules.py", "return r.pregnant, r.method", "return False, r.method",
        "tests/tjapi/catalog/test_catalog_rules.py::test_who_is_pregnant_gets_the_range_of_pregnancy_where_there_is_one",
    ),
    _twin(
        "ranges: pregnancy for nobody else", "src/tjapi/catalog/rules.py", "(pregnant or not r.pregnant)", "True",
        "tests/tjapi/catalog/test_starter.py::test_a_pregnant_woman_is_judged_by_what_holds_in_pregnancy",
    ),
    _twin(
        "rules: what several numbers make together", "src/tjapi/knowledge/rules.py", "sum((n * factor for n, factor in parts)", "sum((n for n, factor in parts)",
        "tests/tjapi/knowledge/test_relations.py::test_several_numbers_are_compared_together",
    ),
    _twin(
        "content: values tried for the pregnant", "src/tjapi/content/trying.py", "pregnant=person.pregnant, method=person.method", "method=person.method",
        "tests/tjapi/test_content_values.py::test_the_range_of_this_very_person_is_chosen",
    ),
    _twin(
        "content: no finding waits longer than its alert", "src/tjapi/knowledge/starter/coded.toml", '头晕立即拨打 120。", recheck_days = 7 }', '头晕立即拨打 120。", recheck_days = 30 }',
        "tests/tjapi/knowledge/test_deadlines.py::test_no_finding_waits_longer_than_the_alert_of_its_value",
    ),
    _twin(
        "ranges: nobody left out", "src/tjapi/catalog/coverage.py", "if silent and since is None:", "if False and since is None:",
        "tests/tjapi/catalog/test_catalog_rules.py::test_each_fault_of_a_range_is_found_and_said_in_both_languages",
    ),
    _twin(
        "ranges: criticals kept in pregnancy", "src/tjapi/catalog/coverage.py", "!= (r.critical_low, r.critical_high)", "!= (usual.critical_low, usual.critical_high)",
        "tests/tjapi/catalog/test_catalog_rules.py::test_each_fault_of_a_range_is_found_and_said_in_both_languages",
    ),
    _twin(
        "loinc: the check digit", "src/tjapi/catalog/coverage.py", "return (10 - total % 10) % 10 == int(check)", "return True",
        "tests/tjapi/catalog/test_catalog_rules.py::test_a_loinc_code_is_told_by_its_check_digit_and_is_of_one_item",
    ),
    _twin(
        "ranges: criticals of ours before a laboratory's range", "src/tjapi/result/rules/flags.py",
        'bool(theirs)) and ours not in ("LL", "HH")', "bool(theirs))",
        "tests/tjapi/result/test_reading.py::test_where_the_laboratory_goes_first_its_range_decides_and_ours_what_is_critical",
    ),
    _twin(
        "catalog: no rays in pregnancy", "src/tjapi/catalog/starter/item_groups_wide.toml",
        'name = "乳腺钼靶", department = "RADIOLOGY", price_fen = 20000, not_when_pregnant = true,', 'name = "乳腺钼靶", department = "RADIOLOGY", price_fen = 20000,',
        "tests/tjapi/catalog/test_starter.py::test_what_harms_an_unborn_child_is_not_for_who_is_pregnant",
    ),
    _twin(
        "ages: by the calendar", "src/tjapi/catalog/rules.py",
        "return cls(months // 12, months, (day - birth).days)", "return cls(int((day - birth).days / 365.25), months, (day - birth).days)",
        "tests/tjapi/catalog/test_catalog_rules.py::test_an_age_is_reached_by_the_calendar",
    ),
    _twin(
        "registering: what is doubtful is asked back", "src/tjapi/exam/service/registering.py",
        "missing = [doubt for doubt in found if doubt not in despite]", "missing = [doubt for doubt in found if doubt in despite]",
        "tests/tjapi/appointment/test_booking.py::test_a_past_day_and_a_second_exam_of_the_day_are_asked_back_and_taken_when_they_are_meant",
    ),
    _twin(
        "registering: two at once are asked back", "src/tjapi/exam/repository.py",
        "    await fetch_rows(uow.session, _LOCK_DAYS, people, days)\n", "",
        "tests/tjapi/appointment/test_booking.py::test_of_two_registrations_of_one_person_and_day_at_once_one_is_asked_back",
    ),
    _twin(
        "fonts: the desk is told what cannot be printed", f"{KERNEL}/documents/coverage.py",
        "return [character for character in seen if not self.has(character)]", "return []",
        f"{KERNEL_TESTS}/test_documents.py::test_what_the_desk_is_told_of_the_fonts_is_what_the_fonts_have",
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
        "bool(here) and not any(line.state in FOR_THE_PERSON for line in here)", "bool(here)",
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
        'if report.state == "sealed" and not await conclusion.stands(', "if False and (",
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
        "if not forbids_calm(judgements) or not says_all_normal(said, department=department, flagged=flagged):", "if said:",
        f"{REPORT_TESTS}/test_layout.py::test_no_summary_says_normal_beside_a_flag",
    ),
    _twin(
        "report: a description nobody judged is not normal", "src/tjapi/knowledge/words.py",
        'return bool({"abnormal", "open", "described"} & set(judgements))', 'return bool({"abnormal", "open"} & set(judgements))',
        f"{REPORT_TESTS}/test_layout.py::test_a_description_that_nobody_judged_allows_no_calm_sentence_anywhere",
    ),
    _twin(
        "report: what a standing alert names is critical", "src/tjapi/report/rules.py",
        'if alert == "standing":', 'if alert == "never":',
        f"{REPORT_TESTS}/test_layout.py::test_the_list_of_critical_values_and_the_report_do_not_contradict_each_other",
    ),
    _twin(
        "report: an alert that was dismissed is not critical", "src/tjapi/report/rules.py",
        'if alert == "dismissed":', 'if alert == "never":',
        f"{REPORT_TESTS}/test_layout.py::test_the_list_of_critical_values_and_the_report_do_not_contradict_each_other",
    ),
    _twin(
        "report: alerts are read with the results", "src/tjapi/report/views.py",
        "and k.important_class = 'A' and k.corrected_at is null", "and k.important_class = 'B' and k.corrected_at is null",
        "tests/tjapi/conclusion/test_derived.py::test_a_merged_entry_is_critical_while_its_critical_source_stands_and_no_longer",
    ),
    _twin(
        "report: an entry is critical by what stands", "src/tjapi/report/views.py",
        "and k.code = any(n.rule_codes) and f.important_class", "and f.code = replace(n.key, 'finding:', '') and f.important_class",
        "tests/tjapi/conclusion/test_derived.py::test_a_merged_entry_is_critical_while_its_critical_source_stands_and_no_longer",
    ),
    _twin(
        "report: a critical result has its card", "src/tjapi/report/layout.py",
        "critical = [row for row in rows.results if _critical(items[row.result_id])]", "critical = [row for row in rows.results if not row]",
        f"{REPORT_TESTS}/test_layout.py::test_a_critical_result_without_a_conclusion_has_its_own_card_first_and_no_soft_advice",
    ),
    _twin(
        "report: one list of numbers", "src/tjapi/report/rules.py",
        "in sorted(blocks, key=lambda block: block[0])", "in blocks",
        f"{REPORT_TESTS}/test_layout.py::test_the_machines_list_follows_the_order_and_the_numbers_of_what_is_printed",
    ),
    _twin(
        "summary: a machine's words go with their signature", "src/tjapi/result/service/summarizing.py",
        'if become == "remake":\n        sheet.summary', 'if become == "never":\n        sheet.summary',
        "tests/tjapi/conclusion/test_derived.py::test_what_was_struck_leaves_no_summary_that_says_it_is_current",
    ),
    Twin(
        "conclusion: a critical value that no finding names is an entry", "src/tjapi/conclusion/service/following.py",
        (("        *entries_of(exam, raised, telling.values()),\n", ""), ("*new, *untold])", "*new])")),
        f"{DERIVED}::test_a_critical_value_of_which_no_finding_speaks_is_an_entry_that_whoever_signs_has_read",
    ),
    _twin(
        "conclusion: nobody signs past a critical value", "src/tjapi/conclusion/service/following.py",
        "    if wrong:\n        raise CriticalNotConcluded", "    if not wrong and wrong:\n        raise CriticalNotConcluded",
        f"{DERIVED}::test_a_critical_value_of_which_no_finding_speaks_is_an_entry_that_whoever_signs_has_read",
    ),
    _twin(
        "conclusion: a dismissal is followed", "src/tjapi/conclusion/reactions.py",
        "    (CriticalDismissed, follow),\n", "",
        f"{DERIVED}::test_the_entry_of_a_critical_value_comes_and_goes_with_its_alert",
    ),
    _twin(
        "report: what is told of one value is told once", "src/tjapi/report/rules.py",
        "            said.update(alerts[place])\n", "",
        f"{REPORT_TESTS}/test_layout.py::test_what_several_alerts_name_is_told_by_the_one_that_names_most",
    ),
    _twin(
        "conclusion: a soft finding tells of nothing critical", "src/tjapi/conclusion/rules.py",
        "return entry.own or (entry.grave and alarm.words <= entry.words)", "return True",
        f"{ALARM_TESTS}::test_a_soft_finding_of_the_same_description_does_not_tell_of_what_is_critical_in_it[pneumothorax]",
    ),
    _twin(
        "conclusion: its own entry is the critical one on paper", "src/tjapi/report/views.py",
        "\n  or exists (select from critical_value k where k.exam_id = n.exam_id and k.rule_code = any(n.rule_codes)) own_critical", " own_critical",
        f"{DERIVED}::test_what_one_rule_finds_critical_of_several_values_is_told_once",
    ),
    _twin(
        "questions: nobody calls normal what alarms", "src/tjapi/result/service/answering.py",
        'if answer == "normal":', "if answer not in CALM:",
        f"{ALARM_TESTS}::test_nobody_calls_normal_what_cannot_be_excluded_to_be_critical",
    ),
    _twin(
        "report: what one alert names has one card", "src/tjapi/report/layout.py",
        "if not row.alert_ids and row.result_id not in concluded]", "if row.result_id not in concluded]",
        f"{REPORT_TESTS}/test_layout.py::test_what_one_alert_names_has_one_card_whether_or_not_some_of_it_is_concluded",
    ),
    _twin(
        "alert: another specimen is another alarm", "src/tjapi/result/service/filing.py",
        "return o.observed_at or result.specimen_at or result.reported_at", "return o.observed_at",
        "tests/tjapi/result/test_questions.py::test_an_alarm_of_another_specimen_is_another_alarm_though_no_value_names_its_moment[GLU-F]",
    ),
    _twin(
        "words: the number of a line is no figure", "src/tjapi/knowledge/words.py",
        '_LIST_NUMBER.sub("", text)', "text",
        f"{DERIVED}::test_the_number_of_a_line_is_no_old_figure_though_the_items_name_is_beside_it",
    ),
    _twin(
        "jobs: a lost database under a group is no attempt", "src/tjapi/kernel/db.py",
        "    if isinstance(error, BaseExceptionGroup):\n        return all(is_interruption(one) for one in error.exceptions)\n", "",
        "tests/faults/test_jobs.py::test_a_database_that_goes_away_under_a_job_is_no_attempt_of_the_job[group]",
    ),
    _twin(
        "questions: nobody calls normal what a rule finds", "src/tjapi/result/service/answering.py",
        "if given.answer in CALM:", "if given.answer not in ANSWERS[question.kind]:  # type: ignore[index]",
        f"{DERIVED}::test_nobody_calls_normal_what_a_rule_finds_by_its_number[normal]",
    ),
    _twin(
        "questions: what was called normal is asked again of another person", "src/tjapi/result/service/judging.py",
        "    await lapse(uow, exam_id)\n", "",
        f"{DERIVED}::test_what_was_called_normal_is_asked_again_once_the_person_is_another[normal]",
    ),
    _twin(
        "conclusion: no old figure is confirmed", "src/tjapi/knowledge/figures.py",
        "            held.add(figure)\n", "            pass\n",
        "tests/tjapi/conclusion/test_derived.py::test_a_confirmed_entry_holds_no_figure_that_its_results_say_no_more",
    ),
    _twin(
        "cost: a number has a length", "src/tjapi/result/rules/reading.py",
        "if len(text) > LONGEST_NUMBER:", "if len(text) > 70_000:",
        "tests/tjapi/result/test_cost.py::test_what_is_longer_than_any_number_or_bears_more_marks_than_anybody_writes_is_none",
    ),
    _twin(
        "cost: so many observations of one item and no more", "adapters/lis/hl7_mllp.py",
        "if self._counted[(code, is_text)] > most:", "if self._counted[(code, is_text)] > 100_000:",
        f"{WIRE_TESTS}/test_lis_limits.py::test_more_than_any_honest_message_holds_is_refused_naming_the_place",
    ),
    _twin(
        "lis: a control is nobody's result", "adapters/wire/hl7v2.py",
        'if processing not in ("", "P", \'""\'):', 'if processing in ("T",):',
        f"{WIRE_TESTS}/test_lis_parse.py::test_a_test_a_training_and_an_analysers_control_are_nobodys_result",
    ),
    _twin(
        "identity: a sex that is not understood is named", "adapters/lis/hl7_mllp.py",
        'self._leave("PID-8: a sex that is not understood")', "pass",
        f"{WIRE_TESTS}/test_lis_parse.py::test_a_sex_that_is_said_and_not_understood_is_named_and_never_not_said",
    ),
    _twin(
        "identity: a number of another contradicts", "src/tjapi/result/rules/identity.py",
        "if theirs.names_another:", "if theirs.names_another and not theirs.is_theirs:",
        "tests/tjapi/result/test_result_rules.py::test_a_number_of_another_contradicts_whatever_else_agrees",
    ),
    _twin(
        "lis: a flag on what is left out is kept", "adapters/lis/hl7_mllp.py",
        "if left_out and not flags:", "if left_out:",
        f"{CONTRADICTIONS}::test_what_is_left_out_alarms_and_is_asked_about_where_the_laboratory_calls_it_critical[ED-HH]",
    ),
    _twin(
        "lis: what is left out and not critical asks nothing", "src/tjapi/result/service/filing.py",
        "if not o.left_out or lab_critical(o.abnormal_flags))", "if o.code or lab_critical(o.abnormal_flags))",
        f"{CONTRADICTIONS}::test_what_is_left_out_and_is_not_called_critical_is_named_and_asks_nothing[ED-H]",
    ),
    _twin(
        "alert: a flag is read in all its parts", "src/tjapi/result/service/filing.py",
        "abnormal_flags=flags_said(o.abnormal_flags, _flag_words(o))", "abnormal_flags=o.abnormal_flags",
        f"{CONTRADICTIONS}::test_a_flag_is_critical_by_whichever_of_its_parts_says_so[N^^^HH^\\u5371\\u6025\\u9ad8^99LIS]",
    ),
    _twin(
        "alert: what stands beside a flag and says nothing more is left", "src/tjapi/result/rules/flags.py",
        "if _meaning([*said, word]) != _meaning(said):", "if word:",
        f"{CONTRADICTIONS}::test_what_stands_beside_a_flag_and_adds_nothing_asks_nothing[H^Above high normal^HL70078^^\\u504f\\u9ad8^99LIS]",
    ),
    _twin(
        "alert: a flag with its separators is read in its parts", "src/tjapi/result/rules/flags.py",
        "words += [word for word in spoken if _LAB_FLAGS.get(word) or _is_critical(word) or _lab_sense(word)]", "pass",
        f"{CONTRADICTIONS}::test_a_flag_that_was_sent_with_its_separators_is_read_in_its_parts",
    ),
    _twin(
        "lis: a word contradicts a flag that says the opposite", "src/tjapi/result/rules/flags.py",
        "return bool(own) and any(not agree(own, _SPOKEN[theirs]) for theirs in senses)", "return False",
        f"{CONTRADICTIONS}::test_a_word_whose_flag_says_the_opposite_is_asked_about[HBSAG-\\u9634\\u6027-POS]",
    ),
    _twin(
        "lis: a number that is called positive is not normal", "src/tjapi/result/rules/flags.py",
        "found = any(_is_finding(word)", "found = False and any(_is_finding(word)",
        f"{CONTRADICTIONS}::test_a_value_contradicts_a_flag_that_says_another_side[numeric--0.02-flags2-True]",
    ),
    _twin(
        "lis: flags that contradict each other are asked about", "src/tjapi/result/rules/flags.py",
        'return len(sides - {"A"}) > 1 or', 'return len(_sides([ours or ""]) | set(list(_sides(flags))[:1])) > 1 or',
        f"{CONTRADICTIONS}::test_a_value_contradicts_a_flag_that_says_another_side[numeric-None-5.1-flags9-True]",
    ),
    _twin(
        "lis: a coded value whose parts disagree is undetermined", "src/tjapi/result/rules/reading.py",
        "        return not agree(word, other)\n", "        return False\n",
        f"{CONTRADICTIONS}::test_a_coded_result_whose_parts_disagree_is_undetermined[NEG^\\u9634\\u6027^L^POS^\\u9633\\u6027^L-HBSAG]",
    ),
    _twin(
        "lis: a coded value is what its codes say too", "adapters/lis/hl7_mllp.py",
        "others += [parts[i] for i in (*_SPOKEN, *figures) if", "others += [parts[i] for i in (1, 4, 8) if",
        f"{CONTRADICTIONS}::test_a_coded_result_whose_parts_disagree_is_undetermined[POS^\\u9634\\u6027^L-HBSAG]",
    ),
    _twin(
        "lis: a word that another observation takes back is undetermined", "src/tjapi/result/rules/reading.py",
        "*(w for w in beside if any(takes_back(word, w) for word in words))]", "]",
        f"{CONTRADICTIONS}::test_a_second_observation_that_takes_the_word_back_makes_both_undetermined[True-\\u68c0\\u6d4b\\u65e0\\u6548]",
    ),
    _twin(
        "lis: what contradicts a negative need not be a finding", "src/tjapi/result/rules/values.py",
        "return calm and (", "return False and (",
        f"{CONTRADICTIONS}::test_words_beside_a_negative_that_say_the_opposite_take_it_back[titre]",
    ),
    _twin(
        "lis: a moment in a value is the hospital's", "adapters/lis/hl7_mllp.py",
        "here = moment.astimezone(_HOSPITAL)", "here = moment",
        f"{CONTRADICTIONS}::test_a_moment_in_a_value_is_told_on_the_hospitals_day[TS-202611281600+0000-2026-11-29 00:00:00]",
    ),
    _twin(
        "lis: a minus behind a number is no negative", "src/tjapi/result/rules/values.py",
        'if (before, kind) == ("number", "minus"):', 'if (before, kind) == ("", "minus-"):',
        f"{CONTRADICTIONS}::test_a_minus_behind_a_number_a_titre_and_a_lone_dash_are_no_negative[2--None]",
    ),
    _twin(
        "lis: a titre beside a negative is none", "src/tjapi/result/rules/values.py",
        'if meaning == "阴性" and _TITRE.search(said):', 'if meaning == "" and _TITRE.search(said):',
        f"{CONTRADICTIONS}::test_a_minus_behind_a_number_a_titre_and_a_lone_dash_are_no_negative[\\u9634\\u6027 1:320-None]",
    ),
    _twin(
        "lis: a long dash is no negative", "src/tjapi/result/rules/values.py",
        "if said in _LONG_DASHES:", "if said in ():",
        f"{CONTRADICTIONS}::test_a_minus_behind_a_number_a_titre_and_a_lone_dash_are_no_negative[\\u2014-None]",
    ),
    _twin(
        "alert: another measurement of a number that was dismissed is news", "src/tjapi/critical_value/rules.py",
        "return [one for one in now if (one.result_id, one.word) not in known]", "return []",
        f"{MEASURED_AGAIN}::test_what_was_dismissed_is_raised_anew_when_it_is_measured_again",
    ),
    _twin(
        "alert: what is said again of one measurement is no news", "src/tjapi/critical_value/rules.py",
        "return [one for one in now if (one.result_id, one.word) not in known]", "return list(now)",
        f"{MEASURED_AGAIN}::test_the_same_measurement_said_again_is_the_event_that_was_seen_to",
    ),
    _twin(
        "alert: whoever dismisses has seen every measurement", "src/tjapi/critical_value/service.py",
        'await _step(uow, value, "measured_again", to=None, note=words)', "await uow.session.flush()",
        f"{MEASURED_AGAIN}::test_an_alert_of_which_nobody_was_told_takes_up_another_measurement_and_whoever_dismisses_it_looks_again",
    ),
    _twin(
        "alert: signing is no measurement", "src/tjapi/result/service/stating.py",
        "r.observed_at if theirs else None", "r.observed_at",
        f"{MEASURED_AGAIN}::test_signing_what_a_department_entered_is_no_new_measurement",
    ),
    _twin(
        "alert: a dismissal holds for its revisions", "src/tjapi/report/views.py",
        "when bool_or(v.id = any(k.revision_ids)) then", "when count(*) > 0 then",
        f"{MEASURED_AGAIN}::test_a_dismissal_holds_for_the_revision_that_it_was_given_of",
    ),
    _twin(
        "alert: until somebody was told it escalates", "src/tjapi/critical_value/repository.py",
        "CriticalValue.state.in_(UNTOLD)", 'CriticalValue.state == "detected"',
        "tests/tjapi/critical_value/test_critical_value.py::test_it_is_escalated_by_the_clock_once_however_many_look_and_overdue_is_derived",
    ),
    _twin(
        "alert: until somebody was told it blocks", "src/tjapi/critical_value/rules.py",
        "state in UNTOLD and not corrected", 'state == "detected" and not corrected',
        "tests/tjapi/critical_value/test_critical_value.py::test_until_somebody_was_told_the_exam_is_not_finalized_whoever_has_seen_it",
    ),
    _twin(
        "alert: an entry is not critical of what was dismissed", "src/tjapi/report/rules.py",
        'return by_rule and ("standing" in alerts or "dismissed" not in alerts)', "return by_rule",
        f"{REPORT_TESTS}/test_layout.py::test_an_entry_is_critical_by_its_rule_only_where_its_alert_was_not_dismissed",
    ),
    _twin(
        "critical: a first value follows the exam before it", "src/tjapi/critical_value/service.py",
        "if not event.of_past and any(changed & rule.past", "if event.of_past and any(changed & rule.past",
        "tests/tjapi/critical_value/test_past.py::test_a_first_value_follows_the_exam_before_it_when_that_is_corrected",
    ),
    _twin(
        "past: only what is verified is told of another day", "src/tjapi/result/views.py",
        "(l.state = 'verified' or (l.state = 'resulted' and e.state = 'finalized')) and", "",
        f"{PAST_TESTS}::test_a_value_of_a_line_that_nobody_has_verified_is_compared_with_nothing",
    ),
    _twin(
        "past: what somebody is asked about is no past value", "src/tjapi/result/views.py",
        "  and (q.closed_at is null or q.gives_up))", "  and false)",
        f"{PAST_TESTS}::test_what_a_finished_exam_is_asked_about_afterwards_is_told_no_more",
    ),
    _twin(
        "past: a published report does not outlive what it prints of earlier exams", "src/tjapi/report/service.py",
        "        await came_late(uow, exam_id)\n    else:", "        pass\n    else:",
        f"{REPORT_PAST}::test_a_report_is_outdated_by_a_corrected_and_by_a_withdrawn_value_that_it_prints_of_an_earlier_exam",
    ),
    _twin(
        "past: what an unpublished version prints of earlier exams", "src/tjapi/report/service.py",
        'if lost and report.state != "published":', "if False:",
        f"{REPORT_PAST}::test_a_version_that_waits_to_be_published_goes_with_the_past_that_it_prints",
    ),
    _twin(
        "past: a merge undone changes what may be printed", "src/tjapi/report/service.py",
        "for person in sorted({event.survivor_id, event.merged_id}):", "for person in ():",
        f"{REPORT_PAST}::test_a_report_is_outdated_by_an_exam_that_is_no_more_of_its_person",
    ),
    _twin(
        "claims: a choice that says itself needs no name", "src/tjapi/knowledge/claims.py",
        "not (says_itself and stated)", "True",
        "tests/tjapi/knowledge/test_claims.py::test_a_choice_that_says_by_itself_what_it_is_is_found_without_its_items_name",
    ),
    _twin(
        "claims: what is denied or supposed is not told", "src/tjapi/knowledge/claims.py",
        "append((owners, supposed is None))", "append((owners, True))",
        "tests/tjapi/knowledge/test_claims.py::test_a_choice_that_is_denied_or_supposed_is_not_told",
    ),
    _twin(
        "names: what begins with a name and goes on is of it", "src/tjapi/knowledge/names.py",
        "elif names[place][0] == found.start() and", "elif False and",
        "tests/tjapi/knowledge/test_claims.py::test_a_choice_that_says_by_itself_what_it_is_is_found_without_its_items_name",
    ),
    _twin(
        "told: nobody calls normal what nobody examined", "src/tjapi/result/service/summarizing.py",
        "if all(known.unexamined for known in values):", "if False:",
        "tests/tjapi/conclusion/test_told.py::test_no_department_calls_normal_what_nobody_examined",
    ),
    _twin(
        "marked: what a signature refuses of a conclusion is stale before", "src/tjapi/conclusion/service/following.py",
        "if has_own_words(now, found.overview, after):", "if False:",
        "tests/tjapi/conclusion/test_told.py::test_own_words_without_a_link_are_stale_once_a_signature_would_refuse_them[title]",
    ),
    _twin(
        "marked: words of a conclusion are held as they are written", "src/tjapi/conclusion/service/writing.py",
        "mark_refused(now, truth, found, entries)", "pass",
        "tests/tjapi/conclusion/test_told.py::test_one_organ_that_nobody_examined_is_called_normal_neither_by_the_department_nor_by_the_reviewer[alone]",
    ),
    _twin(
        "marked: a department's line by hand", "src/tjapi/result/service/summarizing.py",
        'line.stale = line.stale or f"line:{line.id}" in wrong', "line.stale = line.stale and bool(wrong)",
        "tests/tjapi/conclusion/test_told.py::test_a_line_by_hand_is_stale_once_its_words_are_not_true_and_current_once_they_are",
    ),
    _twin(
        "marked: of another department's value", "src/tjapi/result/service/summarizing.py",
        "if department_ids is None else own | set(department_ids)", "if department_ids is None else set(department_ids)",
        "tests/tjapi/conclusion/test_told.py::test_a_signed_department_whose_words_tell_of_anothers_value_is_stale_once_that_is_corrected",
    ),
    _twin(
        "unexamined: a department", "src/tjapi/result/service/summarizing.py",
        "if truth.calls_unexamined_normal(text)", "if False",
        "tests/tjapi/conclusion/test_told.py::test_one_organ_that_nobody_examined_is_called_normal_neither_by_the_department_nor_by_the_reviewer[alone]",
    ),
    _twin(
        "unexamined: a reviewer", "src/tjapi/conclusion/service/wording.py",
        "if truth.calls_unexamined_normal(text)]", "if False]",
        "tests/tjapi/conclusion/test_told.py::test_the_reviewer_calls_no_laboratory_value_normal_that_nobody_asked_for",
    ),
    _twin(
        "unexamined: what a laboratory was not asked for", "src/tjapi/catalog/repository.py",
        'or_(ItemGroup.performed_by == "lis", ItemGroup.id.in_(aside))', "ItemGroup.id.in_(aside)",
        "tests/tjapi/conclusion/test_told.py::test_the_reviewer_calls_no_laboratory_value_normal_that_nobody_asked_for",
    ),
    _twin(
        "statements: no part of another word", "src/tjapi/knowledge/conditions.py",
        "return not said[:at].endswith(behind) and not said.startswith(ahead, at + len(name))", "return not said[:at].endswith(behind)",
        "tests/tjapi/knowledge/test_statements.py::test_a_part_of_another_word_is_no_condition",
    ),
    _twin(
        "statements: what values state is not denied", "src/tjapi/knowledge/conditions.py",
        "        and _holds(condition, by_code)\n", "        and not by_code\n",
        "tests/tjapi/knowledge/test_statements.py::test_what_values_state_is_not_denied",
    ),
    _twin(
        "statements: the side that is described", "src/tjapi/knowledge/retelling.py",
        "elif _is_other_side(one, standing):", "elif not standing and not one.words:",
        "tests/tjapi/knowledge/test_statements.py::test_what_a_description_states_is_not_denied_nor_told_of_the_other_side",
    ),
    _twin(
        "statements: another choice", "src/tjapi/knowledge/choosing.py",
        "own = len(word) > 1 and word not in told and", "own = len(word) > 99 and word not in told and",
        "tests/tjapi/knowledge/test_statements.py::test_another_choice_than_was_made_is_not_stated",
    ),
    _twin(
        "denials: what somebody else has", "src/tjapi/knowledge/denials.py",
        "or _OF_OTHERS.search(before) or TAKEN_BACK", "or TAKEN_BACK",
        "tests/tjapi/knowledge/test_statements.py::test_what_somebody_else_has_is_no_old_word",
    ),
    _twin(
        "report: what is advised for today stands first", "src/tjapi/report/layout.py",
        'and _is_for_today(entry.advice or "")\n', "and False\n",
        "tests/tjapi/report/test_layout.py::test_what_is_advised_for_today_is_urgent_on_the_cover_and_comes_before_what_has_a_week",
    ),
    _twin(
        "report: only words are no emergency", "src/tjapi/report/layout.py",
        "or (place in critical and entry.only_words and not any(linked[place].results.values()))", "or False",
        "tests/tjapi/report/test_layout.py::test_what_only_words_of_a_description_call_grave_is_to_be_seen_to_today_and_no_emergency_by_itself",
    ),
    _twin(
        "words asked: the reviewer's", "src/tjapi/conclusion/service/wording.py",
        "if wrong := unconfirmed(asked, kept, confirmed):", "if (wrong := unconfirmed(asked, kept, confirmed)) and not asked:",
        "tests/tjapi/conclusion/test_words_asked.py::test_words_that_nothing_supports_are_shown_and_nobody_signs_them_unconfirmed",
    ),
    _twin(
        "words asked: a department's", "src/tjapi/result/service/summarizing.py",
        "if wrong := unconfirmed(asked, kept, confirmed):", "if (wrong := unconfirmed(asked, kept, confirmed)) and not asked:",
        "tests/tjapi/conclusion/test_words_asked.py::test_a_department_is_asked_as_a_reviewer_is_of_its_lines_and_of_its_summary",
    ),
    _twin(
        "words asked: a confirmation is of a text and its ground", "src/tjapi/result/rules/confirming.py",
        'f"{self.ground}\\n{self.text}".encode()', 'f"{self.words}".encode()',
        "tests/tjapi/conclusion/test_words_asked.py::test_what_was_confirmed_is_asked_anew_once_the_words_or_the_results_change",
    ),
    _twin(
        "words asked: what nothing supports", "src/tjapi/knowledge/grounding.py",
        "    yield from _known_diseases(said, standing, covered)\n", "    if not said:\n        yield from _known_diseases(said, standing, covered)\n",
        "tests/tjapi/knowledge/test_grounding.py::test_the_words_are_named_as_they_stand_there",
    ),
    _twin(
        "statements: conditions", "src/tjapi/result/service/claims.py",
        "or false_conditions(text,", "or self.once and false_conditions(text,",
        "tests/tjapi/conclusion/test_told.py::test_nobody_writes_a_condition_that_the_values_deny",
    ),
    _twin(
        "statements: descriptions", "src/tjapi/result/service/claims.py",
        "or false_readings(text, self.earlier, self.current, free)", "or bool(free and not text)",
        "tests/tjapi/conclusion/test_told.py::test_nobody_writes_another_size_than_the_description_gives",
    ),
    _twin(
        "statements: an earlier finding by another name", "src/tjapi/knowledge/retelling.py",
        "if one.concept in gone:", "if not one.concept:",
        "tests/tjapi/knowledge/test_statements.py::test_a_finding_of_an_earlier_value_is_found_by_whatever_it_is_called",
    ),
    _twin(
        "statements: what somebody says of a finding in a history", "src/tjapi/knowledge/conditions.py",
        "                and name not in told\n", "",
        "tests/tjapi/knowledge/test_statements.py::test_a_condition_may_stand_beside_the_value_that_says_so_a_history_that_names_it_or_one_that_nobody_judged",
    ),
    _twin(
        "denials: what is taken back", "src/tjapi/knowledge/denials.py",
        "or _OF_OTHERS.search(before) or TAKEN_BACK.match(said, end)", "or _OF_OTHERS.search(before)",
        "tests/tjapi/knowledge/test_statements.py::test_what_is_taken_back_in_the_same_breath_may_be_written",
    ),
    _twin(
        "whose: what is finalized is held against the file it belongs to now", "src/tjapi/exam/service/correcting.py",
        "for exam_id in sorted(theirs | moved):", "for exam_id in sorted(theirs):",
        f"{WHOSE}::test_what_is_finalized_is_held_against_the_file_that_it_belongs_to_now",
    ),
    _twin(
        "whose: what is in doubt is not given out", "src/tjapi/report/service.py",
        "    await exams.refuse_unfit(uow, exam_id)\n", "",
        f"{WHOSE}::test_what_is_finalized_is_held_against_the_file_that_it_belongs_to_now",
    ),
    _twin(
        "whose: what is sealed of another is not published", "src/tjapi/report/service.py",
        'await fail(uow, report.id, "person_changed")', "pass",
        f"{WHOSE}::test_what_is_sealed_is_not_published_of_somebody_else",
    ),
    _twin(
        "whose: what prints another name is outdated", "src/tjapi/report/service.py",
        'if report.state == "published" and not parted:', "if False:",
        f"{WHOSE}::test_a_person_of_another_name_has_the_report_made_anew",
    ),
    _twin(
        "whose: a report goes back with its exam", "src/tjapi/examinee/service/merging.py",
        "if of_exams is not None:", "if False:",
        f"{WHOSE}::test_a_report_made_since_the_merge_goes_back_with_its_exam_and_is_recalled",
    ),
    _twin(
        "substitute: only the right person ends it", "src/tjapi/frontdesk/rules.py",
        'if one in ("same", "different")), None)', "), None)",
        f"{IDENTITY_TESTS}::test_only_a_check_that_finds_the_person_ends_that_somebody_else_was_found",
    ),
    _twin(
        "substitute: nobody goes on before the right person is found", "src/tjapi/exam/service/course.py",
        'if "identity_other" in held and', "if False and",
        f"{IDENTITY_TESTS}::test_what_somebody_else_gave_or_was_examined_for_is_in_doubt_until_a_person_says_whose_it_is",
    ),
    _twin(
        "substitute: what came before is in doubt", "src/tjapi/exam/service/correcting.py",
        "line.doubted_by = check_id", "pass",
        f"{IDENTITY_TESTS}::test_what_somebody_else_gave_or_was_examined_for_is_in_doubt_until_a_person_says_whose_it_is",
    ),
    _twin(
        "substitute: what comes meanwhile is in doubt", "src/tjapi/frontdesk/reactions.py",
        "await service.came_under_doubt(uow, event.exam_id)", "pass",
        f"{IDENTITY_TESTS}::test_what_somebody_else_gave_or_was_examined_for_is_in_doubt_until_a_person_says_whose_it_is",
    ),
    _twin(
        "substitute: what was signed is opened again", "src/tjapi/exam/service/correcting.py",
        "        await reopen(uow, exam_id, _OTHER)\n", "        pass\n",
        f"{IDENTITY_TESTS}::test_who_is_found_to_be_somebody_else_long_after_has_what_was_signed_opened_again",
    ),
    _twin(
        "past: no word ends a task about an earlier exam", "src/tjapi/conclusion/service/amending.py",
        "task.past or task.person or not await stands", "not await stands",
        f"{REPORT_PAST}::test_a_report_is_outdated_by_a_corrected_and_by_a_withdrawn_value_that_it_prints_of_an_earlier_exam",
    ),
    _twin(
        "critical: a merge changes whose past it is", "src/tjapi/critical_value/service.py",
        "for person in sorted(people):", "for person in sorted(people)[:0]:",
        "tests/tjapi/critical_value/test_past.py::test_a_first_value_follows_when_people_are_merged_and_parted",
    ),
    _twin(
        "reading: the nearest range tells the unit", "src/tjapi/result/rules/questions.py",
        "return any(_nearer(one.said, normal, distance) for one in meant)",
        "return False",
        "tests/tjapi/result/test_unsaid_units.py::test_a_number_whose_range_is_of_another_unit_is_asked_about",
    ),
    _twin(
        "reading: a range of no unit of ours asks", "src/tjapi/result/rules/questions.py",
        "if said is not None and normal is not None and _of_another_scale(said, normal)",
        "if said is None and normal is not None and _of_another_scale(said, normal)",
        "tests/tjapi/result/test_unsaid_units.py::test_a_number_whose_range_is_of_another_unit_is_asked_about",
    ),
    _twin(
        "reading: a number lies where its range says", "src/tjapi/result/rules/flags.py",
        "if by_range and gravest in _OTHER_SIDE",
        "if not by_range and gravest in _OTHER_SIDE",
        "tests/tjapi/result/test_unsaid_units.py::test_the_side_on_which_a_value_lies_is_that_of_its_range",
    ),
    _twin(
        "reading: a range of another unit says nothing", "src/tjapi/result/rules/ranges.py",
        "return told.normal if told is not None and speaks_of(told, unit) else None",
        "return told.normal if told is not None else None",
        "tests/tjapi/result/test_unsaid_units.py::test_a_range_in_another_unit_or_that_is_not_plain_says_nothing",
    ),
    _twin(
        "reading: a converted value has a converted range", "src/tjapi/result/service/book.py",
        'return told.turned(Decimal(self.conversion["factor"])',
        'return told.turned(Decimal(1) or Decimal(self.conversion["factor"])',
        "tests/tjapi/result/test_unsaid_units.py::test_a_value_that_was_converted_is_judged_by_the_laboratorys_range_in_our_unit",
    ),
    _twin(
        "reading: a filler of the column is no unit", "src/tjapi/result/rules/values.py",
        'return "" if said.translate(DASHES).lower() in _NO_UNIT else said',
        "return said",
        "tests/tjapi/result/test_unsaid_units.py::test_what_only_fills_the_column_of_the_unit_is_no_unit",
    ),
    _twin(
        "reading: a dressed flag is read", "src/tjapi/result/rules/flags.py",
        "if word in _LAB_FLAGS or letters not in _LAB_FLAGS:",
        "if word:",
        "tests/tjapi/result/test_unsaid_units.py::test_a_critical_flag_is_critical_however_it_is_dressed",
    ),
    _twin(
        "reading: codes of two items are of neither", "src/tjapi/result/service/filing.py",
        "return found[0] if len(found) == 1 else None",
        "return found[0] if found else None",
        "tests/tjapi/result/test_disputes.py::test_a_value_whose_codes_lead_to_two_items_is_filed_under_neither_and_asked_of_both",
    ),
    _twin(
        "reading: disputed codes alarm by either item", "src/tjapi/result/service/filing.py",
        "return any(judge.is_critical(item, group.said) for item in group.may_be)",
        "return any(judge.is_critical(item, group.said) for item in group.may_be[:1])",
        "tests/tjapi/result/test_disputes.py::test_a_value_of_disputed_codes_that_is_critical_of_either_alarms",
    ),
    _twin(
        "reading: a correction to nothing is asked", "src/tjapi/result/service/filing.py",
        "emptied = (said.amends or deletes) and (",
        "emptied = deletes and (",
        "tests/tjapi/result/test_disputes.py::test_a_correction_to_nothing_is_asked_about_and_what_stands_is_not_verified",
    ),
    _twin(
        "reading: a cancelled order asks", "src/tjapi/result/service/filing.py",
        "if why is not None and result.observations:",
        "if why is not None and not result.observations:",
        "tests/tjapi/result/test_disputes.py::test_a_value_of_an_order_that_is_called_cancelled_is_asked_about",
    ),
    _twin(
        "reading: a note against a word counts", "src/tjapi/result/rules/reading.py",
        "noted = [w for o, _ in readings for",
        "noted = [w for o, _ in readings[:0] for",
        "tests/tjapi/result/test_disputes.py::test_a_word_that_a_number_or_a_note_beside_it_disputes_is_undetermined",
    ),
    _twin(
        "reading: a number above its range disputes a negative", "src/tjapi/result/rules/reading.py",
        "number.numeric > told.normal.high",
        "number.numeric < told.normal.high",
        "tests/tjapi/result/test_disputes.py::test_a_number_above_its_own_range_stands_in_the_way_of_a_negative_word_only",
    ),
    _twin(
        "reading: no side that the range denies", "src/tjapi/knowledge/words.py",
        "if known.numeric is not None and not _may_lie(", "if known.numeric is None and not _may_lie(",
        "tests/tjapi/knowledge/test_words.py::test_a_value_is_said_with_its_unit_and_its_side_of_the_range",
    ),
    _twin(
        "reading: one value in two units is one", "src/tjapi/result/rules/values.py",
        "return abs(ours.numeric - turned.numeric) <= margin", "return abs(ours.numeric - turned.numeric) > margin",
        "tests/tjapi/result/test_disputes.py::test_a_number_in_our_unit_and_in_another_one_is_one_value_within_the_rounding",
    ),
    _twin(
        "limits: a number without a unit is asked", "src/tjapi/result/rules/questions.py",
        "meant = [one for one in in_others if", "meant = [one for one in () if",
        "tests/tjapi/catalog/test_limits.py::test_what_is_usual_in_another_unit_and_said_without_one_is_asked_or_harmless",
    ),
    _twin(
        "report: no flag without a word", "src/tjapi/report/layout.py",
        "        if not resting:", "        if not resting and not entries:",
        f"{REPORT_TESTS}/test_layout.py::test_every_flagged_result_has_a_conclusion_or_stands_under_other_abnormal_results",
    ),
    _twin(
        "report: a measure at the start of a line is no list number", "src/tjapi/knowledge/words.py",
        r"[.．](?!\d))", r"[.．])",
        f"{DERIVED}::test_what_a_signed_overview_measures_at_the_start_of_a_line_is_printed_word_for_word",
    ),
    _twin(
        "report: lines of a list stay under their heading", "src/tjapi/report/rules.py",
        "if blocks and _HEADING.search(line):", "if False:",
        f"{REPORT_TESTS}/test_layout.py::test_numbered_lines_stay_under_their_heading",
    ),
    _twin(
        "report: a critical mark is of the value beside it", "src/tjapi/report/layout.py",
        "return bool(told) and not any(_critical(r) for r in told)", "return not all(_critical(r) for r in every)",
        f"{DERIVED}::test_a_signed_summary_keeps_the_mark_of_a_critical_value_beside_a_calm_one",
    ),
    _twin(
        "report: undetermined is not normal", "src/tjapi/result/rules/flags.py",
        "return judged and flag is None and (kind in NUMBERS or kind in WORDS)", "return False",
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
        "summary: no calm beside a flag", "src/tjapi/result/service/summarizing.py",
        "against = forbids_calm([judgement_of(known) for known in values]) or any(", "against = any(",
        "tests/tjapi/result/test_summary.py::test_a_flag_without_a_line_is_told_in_the_summary_and_nothing_calls_it_normal",
    ),
    _twin(
        "overview: no calm beside a flag", "src/tjapi/conclusion/service/writing.py",
        "refuse_calm(now, truth, found.overview,", "refuse_calm(now, truth, '',",
        "tests/tjapi/conclusion/test_review.py::test_an_overview_that_calls_everything_normal_beside_a_flag_is_not_signed",
    ),
    _twin(
        "conclusion: no advice calls everything normal", "src/tjapi/conclusion/service/wording.py",
        "for i, entry in enumerate(entries) for name in _FIELDS\n    ]", "for i, entry in enumerate(entries) for name in _FIELDS[:2]\n    ]",
        f"{DERIVED}::test_no_part_of_a_critical_card_calls_everything_normal[advice]",
    ),
    _twin(
        "words: that a flag is under control calls it normal", "src/tjapi/knowledge/calm.py",
        "(_RIGHT_AGAIN, _NOT_BEYOND, _STEADY)", "(_NOT_BEYOND, _STEADY)",
        "tests/tjapi/knowledge/test_words.py::test_that_a_flagged_item_is_controlled_or_normal_again_calls_it_normal",
    ),
    _twin(
        "notes: words that call a value critical alarm", "src/tjapi/result/service/filing.py",
        "called = any(calls_critical(words)", "called = any(not words",
        "tests/tjapi/result/test_contradictions.py::test_a_value_that_is_called_critical_in_words_alarms",
    ),
    _twin(
        "alarms: what nobody could read alarms unless excluded", "src/tjapi/result/service/filing.py",
        "if judge.may_be_critical(one.item, one.said))", "if not one.said)",
        f"{NOT_EXCLUDED}::test_a_value_that_cannot_be_read_alarms_where_nothing_excludes_that_it_is_critical",
    ),
    _twin(
        "alarms: a number is judged in every unit that it may be in", "src/tjapi/result/service/measuring.py",
        "for u in known or (() if ours else others)]", "for u in known]",
        f"{NOT_EXCLUDED}::test_a_number_whose_unit_is_in_doubt_alarms_where_another_unit_makes_it_critical",
    ),
    _twin(
        "absent: a bound is no number to compute with", "src/tjapi/result/rules/absence.py",
        '"censored" if value.comparator else "exact"', '"exact"',
        f"{ABSENT}::test_a_rate_is_not_computed_of_a_creatinine_below_a_bound",
    ),
    _twin(
        "absent: why there is no value is kept beside a reported line", "src/tjapi/result/service/book.py",
        "        await self._mark_absent(uow)\n", "",
        f"{ABSENT}::test_a_computed_item_that_nothing_can_be_computed_of_says_why",
    ),
    _twin(
        "absent: of contradicting values nothing is computed", "src/tjapi/result/service/book.py",
        "if now is not None and self.contested(line.id, item.id):", "if now is None and self.contested(line.id, item.id):",
        f"{ABSENT}::test_of_values_that_contradict_each_other_nothing_is_computed_until_one_holds",
    ),
    _twin(
        "absent: a department signs without what cannot be computed", "src/tjapi/result/service/entry.py",
        " and book.absence(line, item) is None", "",
        f"{ABSENT}::test_a_department_signs_without_what_cannot_be_computed_and_says_why",
    ),
    _twin(
        "absent: nothing is computed of a line that is not carried out", "src/tjapi/result/service/book.py",
        "        if not self.live(line):\n            return Input(", "        if False:\n            return Input(",
        f"{ABSENT}::test_of_a_line_that_is_set_aside_nothing_is_computed",
    ),
    _twin(
        "absent: while an input is awaited nothing is said", "src/tjapi/result/rules/absence.py",
        'if any(one.standing == "awaited" for one in lacking):', "if not inputs:",
        f"{ABSENT}::test_while_an_input_is_awaited_nothing_is_said_and_a_person_outside_of_the_domain_is_named",
    ),
    _twin(
        "absent: an archive says why as well", "src/tjapi/result/service/importing.py",
        "        if why is None:\n", "        if why is not None:\n",
        f"{ABSENT}::test_an_archive_says_why_what_it_could_be_computed_of_gave_nothing",
    ),
    _twin(
        "forms: the other number of a coded value makes it a question", "src/tjapi/result/rules/reading.py",
        "another = [word for one, reading in clear for word in one.others if _is_another(word, reading.value)]", "another: list[str] = []",
        f"{FORMS}::test_of_two_numbers_in_one_value_none_is_filed_and_the_critical_one_alarms",
    ),
    _twin(
        "forms: the other number of a coded value alarms", "src/tjapi/result/service/filing.py",
        "return observation.other_words if self.item.kind in NUMBERS else ()", "return ()",
        f"{FORMS}::test_of_two_numbers_in_one_value_none_is_filed_and_the_critical_one_alarms",
    ),
    _twin(
        "forms: two numbers of a structured one never run together", "adapters/lis/hl7_mllp.py",
        "if any(said[4:]) or compared not in _COMPARED or between not in _PARTED or (other and (not between or not number)):", "if False:",
        f"{FORMS}::test_two_whole_numbers_of_a_structured_one_never_become_one",
    ),
    _twin(
        "forms: a figure in a coding system's place is a value", "adapters/lis/hl7_mllp.py",
        "for i in (*_SPOKEN, *figures) if", "for i in _SPOKEN if",
        f"{FORMS}::test_of_two_numbers_in_one_value_none_is_filed_and_the_critical_one_alarms",
    ),
    _twin(
        "forms: what fills a column is no unit behind a number", "src/tjapi/result/rules/reading.py",
        "if unit_said(rest) and any(", "if rest and any(",
        f"{FORMS}::test_what_may_be_a_sign_behind_a_number_is_a_question",
    ),
    _twin(
        "forms: a number without a unit takes none that means something", "src/tjapi/result/service/measuring.py",
        "fits = unit_fits(unit, item.unit, item.code) if item.kind in NUMBERS else same_unit(unit, item.unit)", "fits = same_unit(unit, item.unit)",
        f"{FORMS}::test_an_inr_in_a_unit_is_asked_about",
    ),
    _twin(
        "forms: figures of every script may be critical", "src/tjapi/result/rules/numbers.py",
        'text = "".join(map(_figure, text)).translate(_SEPARATORS)', "text = text.translate(_SEPARATORS)",
        f"{FORMS}::test_what_may_be_critical_in_any_script_alarms",
    ),
    _twin(
        "forms: a number in words may be critical", "src/tjapi/result/rules/numbers.py",
        "text = _ALONE.sub(lambda said: _spoken(said[1]), text)", "",
        f"{FORMS}::test_what_may_be_critical_in_any_script_alarms",
    ),
    _twin(
        "alarms: a comma may be a point", "src/tjapi/result/rules/numbers.py",
        "(?P<point>[.,·・。、٫])", "(?P<point>[.])",
        f"{NOT_EXCLUDED}::test_every_number_that_words_may_mean_is_found",
    ),
    _twin(
        "alarms: what is not known of one item stays while any of it is asked", "src/tjapi/result/service/questions.py",
        "if all(question.closed_at is not None for question in own):", "if own:",
        f"{NOT_EXCLUDED}::test_the_alert_of_an_unread_value_lives_as_long_as_nobody_knows_the_value",
    ),
    _twin(
        "alarms: that there is no value excludes nothing", "src/tjapi/result/service/questions.py",
        "if question.kind in UNKNOWN and question.item_id in stands:", "if question.kind in UNKNOWN:",
        f"{NOT_EXCLUDED}::test_an_alert_of_what_nobody_knows_outlives_the_answer_that_there_is_no_value",
    ),
    _twin(
        "alarms: what is unread of nobody known is named", "src/tjapi/result/service/alarming.py",
        "return unread is not None and any(self._may_be(found, item, text, unit) for text, unit in texts)", "return False",
        f"{NOT_EXCLUDED}::test_a_message_that_belongs_to_nobody_names_what_nobody_could_read_in_it_and_may_be_critical",
    ),
    _twin(
        "answers: a number against what was said is asked back", "src/tjapi/result/rules/answers.py",
        'any(number in said for number in typed) else "differs-from-original"', "True else None",
        f"{NOT_EXCLUDED}::test_what_is_typed_against_a_number_that_was_said_is_asked_back",
    ),
    _twin(
        "answers: what may be critical is not ended calmly unasked", "src/tjapi/result/rules/answers.py",
        '("contested", "wrong")', '("contested", "none")',
        f"{NOT_EXCLUDED}::test_values_that_contradict_each_other_are_not_replaced_by_a_third_unasked",
    ),
    _twin(
        "messages: what is set aside at the door is judged by our limits", "src/tjapi/result/service/release.py",
        "*await critical_of_anyone(uow, source, said)", "*()",
        f"{DOOR_ALARMS}::test_what_is_critical_in_a_message_refused_at_the_door_is_named",
    ),
    _twin(
        "messages: a note that calls a value critical is heard at the door", "src/tjapi/result/rules/raw.py",
        "if calls_critical(note) or", "if",
        f"{DOOR_ALARMS}::test_what_is_critical_in_a_message_refused_at_the_door_is_named",
    ),
    _twin(
        "releases: two people and the identity outweigh a label", "src/tjapi/result/rules/releases.py",
        "and against is None", "and False",
        f"{READINGS}::test_a_tube_under_a_wrong_label_is_filed_and_alarms_where_two_people_say_whose_it_is",
    ),
    _twin(
        "releases: a label is outweighed by the identity only", "src/tjapi/result/rules/releases.py",
        "return bool(set(named) - {placed}) and against is None", "return bool(set(named) - {placed})",
        f"{READINGS}::test_a_release_in_vain_is_refused_when_it_is_proposed_and_again_when_it_is_agreed_to",
    ),
    _twin(
        "releases: who agrees is told whether it would be in vain", "src/tjapi/result/endpoints.py",
        "    await flows.refuse_agreeing(runtime(request).services.lis, uow, release_id)\n", "",
        f"{READINGS}::test_a_release_in_vain_is_refused_when_it_is_proposed_and_again_when_it_is_agreed_to",
    ),
    _twin(
        "remarks: grave words in a message that nobody can file are named", "src/tjapi/result/rules/raw.py",
        " or is_grave(note[:_LONGEST_VALUE])", "",
        "tests/tjapi/result/test_remarks.py::test_grave_words_beside_a_value_of_a_message_that_nobody_can_file_are_named",
    ),
    _twin(
        "clicks: a finding is written as it is read", "src/tjapi/knowledge/composing.py",
        "    return not read(text, item_code, item_name).unread and expected(clicks) == read_keys(", "    return True or expected(clicks) == read_keys(",
        "tests/tjapi/knowledge/test_composing.py::test_every_finding_is_read_back_as_it_was_clicked_and_as_nothing_else",
    ),
    _twin(
        "clicks: what is there and is not contradicts itself", "src/tjapi/knowledge/composing.py",
        '    return len(said) > 1 and said <= {"present", "possible", "absent"}', "    return False",
        "tests/tjapi/result/test_clicks.py::test_clicks_that_cannot_stand_are_refused_by_their_field[coded0-findings/1/assertion-contradicts]",
    ),
    _twin(
        "clicks: rules follow the codes that were kept", "src/tjapi/knowledge/rules.py",
        "if known.coded is None else known.coded", "",
        "tests/tjapi/result/test_clicks.py::test_rules_follow_the_codes_that_were_kept_and_guess_nothing_anew",
    ),
    _twin(
        "clicks: a signature keeps the codes", "src/tjapi/result/service/entry.py",
        "now.reason, now.remarks, now.coded)", "now.reason, now.remarks)",
        "tests/tjapi/result/test_clicks.py::test_a_clicked_finding_is_text_and_codes_and_stands_in_conclusion_advice_and_report",
    ),
    _twin(
        "clicks: an edited text loses its codes", "src/tjapi/result/service/entry.py",
        "        same_words = self.coded is None and self.value == now.raw_value", "        same_words = self.coded is None",
        "tests/tjapi/result/test_clicks.py::test_a_text_edited_by_hand_loses_its_codes_visibly_and_the_same_words_sent_back_keep_them",
    ),
    _twin(
        "remarks: what is grave beside a value asks for a person", "src/tjapi/knowledge/rules.py",
        '    if given.get("grave") and known.remarks:', "    if False:",
        "tests/tjapi/result/test_remarks.py::test_a_remark_of_a_laboratory_alarms_with_its_sentence[value]",
    ),
    _twin(
        "remarks: what a laboratory says of its method is of nobody", "src/tjapi/result/rules/notes.py",
        "if one and not _LEGEND.search(one))", "if one)",
        "tests/tjapi/result/test_remarks.py::test_a_calm_remark_of_a_laboratory_alarms_of_nothing",
    ),
    _twin(
        "remarks: another remark is another event", "src/tjapi/critical_value/service.py",
        "if c.beside else c.known.same)", "if False else c.known.same)",
        "tests/tjapi/result/test_remarks.py::test_another_remark_beside_the_same_value_is_another_event",
    ),
    _twin(
        "remarks: words beside what nobody could read alarm", "src/tjapi/result/service/book.py",
        "        if any(is_grave(words, item.code, item.name) for words in (unread.raw, *unread.remarks)):", "        if False:",
        "tests/tjapi/result/test_remarks.py::test_grave_words_beside_what_nobody_could_read_alarm_as_well",
    ),
    _twin(
        "remarks: what a person wrote of one is stale beside another", "src/tjapi/result/service/case.py",
        'said_of("；".join((known.same, *_grave_beside(known))), known.unit', "said_of(known.same, known.unit",
        "tests/tjapi/result/test_remarks.py::test_what_tells_of_a_remark_follows_another_one",
    ),
    _twin(
        "notes: what calls a value critical weighs", "src/tjapi/result/rules/notes.py",
        "        or calls_critical(note)\n", "",
        "tests/tjapi/result/test_notes.py::test_a_note_that_calls_a_value_critical_alarms_wherever_it_stands[order]",
    ),
    _twin(
        "notes: what a note names it means", "src/tjapi/result/rules/notes.py",
        "return named or flagged or list", "return flagged or list",
        "tests/tjapi/result/test_notes.py::test_a_note_means_what_it_names_else_what_is_flagged_else_all",
    ),
    _twin(
        "notes: a specimen taken back is of all its values", "src/tjapi/result/rules/notes.py",
        "if voids(note) and _OF_ALL.search(note):", "if not note:",
        "tests/tjapi/result/test_retractions.py::test_a_code_is_named_as_a_word_and_a_specimen_is_of_all",
    ),
    _twin(
        "notes: another value in a note is asked about", "src/tjapi/result/rules/notes.py",
        "or amended(words, note) or (positive", "or (positive",
        "tests/tjapi/result/test_retractions.py::test_a_number_against_which_its_own_note_speaks_is_asked_about[\\u66f4\\u6b63\\uff1a7.2 mmol/L]",
    ),
    _twin(
        "notes: a positive word beside a normal number is asked about", "src/tjapi/result/rules/notes.py",
        'positive = kind in NUMBERS and flag == ""', "positive = False",
        "tests/tjapi/result/test_retractions.py::test_beside_a_number_and_a_text_notes_count_one_by_one_and_as_one",
    ),
    _twin(
        "notes: another finding in a note disputes a word", "src/tjapi/result/rules/values.py",
        "(*contradicted(words, note), *amended(words, note))", "contradicted(words, note)",
        "tests/tjapi/result/test_retractions.py::test_beside_a_number_and_a_text_notes_count_one_by_one_and_as_one",
    ),
    _twin(
        "notes: a note in several lines is one", "src/tjapi/result/rules/values.py",
        'return (*notes, "\\n".join(notes)) if len(notes) > 1 else tuple(notes)', "return tuple(notes)",
        "tests/tjapi/result/test_retractions.py::test_beside_a_number_and_a_text_notes_count_one_by_one_and_as_one",
    ),
    _twin(
        "notes: what is denied takes nothing back", "src/tjapi/result/rules/retractions.py",
        "return _DENIED.search(before) is None and", "return",
        "tests/tjapi/result/test_retractions.py::test_a_negation_a_condition_a_remark_and_a_footer_take_nothing_back[\\u672a\\u4f5c\\u5e9f]",
    ),
    _twin(
        "notes: what weighs on a report stands beside its values", "src/tjapi/result/service/filing.py",
        "replace(o, remarks=tuple(dict.fromkeys((*o.remarks, *own))))", "o",
        "tests/tjapi/result/test_notes.py::test_a_note_on_the_whole_report_that_takes_words_back_is_asked_of_each[void]",
    ),
    _twin(
        "notes: before all orders is of every order", "adapters/lis/hl7_mllp.py",
        "for group in self._found:\n            group", "for group in self._found[:1]:\n            group",
        "tests/tjapi/result/test_retractions.py::test_a_note_before_all_orders_is_of_every_order[behind the visit]",
    ),
    _twin(
        "results: an order withdrawn without values is asked", "src/tjapi/result/service/filing.py",
        "elif not result.observations and (why is not None", "elif result.observations and (why is not None",
        "tests/tjapi/result/test_notes.py::test_an_order_that_is_taken_back_without_values_asks_of_what_stands[cancelled]",
    ),
    _twin(
        "lis: of several specimens each refusal counts", "adapters/lis/hl7_mllp.py",
        "next((refused for refused in refusals if refused is not None), None)", "refusals[0]",
        "tests/tjapi/result/test_notes.py::test_a_refusal_of_the_first_of_two_specimens_is_not_lost",
    ),
    _twin(
        "lis: of several specimens each tube is followed", "adapters/lis/hl7_mllp.py",
        "and tube != told.barcode:", "and not tube:",
        "tests/tjapi/result/test_notes.py::test_a_report_on_the_tubes_of_two_people_is_filed_for_neither",
    ),
    _twin(
        "lis: the condition of a specimen is heard", "adapters/lis/hl7_mllp.py",
        "self._notes += self._conditions(segment, place)", "pass",
        "tests/tjapi/result/test_retractions.py::test_the_condition_of_a_specimen_is_heard[CLOT-items1]",
    ),
    _twin(
        "lis: a message in pieces is refused", "adapters/lis/hl7_mllp.py",
        'if segment.name in {"ADD", "DSC"}:', "if not segment.name:",
        "tests/tjapi/result/test_retractions.py::test_a_message_in_pieces_is_refused_by_name[ADD|\\u4f5c\\u5e9f\\uff0c\\u6807\\u672c\\u9519\\u8bef]",
    ),
    _twin(
        "lis: a segment that nobody understands is named", "adapters/lis/hl7_mllp.py",
        'self._leave(f"{place}: a segment that is not understood")', "pass",
        "tests/tjapi/result/test_retractions.py::test_what_is_not_understood_and_not_empty_is_named",
    ),
    _twin(
        "seen: what changes a sheet from outside moves its version", "src/tjapi/result/service/summarizing.py",
        'moved = sheet_.shown != shown if sheet_.state == "draft" else', 'moved = False if sheet_.state == "draft" else',
        f"{SEEN_TESTS}::test_a_sheet_that_corrected_facts_changed_is_not_signed_unseen",
    ),
    _twin(
        "seen: what stands beside a draft moves its version", "src/tjapi/conclusion/service/following.py",
        'if changed or asks or (found.state == "draft" and read not in (None, found.results_digest)):', "if changed or asks:",
        f"{SEEN_TESTS}::test_a_draft_whose_values_changed_is_not_signed_unseen",
    ),
    _twin(
        "seen: who may revoke reads the sheet", "src/tjapi/result/service/entry.py",
        "    if not uow.principal.may(REOPEN):\n        await _only_own(uow, exam_id, exam.campus_id, department_id)\n    async with uow.for_every_department():\n        sheet = _out(",
        "    await _only_own(uow, exam_id, exam.campus_id, department_id)\n    async with uow.for_every_department():\n        sheet = _out(",
        f"{SEEN_TESTS}::test_who_may_revoke_what_a_department_entered_reads_its_sheet_and_its_version",
    ),
    _twin(
        "findings: what nobody has judged is found nothing of", "src/tjapi/result/service/findings.py",
        'edition.fired("finding", case.decided, items)', 'edition.fired("finding", case, items)',
        f"{SEEN_TESTS}::test_a_sheet_that_corrected_facts_changed_is_not_signed_unseen",
    ),
    _twin(
        "amending: whatever differs for a reader is another", "src/tjapi/result/rules/revisions.py",
        '["result", str(one.result_id), *one.said]', '["result", str(one.result_id)]',
        f"{SAME_TESTS}::test_whatever_differs_for_a_reader_is_another",
    ),
    _twin(
        "amending: a value that came back is what was signed", "src/tjapi/result/rules/revisions.py",
        '["result", str(one.result_id), *one.said]', '["result", str(one.result_id), str(one.revision_id), *one.said]',
        f"{SAME_TESTS}::test_a_value_that_came_back_is_what_was_signed_and_its_tasks_are_closed",
    ),
    _twin(
        "giving up: a line without any value is not settled by an answer", "src/tjapi/result/service/giving_up.py",
        "is not None or waits:", "is not None:",
        "tests/tjapi/result/test_given_up.py::test_a_line_without_any_value_is_not_given_up_after_an_answer_either",
    ),
    _twin(
        "releases: a number of a cancelled exam alone leads to the next", "src/tjapi/result/service/filing.py",
        'if one.state == "cancelled" and same:', "if same:",
        f"{READINGS}::test_a_number_of_an_exam_that_is_not_cancelled_is_another_exams",
    ),
    _twin(
        "releases: of the same person alone", "src/tjapi/result/service/filing.py",
        'if one.state == "cancelled" and same:', 'if one.state == "cancelled":',
        f"{READINGS}::test_what_was_drawn_for_a_cancelled_exam_is_released_to_the_next_one_of_that_same_person_alone",
    ),
    _twin(
        "lists: an empty cell far out is no row", "src/tjapi/employer/sheets/archive.py",
        "    if _EMPTY.match(seen, at):\n        return False\n", "",
        f"{LIST_TESTS}/test_list_files.py::test_a_cell_far_out_that_only_has_a_format_is_no_row",
    ),
    _twin(
        "lists: a cell far out that holds something is too wide", "src/tjapi/employer/sheets/archive.py",
        "or _BEGUN.fullmatch(seen, at) is None", "",
        f"{LIST_TESTS}/test_list_files.py::test_a_cell_far_out_that_holds_something_is_too_wide",
    ),
    _twin(
        "lists: the day that only Excel has is asked back", "src/tjapi/employer/rules/cells.py",
        "if day == _BEFORE_NO_DAY:", "if False:",
        f"{LIST_TESTS}/test_cells.py::test_the_day_that_only_excel_has_is_asked_back",
    ),
    _twin(
        "notes: words that take a number back are asked about", "src/tjapi/result/service/book.py",
        "(revision.doubted or by_lab or voided or starred)", "(revision.doubted or by_lab or starred)",
        "tests/tjapi/result/test_contradictions.py::test_a_number_that_words_beside_it_take_back_is_asked_about",
    ),
    _twin(
        "alarm: a mild word of a reviewer tells of nothing critical", "src/tjapi/conclusion/service/following.py",
        "mild=entry.edited and not asks_to_act", "mild=entry.edited and not entry.title and not asks_to_act",
        f"{DERIVED}::test_a_critical_value_of_which_no_finding_speaks_is_an_entry_that_whoever_signs_has_read",
    ),
    _twin(
        "alarm: what is critical is listed again", "src/tjapi/conclusion/service/following.py",
        "*new, *untold])", "*new])",
        f"{ALARM_TESTS}::test_a_critical_value_that_was_taken_out_is_listed_again",
    ),
    _twin(
        "alarm: no finding advises to wait where all of it is critical", "src/tjapi/conclusion/service/following.py",
        "advice=SEE_ALERT if later else advice.advice", "advice=advice.advice",
        f"{ALARM_TESTS}::test_no_finding_advises_to_wait_where_all_of_it_is_critical",
    ),
    _twin(
        "alarm: what stands at no result is concluded", "src/tjapi/conclusion/service/alarming.py",
        "        return _of_no_value(alert)", "        return None",
        f"{ALARM_TESTS}::test_what_is_critical_and_stands_at_no_result_is_concluded_all_the_same",
    ),
    _twin(
        "alarm: a draft hears of what stands at no result", "src/tjapi/critical_value/service.py",
        "    await uow.publish(CriticalUnplaced(campus_id=exam.campus_id, exam_id=exam.id))", "",
        f"{ALARM_TESTS}::test_what_is_critical_and_stands_at_no_result_is_concluded_all_the_same",
    ),
    _twin(
        "claims: a stale entry is vouched for by what was written anew", "src/tjapi/conclusion/service/writing.py",
        "if was is not None and was.stale and not is_current(now, was) and not _is_vouched_for(now, given, was, keys):", "if was is None and now is None:",
        f"{DERIVED}::test_words_that_are_added_elsewhere_vouch_for_nothing_that_changed",
    ),
    _twin(
        "claims: old words are not written", "src/tjapi/result/service/claims.py",
        "or outdated_words(text, self.earlier, self.current)", "or not self.names",
        f"{DERIVED}::test_words_that_are_added_elsewhere_vouch_for_nothing_that_changed",
    ),
    _twin(
        "claims: what is critical no longer is called so nowhere", "src/tjapi/result/service/claims.py",
        "or false_claims(", "or (lambda *_, **__: False)(",
        f"{DERIVED}::test_what_is_critical_no_longer_is_called_so_in_no_words",
    ),
    _twin(
        "alarm: nobody is told that a critical value is left alone", "src/tjapi/conclusion/service/following.py",
        "if entry.edited and leaves_alone(", "if False and leaves_alone(",
        "tests/tjapi/conclusion/test_alarms.py::test_no_entry_that_tells_of_a_critical_value_says_that_nothing_is_to_be_done[advice]",
    ),
    _twin(
        "claims: what was written beside other values stays stale", "src/tjapi/conclusion/service/writing.py",
        "if not _says_the_same(was, given):", "if False:",
        f"{DERIVED}::test_words_that_were_changed_while_they_were_stale_are_stale_still_when_the_old_value_comes_back",
    ),
    _twin(
        "report: changes are those since what was given", "src/tjapi/report/service.py",
        "if r.published_at is not None), next(iter(earlier), None))", "if r is not None), None)",
        f"{REPORT_TESTS}/test_lifecycle.py::test_what_changed_is_held_against_what_was_published_last",
    ),
    _twin(
        "report: what a doctor signed where nothing was examined is printed", "src/tjapi/report/layout.py",
        "for of in map(_department_of, rows.sheets) if of not in examined", "for of in map(_department_of, rows.sheets) if of in examined",
        f"{REPORT_TESTS}/test_layout.py::test_what_a_doctor_signed_is_printed_where_nothing_was_examined",
    ),
    _twin(
        "claims: nobody denies that what is critical is so", "src/tjapi/knowledge/claims.py",
        "return some and not _OF_ANOTHER.search(before)", "return False",
        "tests/tjapi/knowledge/test_claims.py::test_a_denial_that_names_no_item_speaks_of_what_its_entry_rests_on",
    ),
    _twin(
        "claims: no rise is told of what did not rise", "src/tjapi/knowledge/claims.py",
        "        if told <= _NOT[side]\n", "        if not told\n",
        "tests/tjapi/knowledge/test_claims.py::test_no_rise_is_told_of_what_did_not_rise",
    ),
    _twin(
        "words: normal in brackets is said of what stands before them", "src/tjapi/knowledge/calm.py",
        "_BRACKETED.sub(_opened, sentence)", "sentence",
        "tests/tjapi/knowledge/test_words.py::test_a_flagged_value_is_called_normal_in_brackets_and_after_its_figure",
    ),
    _twin(
        "words: a degree is held against the value's", "src/tjapi/knowledge/claims.py",
        "if all(claimed.denies(one)", "if False and all(claimed.denies(one)",
        "tests/tjapi/knowledge/test_claims.py::test_no_degree_and_no_sign_is_told_of_an_item_that_its_value_has_not",
    ),
    _twin(
        "words: what a finding stands on is not called normal", "src/tjapi/conclusion/rules.py",
        "if known.flag or known.result_id in found]", "if known.flag]",
        "tests/tjapi/conclusion/test_conclusion_rules.py::test_what_a_finding_stands_on_is_not_called_normal_though_nothing_flags_it",
    ),
    _twin(
        "words: a name within a longer one is another item's", "src/tjapi/knowledge/names.py",
        "_ANOTHERS.search(item[:at]) is None", "True",
        "tests/tjapi/knowledge/test_words.py::test_what_is_normal_beside_many_flags_may_be_said",
    ),
    _twin(
        "claims: a risk's grade is no alarm", "src/tjapi/result/rules/flags.py",
        '_CRITICAL_INSIDE.search(_RISKS.sub("", word))', "_CRITICAL_INSIDE.search(word)",
        "tests/tjapi/result/test_contradictions.py::test_a_grade_of_a_risk_is_no_alarm_and_is_asked_about",
    ),
    _twin(
        "claims: a finding that is gone is not confirmed", "src/tjapi/result/service/claims.py",
        "or gone_names(text, self.once | set(gone), self.names)", "or False",
        f"{DERIVED}::test_a_finding_that_went_with_a_corrected_sex_is_confirmed_by_no_full_stop[named]",
    ),
    _twin(
        "words: noughts are no power of ten", "src/tjapi/knowledge/words.py",
        "text = _NOUGHTS.sub(", "text = re.compile('$.').sub(",
        f"{REPORT_TESTS}/test_document.py::test_units_are_printed_as_a_laboratory_prints_them",
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
        "campaign: a day's quota", "src/tjapi/groupdesk/rules.py",
        "return there >= place.quota or", "return place.quota < 0 or",
        f"{GROUP_TESTS}/test_group_desk.py::test_members_are_spread_over_days_by_quota_and_whom_no_day_takes_hears_so",
    ),
    _twin(
        "campaign: who has arrived is left alone", "src/tjapi/groupdesk/rules.py",
        'return "arrived" if exam_state is not None and exam_state not in NOTHING_TO_LOSE else None', 'return "arrived" if exam_state == "finalized" else None',
        f"{GROUP_TESTS}/test_group_desk.py::test_moving_to_another_group_prices_anew_whoever_has_not_arrived_and_says_who_was_left_alone",
    ),
    _twin(
        "campaign: the booked are not relisted", "src/tjapi/employer/service/members.py",
        'if found.state not in ("no_show", "cancelled"):', 'if found.state == "done":',
        f"{GROUP_TESTS}/test_campaign_model.py::test_whatever_is_done_to_a_campaign_its_counts_and_states_are_those_of_the_model[1]",
    ),
    _twin(
        "campaign: a past day", "src/tjapi/groupdesk/rules.py",
        "if day < today:", "if day < date.min:",
        f"{GROUP_TESTS}/test_booking_days.py::test_a_plan_with_a_past_a_closed_and_an_empty_day_is_refused_by_name_and_books_nobody",
    ),
    _twin(
        "campaign: a closed day", "src/tjapi/groupdesk/rules.py",
        "if offer.closed:", "if offer.closed and day < today:",
        f"{GROUP_TESTS}/test_booking_days.py::test_a_day_that_is_closed_after_the_plan_takes_nobody_and_whom_it_leaves_out_is_told[True]",
    ),
    _twin(
        "campaign: a future booking is no no-show", "src/tjapi/groupdesk/rules.py",
        'return "not-due" if exam_day >= today else None', "return None",
        f"{GROUP_TESTS}/test_ends.py::test_what_is_not_true_is_refused_by_name_and_nobody_of_the_command_is_decided",
    ),
    _twin(
        "campaign: an exam under way is not done", "src/tjapi/groupdesk/rules.py",
        'return "not-examined" if exam_state is None or exam_state in NOTHING_TO_LOSE else "being-examined"',
        'return "not-examined" if exam_state is None or exam_state in NOTHING_TO_LOSE else None',
        f"{GROUP_TESTS}/test_ends.py::test_what_is_not_true_is_refused_by_name_and_nobody_of_the_command_is_decided",
    ),
    _twin(
        "campaign: what was done is open again when the exam is taken back", "src/tjapi/groupdesk/service.py",
        "for member_id in await views.taken_back(uow, campaign_id):", "for member_id in ():",
        f"{GROUP_TESTS}/test_ends.py::test_who_was_done_and_is_examined_again_is_open_again",
    ),
    _twin(
        "campaign: a repricing goes on where it was", "src/tjapi/groupdesk/service.py",
        "there = await employers.repriced_already(uow, job_id)", "there: set[UUID] = set()",
        f"{GROUP_TESTS}/test_repricing.py::test_a_repricing_killed_in_the_middle_answers_for_everybody_when_it_goes_on",
    ),
    _twin(
        "campaign: the package by sex", "src/tjapi/pricing/rules.py",
        'for key, of, groups in offered if of in ("any", sex) and', "for key, of, groups in offered if",
        f"{GROUP_TESTS}/test_repricing.py::test_members_take_the_package_of_their_sex_when_booked_and_when_moved",
    ),
    _twin(
        "campaign: exclusive choices", "src/tjapi/employer/rules/offers.py",
        "if most < choice.choose <= len(names):", "if most < 0:",
        f"{LIST_TESTS}/test_offers.py::test_what_can_never_be_is_named_by_its_field[a choice of exclusive ones, both]",
    ),
    _twin(
        "campaign: exclusive item groups", "src/tjapi/employer/rules/offers.py",
        "if pair in exclusions:", "if not pair:",
        f"{LIST_TESTS}/test_offers.py::test_a_group_that_excludes_itself_is_refused_when_it_is_saved_and_nothing_of_it_is_kept",
    ),
    _twin(
        "campaign: a choice is judged when it is saved", "src/tjapi/groupdesk/service.py",
        "if patch.model_fields_set & CHOSEN and", "if not patch.model_fields_set and",
        f"{GROUP_TESTS}/test_repricing.py::test_a_choice_that_cannot_be_ordered_is_refused_before_it_is_kept",
    ),
    _twin(
        "list: a hidden table is not read unasked", "src/tjapi/employer/rules/headers.py",
        "if table.listing and not table.hidden]", "if table.listing]",
        f"{LIST_TESTS}/test_list_files.py::test_no_choice_of_tables_takes_a_hidden_one_unasked",
    ),
    _twin(
        "list: two tables are asked about", "src/tjapi/employer/rules/headers.py",
        "if len(found) == 1:", "if found:",
        f"{LIST_TESTS}/test_member_import.py::test_two_tables_are_asked_about_and_the_one_that_is_said_is_read_with_the_hidden_ones_named",
    ),
    _twin(
        "list: hidden rows are named", "src/tjapi/employer/sheets/archive.py",
        "if _HIDDEN.search(found[1]):", "if not found:",
        f"{LIST_TESTS}/test_list_files.py::test_nothing_hidden_is_read_in_silence[a row]",
    ),
    _twin(
        "list: what is merged", "src/tjapi/employer/sheets/__init__.py",
        "if own[row] and left < len(rows[row])", "if not own[row] and left < len(rows[row])",
        f"{LIST_TESTS}/test_list_files.py::test_what_is_merged_downwards_is_said_for_all_its_rows[a department for two]",
    ),
    _twin(
        "list: an update shows the old", "src/tjapi/employer/service/importing.py",
        'told = {"before": before[column] or "", ', 'told = {"before": after[column] or "", ',
        f"{LIST_TESTS}/test_member_import.py::test_changed_cells_are_listed_and_blank_ones_change_nothing",
    ),
    _twin(
        "list: whoever may be somebody is no note", "src/tjapi/employer/rules/headers.py",
        'if any(name in ("id_number", "employee_no") for name, _ in said[1:]):', 'if any(name == "group" for name, _ in said[1:]):',
        f"{LIST_TESTS}/test_list_files.py::test_whoever_may_be_somebody_is_never_taken_for_a_note[row5]",
    ),
    _twin(
        "list: all or nothing", "src/tjapi/employer/service/importing.py",
        'if mode == "atomic" and found.bad:', 'if mode == "never":',
        f"{LIST_TESTS}/test_member_import.py::test_every_error_names_its_row_and_column_and_nothing_is_half_taken_over",
    ),
    _twin(
        "list: a bomb is counted", "src/tjapi/employer/sheets/archive.py",
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
    _twin(
        "orders: a withdrawal spares what is given beside it", "src/tjapi/result/rules/revisions.py",
        "if f.moment <= wrong.moment and f.value not in given]", "if f.moment <= wrong.moment]",
        "tests/tjapi/result/test_withdrawn_beside.py::test_a_withdrawal_concerns_its_own_number_and_not_the_one_beside_it[nothing-blank]",
    ),
    _twin(
        "orders: one number given and taken back is asked", "src/tjapi/result/service/filing.py",
        "            _ask_both(uow, book, entry)\n", "",
        "tests/tjapi/result/test_withdrawn_beside.py::test_one_number_that_is_withdrawn_and_given_in_one_message_is_asked_about[taken back first-True]",
    ),
    _twin(
        "orders: ORC-5 takes back", "src/tjapi/result/rules/orders.py",
        " or order_status in _ORDER_STATUS:", ":",
        "tests/tjapi/result/test_orders.py::test_an_order_that_is_taken_back_beside_final_values_is_asked_on_every_item[-RE||||CA]",
    ),
    _twin(
        "orders: an explicit null is asked", "src/tjapi/result/service/filing.py",
        "emptied = (said.amends or deletes) and (", "emptied = said.amends and (",
        "tests/tjapi/result/test_orders.py::test_a_value_that_is_deleted_explicitly_is_asked_about[NM]",
    ),
    _twin(
        "orders: another specimen is held", "src/tjapi/result/rules/orders.py",
        "if kind is not None and kind not in fits:", "if kind is None and kind not in fits:",
        "tests/tjapi/result/test_orders.py::test_values_of_another_specimen_than_the_tubes_are_held_and_asked_about[UR^Urine^HL70487-]",
    ),
    _twin(
        "orders: a control is nobody's result", "adapters/lis/hl7_mllp.py",
        "        self._refuse_others()\n", "",
        "tests/tjapi/result/test_orders.py::test_a_control_is_refused_by_name[SER-C]",
    ),
    _twin(
        "orders: a star that only the laboratory judges is asked", "src/tjapi/result/service/book.py",
        "or voided or starred)", "or voided)",
        "tests/tjapi/result/test_orders.py::test_a_mark_on_a_number_that_only_the_laboratory_judges_is_asked_about[*]",
    ),
    # alarms
    _twin(
        "alarms: grave words that nobody filed alarm", "src/tjapi/result/service/filing.py",
        "    codes |= grave\n", "",
        "tests/tjapi/result/test_grave_unmatched.py::test_grave_words_of_nobody_known_make_their_message_alarming",
    ),
    _twin(
        "alarms: grave words in a refused message alarm", "src/tjapi/result/rules/raw.py",
        "if not taken_back and grave_sentence([text]):", "if not taken_back and not text:",
        "tests/tjapi/result/test_grave_unmatched.py::test_grave_words_of_a_message_refused_at_the_door_are_named",
    ),
    _twin(
        "alarms: nobody is proposed who is not named in full", "src/tjapi/result/service/filing.py",
        'if not report.patient_name or report.patient_sex not in ("male", "female") or report.patient_birth_date is None:', "if not report.numbers and False:",
        "tests/tjapi/result/test_grave_unmatched.py::test_nobody_is_proposed_who_is_not_named_in_full",
    ),
    _twin(
        "hints: what results hint at holds lines", "src/tjapi/exam/service/suiting.py",
        "exam.pregnant or PREGNANT in open_hints or None", "exam.pregnant",
        "tests/tjapi/exam/test_hints.py::test_a_positive_test_holds_what_is_not_for_who_is_pregnant_until_a_person_has_asked_her",
    ),
    _twin(
        "hints: no examination through the vagina unasked", "src/tjapi/pricing/rules.py",
        "if (person.no_intercourse or child) and", "if person.no_intercourse and child and",
        "tests/tjapi/exam/test_hints.py::test_who_had_no_intercourse_is_examined_through_the_vagina_of_nobody_unasked",
    ),
    _twin(
        "criticals: seen by whose exam it is", "src/tjapi/critical_value/repository.py",
        "    if seen_by is not None:\n", "    if seen_by == ():\n",
        "tests/tjapi/critical_value/test_critical_value.py::test_values_of_an_exam_without_a_line_of_ones_own_department_are_seen_by_nobody_of_another",
    ),
    _twin(
        "criticals: a reason says something", "src/tjapi/critical_value/service.py",
        "    if not is_reason(reason):\n", "    if not reason:\n",
        "tests/tjapi/critical_value/test_critical_value.py::test_dismissing_needs_a_reason_that_says_something",
    ),
    _twin(
        "consent: signed by the person or a guardian", "src/tjapi/exam/service/changing.py",
        "    if signed is None:\n", '    if signed == "":\n',
        "tests/tjapi/exam/test_hints.py::test_consent_is_signed_by_the_person_or_by_a_guardian_who_is_named_with_the_relation",
    ),
    _twin(
        "answers: nobody calls normal what its laboratory flags", "src/tjapi/result/service/answering.py",
        'if answer == "normal" and (lab_flag(marks) or lab_critical(marks)):', 'if answer == "never" and (lab_flag(marks) or lab_critical(marks)):',
        "tests/tjapi/result/test_second_words.py::test_nobody_calls_normal_what_its_laboratory_flags",
    ),
    _twin(
        "revisions: a later correction holds", "src/tjapi/result/service/filing.py",
        'if status == "corrected":\n        # Of two', 'if status == "never":\n        # Of two',
        "tests/tjapi/result/test_second_words.py::test_of_two_corrections_of_one_moment_the_one_that_was_sent_later_holds",
    ),
    # texts
    _twin(
        "texts: what has a degree behind a denied list is there", "src/tjapi/knowledge/assertions.py",
        "            if asserts or _is_apart(clauses, k):", "            if _is_apart(clauses, k):",
        "tests/tjapi/knowledge/test_descriptions_telegrams.py::test_what_has_a_degree_of_its_own_behind_a_denied_list_is_there",
    ),
    _twin(
        "texts: what may go on with a denied list is listed", "src/tjapi/knowledge/descriptions.py",
        "understood = understood and not undecided and not _is_only_unseen(clauses)", "understood = understood and not _is_only_unseen(clauses)",
        "tests/tjapi/knowledge/test_descriptions_telegrams.py::test_what_may_or_may_not_go_on_with_a_denied_list_stands_and_is_listed",
    ),
    _twin(
        "texts: an organ that was not seen is listed", "src/tjapi/knowledge/descriptions.py",
        "understood = understood and not undecided and not _is_only_unseen(clauses)", "understood = understood and not undecided",
        "tests/tjapi/knowledge/test_descriptions_ways.py::test_an_organ_that_was_not_seen_is_listed",
    ),
    _twin(
        "texts: what is grave stays grave at another organ", "src/tjapi/knowledge/lexicon.py",
        "grave=harm.grave or own.grave, usual=False", "grave=False, usual=False",
        "tests/tjapi/knowledge/test_descriptions_telegrams.py::test_what_is_grave_stays_grave_at_another_organ",
    ),
    _twin(
        "results: a description that names a finding is abnormal", "src/tjapi/result/views.py",
        "r.id = any(one.result_ids))))\n", "r.id <> all(one.result_ids) and false)))\n",
        "tests/tjapi/result/test_clicks.py::test_a_description_that_names_a_finding_is_among_what_is_abnormal",
    ),
    # of the pages of a report
    _twin(
        "report: today is said once of an organ", "src/tjapi/report/layout.py",
        "    if entry.advice != GIVES_WAY:", "    if entry.advice:",
        "tests/tjapi/report/test_layout.py::test_today_is_said_once_of_an_organ_and_what_gives_way_names_where",
    ),
    _twin(
        "report: what is grave stands before what is chronic", "src/tjapi/report/rules.py",
        "return (2, days[place]) if place in days else (3, kind)", "return 3, kind",
        "tests/tjapi/report/test_layout.py::test_what_is_grave_stands_before_what_is_chronic_the_shortest_time_first",
    ),
    _twin(
        "conclusion: grave words of two organs are two entries", "src/tjapi/conclusion/service/alarming.py",
        "alert.rule_code in (LAB_ALARM, TEXT_GRAVE) else", "alert.rule_code == LAB_ALARM else",
        "tests/tjapi/conclusion/test_alarms.py::test_grave_words_of_two_organs_are_two_entries_each_with_its_own_sentence",
    ),
    # faces: production, operator, handbook
    _twin(
        "faces: production is the default", "src/tjapi/kernel/settings.py",
        '        "production",\n        description="demo loads', '        "demo",\n        description="demo loads',
        "tests/tjapi/test_starting.py::test_every_command_is_production_unless_told_and_up_is_the_demo",
    ),
    _twin(
        "faces: up leaves a production's folder one", "src/tjapi/up.py",
        " or (state / installation.GATEWAY_SECRET).exists()", "",
        "tests/tjapi/test_starting.py::test_up_makes_no_demo_of_a_folder_that_a_production_left",
    ),
    _twin(
        "faces: a key that nobody drew is refused", "src/tjapi/starting.py",
        "        if is_worthless(key):", "        if not key:",
        "tests/tjapi/test_starting.py::test_production_refuses_default_key_demo_name_and_demo_seal_and_says_each",
    ),
    _twin(
        "faces: a printable key is worthless", "src/tjapi/kernel/security/keys.py",
        " or all(0x20 <= byte < 0x7F for byte in master)", "",
        "tests/tjapi/test_starting.py::test_a_key_that_nobody_drew_is_worthless[abcdefghijklmnopqrstuvwxyz012345-True]",
    ),
    _twin(
        "faces: the demo's seal is refused", "src/tjapi/starting.py",
        "    if is_demo_seal(settings.seal_folder):", "    if False:",
        "tests/tjapi/test_starting.py::test_production_refuses_default_key_demo_name_and_demo_seal_and_says_each",
    ),
    _twin(
        "faces: the demo's accounts are refused", "src/tjapi/starting.py",
        "    if not found:\n        return []\n    listed", "    if found:\n        return []\n    listed",
        "tests/tjapi/test_starting.py::test_production_does_not_start_over_the_demos_accounts",
    ),
    _twin(
        "faces: another backend is noticed", "src/tjapi/kernel/db.py",
        '            if await first.fetchval("select pg_backend_pid()") != first.get_server_pid():\n                return False\n', "",
        "tests/tjapi/test_starting.py::test_behind_a_real_pooler_nothing_starts_and_it_is_said[lenient-session]",
    ),
    _twin(
        "faces: a pooler that refuses our settings is one", "src/tjapi/kernel/db.py",
        "            asyncpg.ProtocolViolationError,\n        ):\n            return False", "            asyncpg.CardinalityViolationError,\n        ):\n            return False",
        "tests/tjapi/test_starting.py::test_behind_a_real_pooler_nothing_starts_and_it_is_said[strict-session]",
    ),
    _twin(
        "faces: nothing is kept unless it says so", "src/tjapi/kernel/middleware.py",
        "*self._safe, *kept]", "*self._safe]",
        "tests/tjapi/test_starting.py::test_no_answer_is_kept_by_a_browser_unless_it_says_so",
    ),
    _twin(
        "faces: HSTS where HTTPS is", "src/tjapi/app.py",
        'hsts_seconds=settings.hsts_seconds if settings.base_url.startswith("https://") else 0', "hsts_seconds=settings.hsts_seconds",
        "tests/tjapi/test_starting.py::test_browsers_are_told_to_keep_to_https_where_it_is_served[http://tj.example-600-None]",
    ),
    _twin(
        "faces: metrics not through an unnamed proxy", "src/tjapi/app.py",
        '    if "x-forwarded-for" in request.headers and not is_proxied_ours:\n        return False\n', "",
        "tests/tjapi/test_starting.py::test_metrics_are_read_by_named_addresses_alone",
    ),
    _twin(
        "faces: no reference where it is not set", "src/tjapi/kernel/docs.py",
        "    if reference:\n        _mount_reference", "    if True:\n        _mount_reference",
        "tests/tjapi/test_starting.py::test_the_reference_is_served_where_it_is_set_and_in_the_demo_alone_by_default",
    ),
    _twin(
        "faces: the image refuses a bare tag", "Dockerfile",
        "grep -Eq '@sha256:[0-9a-f]{64}$'", "grep -Eq '.'",
        "tests/tjapi/test_supply.py::test_the_image_takes_a_digest_and_refuses_a_bare_tag",
    ),
    _twin(
        "faces: no capabilities", "compose.yaml",
        "  cap_drop: [ALL]\n", "",
        "tests/tjapi/test_supply.py::test_nothing_runs_as_root_writes_its_image_or_holds_a_capability[api]",
    ),
    _twin(
        "faces: the gateway holds no key", "compose.yaml",
        '"gateway-secret:/run/gateway-secret:ro"]', '"gateway-secret:/run/gateway-secret:ro", "state:/var/lib/tjapi"]',
        "tests/tjapi/test_supply.py::test_each_service_holds_the_secrets_it_needs_and_no_other",
    ),
    _twin(
        "faces: a version that cannot be ordered is a hit", "src/tjapi/supply.py",
        "    except InvalidVersion:\n        return True", "    except InvalidVersion:\n        return False",
        "tests/tjapi/test_supply.py::test_a_range_of_versions_is_held_against_what_is_installed[affected11-True]",
    ),
    _twin(
        "faces: no advisories is no clean bill", "src/tjapi/cli.py",
        "        raise typer.Exit(2)\n    try:\n        known", "        raise typer.Exit(0)\n    try:\n        known",
        "tests/tjapi/test_supply.py::test_advisories_say_their_date_or_that_none_is_held",
    ),
    _twin(
        "faces: settings show no password", "src/tjapi/kernel/settings.py",
        '_PASSWORD.sub(r"\\1***@", ', '_PASSWORD.sub(r"\\g<0>", ',
        "tests/tjapi/test_operator.py::test_settings_print_what_they_hold_and_no_secret",
    ),
    _twin(
        "faces: the doctor names a neighbour", "src/tjapi/doctor.py",
        'if name[0] == "tjapi_jobs_retrying" and n}', 'if name[0] == "tjapi_jobs_retrying" and not n}',
        "tests/tjapi/test_operator.py::test_the_doctor_judges_the_figures_and_names_who_does_not_answer",
    ),
    _twin(
        "faces: an alarm names what is served", "monitoring/alerts.yml",
        'kind="overdue"}) > 0', 'kind="overdue"} + tjapi_criticals_late) > 0',
        "tests/tjapi/test_operator.py::test_every_metric_that_an_alarm_names_is_served",
    ),
    _twin(
        "faces: the handbook is as the code", "docs/zh/reference/events.md",
        "| `exam` | `exam.read` |", "| `exam` | `exam.write` |",
        "tests/tjapi/test_handbook.py::test_the_written_pages_are_what_the_code_writes",
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
