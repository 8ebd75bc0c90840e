"""Lists of members from files: judged row by row against the campaign, shown as they would be taken over, and then taken over."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import (
    MemberImportHasErrors,
    MemberImportNotFound,
    MemberImportStateConflict,
)
from tjapi.employer.models import MemberImport, MemberImportEntry
from tjapi.employer.rules.campaigns import IMPORT_MOVES, GroupRule, may_move, place
from tjapi.employer.rules.cells import SENTENCES, Row
from tjapi.employer.rules.headers import SYNONYMS, LineKind, TableSeen
from tjapi.employer.schemas import ImportEntryOut
from tjapi.employer.service.campaigns import campaign, lock_campaign
from tjapi.employer.service.employers import employer
from tjapi.employer.service.placing import facts_of, place_all, rules_of
from tjapi.employer.sheets import Note, Sheet
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import folded, is_one_name
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7, uuid7s
from tjapi.kernel.security.fields import FieldCipher, mask_id_number, mask_phone
from tjapi.kernel.uow import UnitOfWork

Seal = Callable[[str, str], bytes]
READ, COMMIT = "employer.read_members", "employer.commit_members"
MOST_ENTRIES = 5_000
"""So many errors, warnings and changes each are kept to say about the rows of a file; whoever has more begins with these."""
HEADERS: dict[str, str] = {name: words[0] for name, words in SYNONYMS.items()}
"""What a column is called of which the file has none: a group that follows from a rule."""
_PLAIN = ("employee_no", "department", "post", "note")
_KEPT_WHERE_BLANK = (*_PLAIN, "birth_date")


async def accept(uow: UnitOfWork, campaign_id: UUID, *, file: str, sha256: bytes, size: int, kind: str) -> MemberImport:
    """Take in a file that is kept; a job reads it. Raises CampaignNotFound, CampaignStateConflict."""
    found = await lock_campaign(uow, campaign_id)
    made = MemberImport(
        id=uuid7(), campus_id=found.campus_id, campaign_id=campaign_id, file=file, sha256=sha256, size=size, kind=kind, state="received", mapping={},
        created_by=uow.principal.id, created_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    await uow.session.flush()
    made.job_id = await uow.enqueue(READ, {"import_id": str(made.id)}, campus_id=made.campus_id, key=f"{made.id}:1")
    await uow.audit("member_import.received", "member_import", made.id, campus_id=made.campus_id)
    return made


async def map_columns(
    uow: UnitOfWork, import_id: UUID, mapping: Mapping[str, str], table: str | None = None
) -> MemberImport:
    """Say how the columns of a file are to be read, remember it for the employer, and which table is the list; and read the file again.

    Raises MemberImportNotFound, MemberImportStateConflict, CampaignStateConflict.
    """
    found = await _locked(uow, import_id)
    _move(found, "received")
    listed_in = await campaign(uow, found.campaign_id)
    unit = await repository.employer(uow, listed_in.employer_id, lock=True)
    assert unit is not None, "a campaign has an employer"
    unit.column_mapping = {**unit.column_mapping, **mapping}
    found.table_wanted = table or found.table_wanted
    key = f"{found.id}:{uow.now.timestamp()}"
    found.refusal = None
    found.job_id = await uow.enqueue(READ, {"import_id": str(found.id)}, campus_id=found.campus_id, key=key)
    await uow.audit("member_import.mapped", "member_import", found.id, campus_id=found.campus_id)
    return found


async def confirm(uow: UnitOfWork, import_id: UUID, mode: str) -> MemberImport:
    """Have a previewed list taken over by a job. Raises MemberImportNotFound, MemberImportStateConflict, MemberImportHasErrors."""
    found = await _locked(uow, import_id)
    if found.state != "previewed":
        raise MemberImportStateConflict("导入当前为「{current}」", "The import is {current}", current=found.state)
    if mode == "atomic" and found.bad:
        raise MemberImportHasErrors
    found.job_id = await uow.enqueue(COMMIT, {"import_id": str(found.id)}, campus_id=found.campus_id, key=str(found.id))
    await uow.audit(
        "member_import.commit_asked", "member_import", found.id, campus_id=found.campus_id, detail={"mode": mode}
    )
    return found


async def discard(uow: UnitOfWork, import_id: UUID) -> MemberImport:
    """Give a list up: what was read of it is forgotten by a job of the worker's role. Raises MemberImportNotFound, MemberImportStateConflict."""
    found = await _locked(uow, import_id)
    _move(found, "discarded")
    found.file = None
    found.job_id = await uow.enqueue(
        COMMIT, {"import_id": str(found.id)}, campus_id=found.campus_id, key=f"{found.id}:discard"
    )
    await uow.audit("member_import.discarded", "member_import", found.id, campus_id=found.campus_id)
    return found


