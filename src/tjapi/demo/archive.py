"""Three years of exams of the old system: the way in which a hospital's archive comes, in bulk, a batch at a time.

The archive's numbers are those of the person and the year, so a load that was killed is completed by the next one.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item
from tjapi.catalog.rules import Subject
from tjapi.catalog.service import ExamPackage, HeldRanges, ItemGroup
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.rules import overview_of
from tjapi.conclusion.service import PastConclusion, PastEntry, Signature
from tjapi.demo.people import Person
from tjapi.demo.values import measured
from tjapi.exam import service as exams
from tjapi.exam.rules import age_on
from tjapi.exam.service import PastExam, PastLine
from tjapi.identity.schemas import StaffOut
from tjapi.kernel.clock import HOSPITAL_ZONE, business_day
from tjapi.kernel.jobs.spec import Progress
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case
from tjapi.pricing import service as pricing
from tjapi.result import service as results
from tjapi.result.service import PastResults, PastSheet, PastValue

ARCHIVE = "old-system"
_YEARS = 3
_COMES = 0.91
_AT_ONCE = 50
_SIDE_BY_SIDE = 2
# What people take, and how often: men, women, sixty-five and over.
_PROGRAMMES = {
    "male": (("BASIC-M", 68), ("ENTRY", 11), ("STD-M", 11), ("NATIONAL-2025", 3), ("TCM-CARE", 3), ("HEART", 2), ("DELUXE-M", 2)),
    "female": (("BASIC-F", 68), ("ENTRY", 11), ("STD-F", 11), ("NATIONAL-2025", 3), ("TCM-CARE", 4), ("HEART", 1), ("DELUXE-F", 2)),
}  # fmt: skip
_OLD, _PROGRAMME_OF_THE_OLD = 68, ("ELDERLY", "BASIC", "BASIC")


@dataclass(frozen=True, slots=True)
class Offer:
    """A package: its groups in order with the share of the price, and their items."""

    package: ExamPackage
    groups: Sequence[ItemGroup]
    prices: Sequence[int]
    items: Mapping[UUID, Sequence[Item]]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is offered, and what is normal."""

    offers: Mapping[str, Offer]
    ranges: HeldRanges

    def values(self, person: Person, day: date, years_on: float, code: str) -> dict[str, str]:
        """Return a person's values of a day, of the items of a package."""
        offer = self.offers[code]
        wanted = {item.id for items in offer.items.values() for item in items}
        normal = self.ranges.of(Subject(person.sex, person.birth_date, "", day), item_ids=wanted)
        asked = [(item, normal.get(item.id)) for group in offer.groups for item in offer.items[group.id]]
        return measured(person, day, years_on, asked)

    def group(self, code: str) -> tuple[ItemGroup, Sequence[Item]]:
        """Return an item group that some package has, with its items."""
        return next((g, offer.items[g.id]) for offer in self.offers.values() for g in offer.groups if g.code == code)


async def read_catalog(uow: UnitOfWork) -> Catalog:
    """Read every package, with prices as `pricing` shares them out."""
    offers: dict[str, Offer] = {}
    for package in await catalog.packages_page(uow, q=None, active=True, after=None, size=100):
        quote = await pricing.quote(uow, package.id, [])
        groups = [line.item_group for line in quote.lines]
        items = await catalog.group_items(uow, [group.id for group in groups])
        offers[package.code] = Offer(package, groups, [line.price_fen for line in quote.lines], items)
    every = {item.id for offer in offers.values() for items in offer.items.values() for item in items}
    return Catalog(offers, await catalog.hold_ranges(uow, every))


