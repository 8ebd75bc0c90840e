"""A whole unit's papers as one file: in the order of its list, made by a job, every copy logged once however often it is killed."""

import asyncio
import json
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pypdfium2
import pytest
import zxingcpp

from tests.tjapi.employer.scene import CBC, Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.labels import read_tspl, read_zpl
from tests.tjapi.world import API, SignIn, key
from tjapi.employer import service as employers
from tjapi.frontdesk import flows, service
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime

PRINTS = f"{API}/document-prints"
PEOPLE = 52


class Press:
    """The worker that makes the files of large prints; it may be killed after so many parts."""

    def __init__(self, runtime: Runtime, admin: asyncpg.Connection) -> None:
        self.runtime, self.admin = runtime, admin

    async def make(self, made: dict[str, Any], *, stop_after: int | None = None) -> dict[str, Any] | None:
        claim = "update job set state = 'running', fence = fence + 1 where id = $1 returning fence, payload::text as payload"
        job_id = UUID(made["job_id"])
        row = await self.admin.fetchrow(claim, job_id)

        async def report(done: int, _total: int | None, _message: str | None) -> None:
            if done == stop_after:
                raise asyncio.CancelledError

        run = JobRun(
            job_id, service.MAKE, json.loads(row["payload"]), 1, 0, row["fence"], self.runtime.units, self.runtime.services, report, job_id
        )  # fmt: skip
        try:
            return dict(await flows.make_file(run))
        except asyncio.CancelledError:
            return None


@pytest.fixture
def press(runtime: Runtime, admin: asyncpg.Connection) -> Press:
    return Press(runtime, admin)


@pytest.mark.requirement("E1.7", "E2.4")
async def test_a_unit_s_sheets_and_labels_are_one_file_in_its_order_and_logged_once_though_the_job_is_killed(
    unit: Unit, batch: Batch, press: Press, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    made = await plan(unit, ALL={"name": "全员", "criteria": [{}], "item_group_ids": [CBC]})
    await listed(unit, made.campaign_id, PEOPLE)
    asked = BookMembersIn.model_validate({"days": [{"day": str(date(2027, 3, 1)), "quota": 30}, {"day": "2027-03-02", "quota": 30}]})  # fmt: skip
    await batch.run(await batch.ask(made.campaign_id, asked))
    await admin.execute("update member set list_no = 1000 - list_no where campaign_id = $1", made.campaign_id)
    numbers = await admin.fetch(
        "select e.id, e.exam_no, array_agg(t.barcode order by t.barcode) as tubes from member m join exam e on e.id = m.exam_id"
        " join tube t on t.exam_id = e.id where m.campaign_id = $1 group by m.list_no, e.id order by m.list_no", made.campaign_id,
    )  # fmt: skip
    front = await sign_in("front")
    wanted = {"unit": {"campaign_id": str(made.campaign_id), "kinds": ["guide_sheet", "tube_label"]}}
    header = key()
    first, again = [await front.post(PRINTS, json=wanted, headers=header) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json()), first.text
    order = first.json()
    assert (order["copies"], order["papers"]) == (PEOPLE * 2, [])
    assert (await front.get(order["url"])).json()["code"] == "print-not-ready"

    assert await press.make(order, stop_after=1) is None
    assert (await front.get(order["url"])).json()["code"] == "print-not-ready"
    assert await press.make(order) == {"print_id": order["id"], "pages": PEOPLE * 2}
    assert await press.make(order) == {"print_id": order["id"], "pages": None}
    file = await front.get(order["url"])
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert (await front.get(order["url"])).content == file.content
    pdf = pypdfium2.PdfDocument(file.content)
    pages = [page.get_textpage().get_text_bounded() for page in pdf]
    assert len(pages) == PEOPLE * 2
    for i, row in enumerate(numbers):  # sheet, then the tubes, person by person, over the seam between two parts
        assert [row["exam_no"] in page for page in pages[2 * i : 2 * i + 2]] == [True] * 2
    for i in (0, PEOPLE - 3, PEOPLE - 1):
        codes = [
            sorted(code.text for code in zxingcpp.read_barcodes(pdf[2 * i + n].render(scale=3).to_pil()))
            for n in range(2)
        ]
        assert codes == [[numbers[i]["exam_no"]], *([tube] for tube in numbers[i]["tubes"])]
    log = await admin.fetch("select first_copy, copies, count(*) as n from document_print_item where print_id = $1 group by 1, 2", UUID(order["id"]))  # fmt: skip
    assert [tuple(row) for row in log] == [(1, 1, PEOPLE * 2)]

    for language, read in (("zpl", read_zpl), ("tspl", read_tspl)):
        labels = {"format": language, "unit": wanted["unit"] | {"kinds": ["tube_label"]}}
        order = (await front.post(PRINTS, json=labels, headers=key())).json()
        await press.make(order)
        printed = read((await front.get(order["url"])).content)
        assert [text for one in printed for text in one.scanned()] == [tube for row in numbers for tube in row["tubes"]]
    mine = (await front.get(f"{API}/exams/{numbers[0]['id']}/document-prints")).json()["items"]
    assert [(p["first_copy"], p["reprint"]) for p in mine[0]["papers"]] == [(3, True)]


@pytest.mark.requirement("E1.7")
async def test_part_of_a_unit_is_printed_by_day_and_group_and_nothing_is_printed_of_nobody(
    unit: Unit, batch: Batch, sign_in: SignIn
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id, 3)
    days = [{"day": "2027-03-01", "quota": 2}, {"day": "2027-03-02", "quota": 2}]
    await batch.run(await batch.ask(made.campaign_id, BookMembersIn.model_validate({"days": days})))
    async with unit() as uow:
        members = await employers.members(uow, made.campaign_id)
    front = await sign_in("front")

    async def printed(**which: str) -> Any:
        body = {"unit": {"campaign_id": str(made.campaign_id), "kinds": ["guide_sheet", "request_form"]} | which}
        return (await front.post(PRINTS, json=body, headers=key())).json()

    second = await printed(day="2027-03-02")
    assert [(p["exam_id"], p["kind"]) for p in second["papers"]] == [(str(members[2].exam_id), "guide_sheet")]
    assert second["job_id"] is None
    assert (await front.get(second["url"])).status_code == 200
    everybody = await printed(group_id=str(made.groups["ALL"]))
    assert [p["exam_id"] for p in everybody["papers"]] == [str(m.exam_id) for m in members]
    assert (await printed(day="2027-03-03"))["code"] == "paper-not-of-exam"
    both = {"unit": {"campaign_id": str(made.campaign_id), "kinds": ["exam_label"]}, "papers": [{"exam_id": str(members[0].exam_id), "kind": "exam_label"}]}  # fmt: skip
    assert (await front.post(PRINTS, json=both, headers=key())).json()["code"] == "papers-not-named"
    assert (await front.post(PRINTS, json={}, headers=key())).json()["code"] == "papers-not-named"