async def take_over(uow: UnitOfWork, import_id: UUID) -> MemberImport:
    """Make members of what a list says, all at once; being done already is no error. For the worker.

    A list that was changed by another hand since the preview is refused: what was shown would not be what happens.
    """
    seen = await member_import(uow, import_id)
    if seen.state == "discarded":
        await repository.clear_staging(uow, import_id)
    if seen.state != "previewed":
        return seen
    listed_in = await lock_campaign(uow, seen.campaign_id)
    found = await _locked(uow, import_id, active=False)
    staged = await repository.staged(uow, import_id)
    if staged != found.added + found.changed or await repository.clashes(uow, found):
        await refuse(uow, import_id, "changed_meanwhile")
        return found
    await repository.take_over(uow, found, await repository.last_list_no(uow, found.campaign_id))
    if found.campaign_version != listed_in.version:  # a group or the first day changed since the preview
        await place_all(uow, listed_in)
    _move(found, "committed")
    found.committed_at, found.file = uow.now, None
    detail = {"added": found.added, "changed": found.changed, "bad": found.bad}
    await uow.audit("member_import.committed", "member_import", found.id, campus_id=found.campus_id, detail=detail)
    return found


async def refuse(uow: UnitOfWork, import_id: UUID, code: str, tables: Sequence[TableSeen] = ()) -> None:
    """Say why a file is no list, and which tables it has; `code` is one of the sheets' refusals or of SENTENCES."""
    found = await _locked(uow, import_id, active=False)
    if found.state in ("previewed", "received"):
        if found.state == "previewed":
            _move(found, "received")
            await uow.session.flush()
        _move(found, "refused")
        zh, en = SENTENCES[code]
        found.refusal = {"code": code, "zh": zh, "en": en}
        found.tables = _tables(tables) or found.tables


def _tables(seen: Sequence[TableSeen]) -> list[dict[str, Any]]:
    return [{"name": one.name, "hidden": one.hidden, "has_columns": one.has_columns} for one in seen if one.name]


async def _locked(uow: UnitOfWork, import_id: UUID, *, active: bool = True) -> MemberImport:
    seen = await member_import(uow, import_id)
    if active:
        await lock_campaign(uow, seen.campaign_id)
    found = await repository.member_import(uow, import_id, lock=True)
    assert found is not None, "imports are not deleted"
    return found


async def member_import(uow: UnitOfWork, import_id: UUID) -> MemberImport:
    """Return an import. Raises MemberImportNotFound."""
    found = await repository.member_import(uow, import_id)
    if found is None:
        raise MemberImportNotFound
    return found


async def entries(
    uow: UnitOfWork, import_id: UUID, *, kind: str | None, after: Sequence[str] | None, size: int
) -> Sequence[MemberImportEntry]:
    """Return a page of what there is to say about a file's rows, one too many. Raises MemberImportNotFound."""
    await member_import(uow, import_id)
    return await repository.entries_page(uow, import_id, kind=kind, after=after, size=size)


def entry_out(row: MemberImportEntry) -> ImportEntryOut:
    """Return the public shape of an entry, with its sentences."""
    zh, en = (sentence.format(**row.detail) for sentence in SENTENCES[row.code])
    return ImportEntryOut(
        row_no=row.row_no, kind=row.kind, header=row.header, code=row.code, zh=zh, en=en, before=row.detail.get("before"), after=row.detail.get("after"),
    )  # fmt: skip


def _move(found: MemberImport, to: str) -> None:
    if not may_move(IMPORT_MOVES, found.state, to):
        raise MemberImportStateConflict("导入当前为「{current}」", "The import is {current}", current=found.state)
    found.state = to