def programme(person: Person, day: date) -> str:
    """Return the package that a person takes, year after year."""
    chance = person.random("programme")
    codes, weights = zip(*_PROGRAMMES[person.sex], strict=True)
    code = str(chance.choices(codes, weights)[0])
    if age_on(person.birth_date, day)[0] >= _OLD:
        code = chance.choice(_PROGRAMME_OF_THE_OLD)
        return code if code == "ELDERLY" else f"{code}-{'M' if person.sex == 'male' else 'F'}"
    return code


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit of the past, before it is written."""

    person: Person
    campus_id: int
    day: date
    years_on: float
    number: str


def _visits(people: Sequence[Person], today: date) -> list[_Visit]:
    found: list[_Visit] = []
    for person in people:
        chance = person.random("comes")
        years = [back for back in range(_YEARS, 0, -1) if chance.random() < _COMES]
        for back in years:
            day = today - timedelta(days=365 * back - chance.randint(-45, 20))
            if day.weekday() == 6:
                day -= timedelta(days=1)
            campus_id = person.campuses[back % len(person.campuses)]
            found.append(_Visit(person, campus_id, day, float(years[0] - back), f"{person.number:05d}-{back}"))
    return sorted(found, key=lambda visit: (visit.campus_id, visit.day, visit.person.number))


async def load(
    runtime: Runtime, loader: Principal, people: Sequence[Person], ids: Mapping[int, UUID], staff: Mapping[str, StaffOut],
    progress: Progress,
) -> int:  # fmt: skip
    """Bring the archive in; again brings in what is missing. Return how many exams came."""
    async with runtime.units.read(loader) as uow:
        held = await read_catalog(uow)
        known = await exams.imported(uow, ARCHIVE)
    wanted = [v for v in _visits(people, business_day(runtime.clock.now())) if (v.campus_id, v.number) not in known]
    batches = list(_batches(wanted))
    # Two at a time: while the database writes one, the next is made.
    gate = asyncio.Semaphore(_SIDE_BY_SIDE)

    done = 0

    async def one(batch: Sequence[_Visit]) -> None:
        nonlocal done
        async with gate:
            await _bring(runtime, loader, held, batch, ids, staff)
            done += len(batch)
            await progress(done, len(wanted), "archive")

    async with asyncio.TaskGroup() as loading:
        for batch in batches:
            loading.create_task(one(batch))
    return len(wanted)


def _batches(visits: Sequence[_Visit]) -> Iterator[Sequence[_Visit]]:
    """Cut the visits of each campus into batches by date, so that no two of them take numbers of one day."""
    batch: list[_Visit] = []
    for visit in visits:
        if batch and (visit.campus_id != batch[0].campus_id or (len(batch) >= _AT_ONCE and visit.day != batch[-1].day)):
            yield batch
            batch = []
        batch.append(visit)
    if batch:
        yield batch


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time(7, 30), HOSPITAL_ZONE) + timedelta(minutes=minutes)


async def _bring(
    runtime: Runtime, loader: Principal, held: Catalog, batch: Sequence[_Visit], ids: Mapping[int, UUID],
    staff: Mapping[str, StaffOut],
) -> None:  # fmt: skip
    by_number = {visit.number: visit for visit in batch}
    rows = [_exam(held, visit, ids[visit.person.number]) for visit in batch]
    async with runtime.units.open(loader) as uow:
        entered = await exams.import_past(uow, batch[0].campus_id, ARCHIVE, rows)
        moments = {row.archive_no: row for row in rows}
        cases = await results.import_past(
            uow,
            ARCHIVE,
            [_results(held, by_number[no], moments[no], exam_id, staff) for no, exam_id in entered.items()],
        )
        active = await knowledge.active(uow)
        concluded = [
            _conclusion(active, moments[no], exam_id, cases[exam_id], staff) for no, exam_id in entered.items()
        ]
        await conclusions.import_past(uow, ARCHIVE, concluded)


def _exam(held: Catalog, visit: _Visit, examinee_id: UUID) -> PastExam:
    offer = held.offers[programme(visit.person, visit.day)]
    chance = visit.person.random(f"morning {visit.number}")
    came = chance.randint(0, 150)
    fits = [(g, p) for g, p in zip(offer.groups, offer.prices, strict=True) if g.sex in ("any", visit.person.sex)]
    return PastExam(
        archive_no=visit.number, examinee_id=examinee_id, exam_date=visit.day, package_code=offer.package.code,
        package_name=offer.package.name, lines=tuple(PastLine(group.code, price) for group, price in fits),
        checked_in_at=_at(visit.day, came), ready_at=_at(visit.day, came + 380), finalized_at=_at(visit.day + timedelta(days=2), came + 90),
    )  # fmt: skip


def _results(
    held: Catalog, visit: _Visit, exam: PastExam, exam_id: UUID, staff: Mapping[str, StaffOut]
) -> PastResults:  # fmt: skip
    offer = held.offers[exam.package_code or ""]
    said = held.values(visit.person, visit.day, visit.years_on, offer.package.code)
    lines = {line.code for line in exam.lines}
    values = [
        PastValue(group.code, item.code, said[item.code])
        for group in offer.groups
        if group.code in lines
        for item in offer.items[group.id]
        if item.code in said
    ]
    doctor = staff["doctor" if visit.campus_id == 1 else "doctor.b"]
    doing = sorted({g.department_id for g in offer.groups if g.code in lines and g.performed_by == "department"})
    sheets = [
        PastSheet(department_id, doctor.id, doctor.name, exam.checked_in_at + timedelta(minutes=12 + 9 * i))
        for i, department_id in enumerate(doing)
    ]
    return PastResults(
        exam_id=exam_id,
        observed_at=exam.checked_in_at + timedelta(minutes=10),
        values=tuple(values),
        sheets=tuple(sheets),
    )


def _conclusion(
    active: knowledge.Knowledge | None, exam: PastExam, exam_id: UUID, case: Case, staff: Mapping[str, StaffOut]
) -> PastConclusion:  # fmt: skip
    found = results.found_in(active, case, frozenset(case.values))
    entries = [
        PastEntry(
            kind=advice.kind, title=advice.name, detail=results.reasons(why), advice=advice.advice, lifestyle=advice.lifestyle,  # type: ignore[arg-type]
            icd10=advice.icd10, finding_code=advice.code, rule_codes=tuple(one.rule.code for one in why),
            result_ids=tuple(results.found_result_ids(why)),
        )
        for advice, why in found
    ]  # fmt: skip
    first, last = staff["reviewer"], staff["chief"]
    return PastConclusion(
        exam_id=exam_id, overview=overview_of([entry.title for entry in entries], case.every), entries=tuple(entries),
        initial=Signature(first.id, first.name, exam.finalized_at - timedelta(minutes=50)), final=Signature(last.id, last.name, exam.finalized_at),
        knowledge_version_id=active.version_id if active is not None else None,
    )  # fmt: skip