@dataclass(slots=True)
class Entry:
    """One thing to say about a row."""

    row_no: int
    kind: str
    header: str
    code: str
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Judge:
    """Holds rows against a campaign: its members, groups and rules, and the rows before. What it found is in its fields.

    It touches no database: it works in a thread while the worker's loop goes on. A blank cell says nothing: what is known stays.
    """

    import_id: UUID
    cipher: FieldCipher
    day: date
    today: date
    rules: Sequence[GroupRule]
    groups: Mapping[str, UUID]
    by_number: dict[bytes, Any]
    by_employee_no: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    known_names: dict[bytes, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    total: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    codes: Mapping[UUID, str] = field(default_factory=dict)
    _kept: Counter[str] = field(default_factory=Counter)
    _unnamed: list[int] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _employee_nos: dict[str, int] = field(default_factory=dict)
    _placements: dict[Any, tuple[UUID | None, str, str]] = field(default_factory=dict)

    def indexed(self, rows: Sequence[Row]) -> list[tuple[Row, bytes | None]]:
        """Return rows with the blind index of their ID numbers."""
        blind = self.cipher.blind_index
        return [(row, None if row.id_number is None else blind(row.id_number, "id_number")) for row in rows]

    def judge(self, rows: Sequence[tuple[Row, bytes | None]]) -> list[tuple[Any, ...]]:
        """Judge rows, and return those that would change the list, as staging takes them."""
        staged = []
        seal, new = self.cipher.sealing(2 * len(rows)), uuid7s(len(rows))
        for row, index in rows:
            self.total += 1
            known = self._known(row, index)
            self._hold_against_the_file(row, index)
            known_name = None if index is None else self.known_names.get(index)
            if known_name is not None and not is_one_name(known_name, row.name):
                row.faults.append(("name", "known_as_another"))
            group_id = None if row.group is None else self.groups.get(folded(row.group))
            if row.group is not None and group_id is None:
                row.faults.append(("group", "group_unknown"))
            if row.faults:
                self.bad += 1
                for column, code in row.faults:
                    self._say(row.number, "error", column, code)
                continue
            values = self._values(row, index, known, group_id, seal, new)
            if values is not None:
                staged.append(values)
        return staged

    def note(self, found: Sequence[Note]) -> None:
        """Say what is to be said of a file before its rows are read."""
        for one in found:
            self._keep(Entry(one.row_no, "warning", one.about, one.code))

    def left_out(self, row_no: int, kind: LineKind) -> None:
        """Say that a row is nobody's."""
        if kind == "unnamed":
            self._unnamed.append(row_no)
        elif kind != "blank":
            self._keep(Entry(row_no, "warning", "", "footer" if kind == "footer" else "header_again"))

    def end(self) -> None:
        """Say what can be said only when every row was seen, in the order of the file."""
        if self._unnamed:
            detail = {"row": str(self._unnamed[0]), "count": str(len(self._unnamed))}
            self._keep(Entry(0, "warning", "", "unnamed", detail))
        self.entries.sort(key=lambda entry: entry.row_no)

    def _say(self, row_no: int, kind: str, column: str, code: str, detail: Mapping[str, str] | None = None) -> None:
        code, _, told = code.partition("|")
        header = self.headers.get(column) or HEADERS.get(column, column)
        self._keep(Entry(row_no, kind, header, code, {**(detail or {}), **({"row": told} if told else {})}))

    def _keep(self, entry: Entry) -> None:
        """Keep so many of each kind: what is hidden in a file of thousands must not leave its errors unsaid."""
        if self._kept[entry.kind] < MOST_ENTRIES:
            self._kept[entry.kind] += 1
            self.entries.append(entry)

    def _known(self, row: Row, index: bytes | None) -> Any:
        by_number = None if index is None else self.by_number.get(index)
        by_employee_no = None if row.employee_no is None else self.by_employee_no.get(row.employee_no)
        if by_employee_no is None or by_number is by_employee_no:
            return by_number
        # A number that differs is another's, unless the list says it of the same person: then it is shown as what will change.
        if by_number is None and (
            index is None
            or by_employee_no["id_number_index"] is None
            or folded(by_employee_no["name"]) == folded(row.name)
        ):
            return by_employee_no
        row.faults.append(("employee_no", "employee_no_taken"))
        return by_number

    def _hold_against_the_file(self, row: Row, index: bytes | None) -> None:
        if index is not None and (first := self._numbers.setdefault(index, row.number)) != row.number:
            row.faults.append(("id_number", f"twice_in_file|{first}"))
        if (
            row.employee_no is not None
            and (first := self._employee_nos.setdefault(row.employee_no, row.number)) != row.number
        ):
            row.faults.append(("employee_no", f"twice_in_file|{first}"))

    def _values(
        self, row: Row, index: bytes | None, known: Any, group_id: UUID | None, seal: Seal, new: Iterator[UUID]
    ) -> tuple[Any, ...] | None:
        """Return a row of staging: None when nothing changes."""
        now = _Facts.of(row, index, self.cipher)
        before = {} if known is None else _shown(known)
        changes = [] if known is None else now.merge(known)
        placed = self._placed(now, known, group_id)
        if known is not None:
            # A group that follows from what changed is said as well as one that the list names.
            moved = placed[0] != known["group_id"] or (group_id is not None and known["placement"] != "assigned")
            if moved and (changes or group_id is not None):
                changes.append("group")
            if not changes:
                self.same += 1
                return None
            after = now.shown() | {"group": self._group(placed[0])}
            before["group"] = self._group(known["group_id"])
            locked = known["state"] != "listed"
            for column in changes:
                told = {"before": before[column] or "", "after": after[column] or ""}
                self._say(
                    row.number, "warning" if locked else "update", column, "locked" if locked else "changed", told
                )
            if locked:
                self.same += 1
                return None
            self.changed += 1
        else:
            self.added += 1
        if placed[0] is None:
            self._say(row.number, "warning", "group", f"not_placed_{placed[1]}")
        member_id = next(new) if known is None else known["id"]
        return (
            self.import_id, row.number, member_id, known is not None, *now.sealed(str(member_id), seal, known), *placed,
        )  # fmt: skip

    def _group(self, group_id: UUID | None) -> str:
        return "" if group_id is None else self.codes.get(group_id, "")

    def _placed(self, now: "_Facts", known: Any, group_id: UUID | None) -> tuple[UUID | None, str, str]:
        if group_id is not None:
            return group_id, "assigned", "{}"
        if known is not None and known["placement"] == "assigned":
            return known["group_id"], "assigned", "{}"
        facts = facts_of(now.sex, now.birth_date, now.marital_status, now.post, now.hazards, self.day)
        asked = facts.sex, facts.age, facts.marital_status, facts.post, facts.hazards
        if asked not in self._placements:
            found = place(self.rules, facts)
            self._placements[asked] = found.group_id, found.placement, json.dumps(found.reason)
        return self._placements[asked]


def _shown(known: Any) -> dict[str, str | None]:
    """Return what is known of a member as it may be shown: numbers masked."""
    return {
        **{name: known[name] for name in (*_PLAIN, "sex", "marital_status", "name")},
        "birth_date": None if known["birth_date"] is None else known["birth_date"].isoformat(),
        "hazards": "、".join(known["hazards"]), "id_number": known["id_number_masked"], "phone": known["phone_masked"],
    }  # fmt: skip


@dataclass(slots=True)
class _Facts:
    """What is to be kept of somebody, once what was known is added where the row says nothing."""

    employee_no: str | None
    name: str
    sex: str
    birth_date: date | None
    id_kind: str
    id_number: str | None
    id_index: bytes | None
    phone: str | None
    phone_index: bytes | None
    department: str | None
    post: str | None
    marital_status: str
    hazards: list[str]
    note: str | None

    @classmethod
    def of(cls, row: Row, index: bytes | None, cipher: FieldCipher) -> "_Facts":
        phone_index = None if row.phone is None else cipher.blind_index(row.phone, "phone")
        return cls(
            row.employee_no, row.name, row.sex, row.birth_date, row.id_kind, row.id_number, index, row.phone, phone_index, row.department,
            row.post, row.marital_status, row.hazards, row.note,
        )  # fmt: skip

    def merge(self, known: Any) -> list[str]:
        """Fill in what the row does not say, and return the columns in which it says something new."""
        changes = []
        for name in _KEPT_WHERE_BLANK:
            if getattr(self, name) is None:
                setattr(self, name, known[name])
            elif getattr(self, name) != known[name]:
                changes.append(name)
        for name in ("sex", "marital_status"):
            if getattr(self, name) == "unknown":
                setattr(self, name, known[name])
            elif getattr(self, name) != known[name]:
                changes.append(name)
        if self.name != known["name"]:
            changes.append("name")
        if not self.hazards:
            self.hazards = known["hazards"]
        elif self.hazards != known["hazards"]:
            changes.append("hazards")
        if self.id_index is not None and self.id_index != known["id_number_index"]:
            changes.append("id_number")
        if self.phone_index is not None and self.phone_index != known["phone_index"]:
            changes.append("phone")
        return changes

    def shown(self) -> dict[str, str | None]:
        """Return what will be known as it may be shown: numbers masked."""
        return {
            **{name: getattr(self, name) for name in (*_PLAIN, "sex", "marital_status", "name")},
            "birth_date": None if self.birth_date is None else self.birth_date.isoformat(), "hazards": "、".join(self.hazards),
            "id_number": None if self.id_number is None else mask_id_number(self.id_number),
            "phone": None if self.phone is None else mask_phone(self.phone),
        }  # fmt: skip

    def sealed(self, member_id: str, seal: Seal, known: Any) -> tuple[Any, ...]:
        """Return the columns of staging, numbers sealed for the member's own row; what the row does not say stays sealed as it is."""
        return (
            self.employee_no, self.name, self.sex, self.birth_date,
            *self._number(member_id, seal, known), *self._phone(member_id, seal, known),
            self.department, self.post, self.marital_status, self.hazards, self.note,
        )  # fmt: skip

    def _number(self, member_id: str, seal: Seal, known: Any) -> tuple[Any, ...]:
        if self.id_number is not None:
            sealed = seal(self.id_number, f"member|id_number|{member_id}")
            return self.id_kind, sealed, self.id_index, mask_id_number(self.id_number)
        if known is not None:
            return known["id_kind"], known["id_number_sealed"], known["id_number_index"], known["id_number_masked"]
        return "none", None, None, None

    def _phone(self, member_id: str, seal: Seal, known: Any) -> tuple[Any, ...]:
        if self.phone is not None:
            return seal(self.phone, f"member|phone|{member_id}"), self.phone_index, mask_phone(self.phone)
        if known is not None:
            return known["phone_sealed"], known["phone_index"], known["phone_masked"]
        return None, None, None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a file is held against, and how its columns were read before for this employer."""

    file: str
    remembered: Mapping[str, str]
    table: str | None
    campaign_version: int
    judge: Judge


async def desk(uow: UnitOfWork, import_id: UUID) -> Desk | None:
    """Return what a file is to be held against; None when it is not to be read any more."""
    found = await member_import(uow, import_id)
    if found.state != "received" or found.file is None:
        return None
    listed_in = await campaign(uow, found.campaign_id)
    unit = await employer(uow, listed_in.employer_id)
    groups = await repository.groups(uow, listed_in.id)
    rows = await repository.facts(uow, listed_in.id)
    judge = Judge(
        found.id, uow.cipher, listed_in.starts_on, business_day(uow.now), rules_of(groups),
        {folded(word): group.id for group in groups for word in (group.name, group.code)},
        {bytes(row["id_number_index"]): row for row in rows if row["id_number_index"] is not None},
        {row["employee_no"]: row for row in rows if row["employee_no"] is not None},
        codes={group.id: group.code for group in groups},
    )  # fmt: skip
    return Desk(found.file, unit.column_mapping, found.table_wanted, listed_in.version, judge)


async def known_names(uow: UnitOfWork, indexes: Sequence[bytes]) -> dict[bytes, str]:
    """Return the names under which the campus knows the holders of ID numbers."""
    return await examinees.names_by_number(uow, indexes)


async def begin_staging(uow: UnitOfWork, import_id: UUID) -> bool:
    """Take hold of an import to be previewed, and forget an earlier reading; False when it is not to be read any more."""
    found = await _locked(uow, import_id, active=False)
    await repository.clear_staging(uow, import_id)
    return found.state == "received"


async def stage(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> None:
    """Copy rows to where they wait."""
    await repository.stage(uow, rows)


async def end_staging(
    uow: UnitOfWork, import_id: UUID, judge: Judge, sheet: Sheet, mapping: Mapping[str, str], version: int
) -> dict[str, int]:
    """Keep what a file says and would change; return the counts."""
    found = await _locked(uow, import_id, active=False)
    _move(found, "previewed")
    counts = {
        "total": judge.total,
        "added": judge.added,
        "changed": judge.changed,
        "same": judge.same,
        "bad": judge.bad,
    }
    for name, value in counts.items():
        setattr(found, name, value)
    found.headers, found.mapping, found.campaign_version, found.refusal = (
        list(sheet.header.names),
        dict(mapping),
        version,
        None,
    )
    found.table_read, found.tables = sheet.name or None, _tables(sheet.tables)
    await repository.keep_entries(uow, found, _numbered(judge.entries))
    return counts


def _numbered(found: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    for n, entry in enumerate(found, 1):
        yield {
            "n": n,
            "row_no": entry.row_no,
            "kind": entry.kind,
            "header": entry.header,
            "code": entry.code,
            "detail": entry.detail,
        }
