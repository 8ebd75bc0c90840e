"""Lists from files: every error by row and column, a preview before anything changes, and the same file again changes nothing."""

import asyncio
import io
import re
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.employer.lists import BAD, HEADERS, comma_separated, lines, repacked, spoil, xlsx
from tests.tjapi.employer.scene import Unit, plan
from tests.tjapi.world import API, SignIn, key, until
from tjapi.kernel.jobs.runner import Runner

pytestmark = pytest.mark.requirement("E2.3")
FILES = Path(__file__).parent / "files"


class Desk:
    """A group manager who uploads lists."""

    def __init__(self, http: httpx.AsyncClient, wake: Callable[[], None]) -> None:
        self.http, self._wake = http, wake

    async def call(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        answer = await self.http.request(method, API + path, **{"headers": key(), **options})
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def settled(self, import_id: str, *, beyond: str = "received") -> dict[str, Any]:
        self._wake()

        async def ended() -> Any:
            found = await self.call("GET", f"/member-imports/{import_id}")
            job = await self.call("GET", f"/jobs/{found['job_id']}")
            assert job["state"] != "dead", job
            return found if found["state"] != beyond else None

        return dict(await until(ended, seconds=60))

    async def upload(self, campaign: UUID, content: bytes) -> dict[str, Any]:
        """Upload a list and wait for its preview."""
        made = await self.call("POST", f"/campaigns/{campaign}/member-imports", 202, content=content)
        return await self.settled(made["id"])

    async def commit(self, import_id: str, mode: str = "atomic") -> dict[str, Any]:
        """Take a list over."""
        await self.call("POST", f"/member-imports/{import_id}:commit", 202, json={"mode": mode})
        return await self.settled(import_id, beyond="previewed")

    async def entries(self, import_id: str, kind: str = "error") -> list[dict[str, Any]]:
        """Everything said of a kind."""
        found, token = [], None
        while True:
            query = {"kind": kind, "page_size": 200} | ({"page_token": token} if token else {})
            page = await self.call("GET", f"/member-imports/{import_id}/entries", params=query)
            found += page["items"]
            token = page["next_page_token"]
            if token is None:
                return found


@pytest.fixture
async def desk(sign_in: SignIn, worker: Runner) -> Desk:
    return Desk(await sign_in("group"), worker.wake)


async def test_a_list_is_previewed_then_taken_over_and_the_same_file_again_changes_nothing(
    desk: Desk, unit: Unit, admin: asyncpg.Connection
) -> None:
    made, content = await plan(unit), xlsx(lines(30), title="某单位体检名单")
    seen = await desk.upload(made.campaign_id, content)
    assert (seen["state"], seen["total"], seen["added"], seen["bad"]) == ("previewed", 30, 30, 0)
    assert await admin.fetchval("select count(*) from member where campaign_id = $1", made.campaign_id) == 0
    assert (await desk.commit(seen["id"]))["state"] == "committed"
    before = await admin.fetch("select * from member where campaign_id = $1 order by list_no", made.campaign_id)
    assert [row["list_no"] for row in before] == list(range(1, 31))
    assert {row["group_id"] for row in before} == {made.groups["ALL"]}
    again = await desk.upload(made.campaign_id, content)
    assert (again["added"], again["changed"], again["same"], again["bad"]) == (0, 0, 30, 0)
    await desk.commit(again["id"])
    assert await admin.fetch("select * from member where campaign_id = $1 order by list_no", made.campaign_id) == before
    assert await admin.fetchval("select count(*) from member_staging") == 0


async def test_every_error_names_its_row_and_column_and_nothing_is_half_taken_over(
    desk: Desk, unit: Unit, admin: asyncpg.Connection
) -> None:
    made, found = await plan(unit), lines(4 * len(BAD))
    told = spoil(found, 0.25)
    seen = await desk.upload(made.campaign_id, xlsx(found))
    assert (seen["bad"], seen["added"]) == (len(BAD), 3 * len(BAD))
    said = await desk.entries(seen["id"])
    assert {(e["row_no"], e["header"], e["code"]) for e in said} >= {(row, *what) for row, what in told.items()}
    assert {e["row_no"] for e in said} == set(told)
    refused = await desk.call("POST", f"/member-imports/{seen['id']}:commit", 409, json={"mode": "atomic"})
    assert refused["code"] == "member-import-has-errors"
    assert await admin.fetchval("select count(*) from member where campaign_id = $1", made.campaign_id) == 0
    await desk.commit(seen["id"], "valid_rows")
    assert await admin.fetchval("select count(*) from member where campaign_id = $1", made.campaign_id) == 3 * len(BAD)


async def test_changed_cells_are_listed_and_blank_ones_change_nothing(
    desk: Desk, unit: Unit, admin: asyncpg.Connection
) -> None:
    made, found = await plan(unit), lines(3)
    await desk.commit((await desk.upload(made.campaign_id, xlsx(found)))["id"])
    found[0][6], found[0][4], found[1][6] = "二车间", "13900001111", ""
    again = await desk.upload(made.campaign_id, xlsx([*found, *lines(1, 90)]))
    assert (again["added"], again["changed"], again["same"]) == (1, 1, 2)
    said = await desk.entries(again["id"], "update")
    assert {(e["row_no"], e["header"], e["zh"]) for e in said} == {(2, "部门", "将更新"), (2, "手机", "将更新")}
    await desk.commit(again["id"])
    rows = await admin.fetch(
        "select department, phone_masked from member where campaign_id = $1 order by list_no", made.campaign_id
    )
    assert [tuple(r) for r in rows][:2] == [("二车间", "139****1111"), ("一车间", rows[1]["phone_masked"])]


async def test_duplicates_in_the_file_and_a_number_known_under_another_name_are_named(
    desk: Desk, unit: Unit, sign_in: SignIn
) -> None:
    made, found = await plan(unit), lines(4)
    front = await sign_in("front")
    card = {"id_kind": "resident", "id_number": found[3][3], "name": "另一姓名", "campus_id": 1}
    assert (await front.post(f"{API}/examinees", json=card, headers=key())).status_code == 201
    found[1][3], found[1][1], found[1][2] = found[0][3], found[0][1], found[0][2]
    found[2][5] = found[0][5]
    seen = await desk.upload(made.campaign_id, xlsx(found))
    said = {(e["row_no"], e["header"], e["code"]): e["zh"] for e in await desk.entries(seen["id"])}
    assert said[3, "身份证号码", "twice_in_file"] == "与本文件第 2 行重复"
    assert said.keys() == {
        (3, "身份证号码", "twice_in_file"),
        (4, "工号", "twice_in_file"),
        (5, "姓名", "known_as_another"),
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
async def test_a_csv_is_read_in_utf8_and_gb18030(desk: Desk, unit: Unit, encoding: str) -> None:
    made = await plan(unit)
    seen = await desk.upload(made.campaign_id, comma_separated(lines(3), encoding))
    assert (seen["kind"], seen["total"], seen["added"]) == ("csv", 3, 3)


async def test_a_column_that_only_the_unit_understands_is_mapped_once_and_remembered(desk: Desk, unit: Unit) -> None:
    made = await plan(unit)
    strange = ["员工", *HEADERS[1:]]
    seen = await desk.upload(made.campaign_id, xlsx(lines(2), strange))
    assert (seen["state"], seen["refusal"]["code"]) == ("refused", "no_header")
    await desk.call("POST", f"/member-imports/{seen['id']}:map", 202, json={"mapping": {"员工": "name"}})
    assert (await desk.settled(seen["id"]))["added"] == 2
    again = await desk.upload(made.campaign_id, xlsx(lines(2), strange))
    assert (again["added"], again["mapping"]["员工"]) == (2, "name")


async def test_what_is_no_list_is_refused_and_says_why(desk: Desk, unit: Unit) -> None:
    made, good = await plan(unit), xlsx(lines(2))
    place = f"/campaigns/{made.campaign_id}/member-imports"
    assert (await desk.call("POST", place, 422, content=b"%PDF-1.7"))["errors"][0]["code"] == "not_a_list"
    far = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    bomb = b"<worksheet>" + b" " * (120 << 20)
    refused = {
        "macros": repacked(good, {"xl/vbaProject.bin": b"macro"}),
        "too_wide": repacked(good, {"xl/worksheets/sheet1.xml": far}),
        "inflates": repacked(good, {"xl/worksheets/sheet1.xml": bomb}),
        "damaged": good[: len(good) // 2],
        "encoding": b"\xff\xfe\xff" * 50,
        "no_header": b"a,b\n1,2\n",
        "no_rows": comma_separated([], "utf-8"),
    }
    found = await asyncio.gather(*(desk.upload(made.campaign_id, content) for content in refused.values()))
    assert {f["refusal"]["code"] if f["refusal"] else "read" for f in found} == set(refused)
    assert [f["refusal"]["code"] for f in found] == list(refused)


async def test_an_old_xls_is_read_and_its_far_cell_costs_no_memory(desk: Desk, unit: Unit) -> None:
    made = await plan(unit)
    seen = await desk.upload(made.campaign_id, (FILES / "list.xls").read_bytes())
    assert (seen["kind"], seen["total"], seen["added"]) == ("xls", 2, 1)
    assert [(e["row_no"], e["header"], e["code"]) for e in await desk.entries(seen["id"])] == [
        (3, "身份证号码", "digits_lost")
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    far = await desk.upload(made.campaign_id, (FILES / "far.xls").read_bytes())
    assert far["refusal"]["code"] == "too_wide"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


async def test_a_cell_whose_value_a_formula_made_is_named(desk: Desk, unit: Unit) -> None:
    made = await plan(unit)
    found = lines(2)
    found[1][6] = "=A1"
    seen = await desk.upload(made.campaign_id, _with_formula(xlsx(found)))
    said = [(e["row_no"], e["header"], e["code"]) for e in await desk.entries(seen["id"])]
    assert (2, "姓名", "formula") in said
    assert (3, "部门", "formula") in said


def _with_formula(content: bytes) -> bytes:
    """Make the name of the first person the value of a formula, as Excel stores it."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        table = book.read("xl/worksheets/sheet1.xml")
    changed = re.sub(
        rb'<c r="A2"[^>]*>.*?</c>', '<c r="A2" t="str"><f>B2&amp;"三"</f><v>张三</v></c>'.encode(), table, count=1
    )
    assert changed != table
    return repacked(content, {"xl/worksheets/sheet1.xml": changed})


async def test_a_list_that_another_hand_changed_after_the_preview_is_not_taken_over(desk: Desk, unit: Unit) -> None:
    made, content = await plan(unit), xlsx(lines(2))
    first, second = await desk.upload(made.campaign_id, content), await desk.upload(made.campaign_id, content)
    await desk.commit(first["id"])
    assert (await desk.commit(second["id"]))["refusal"]["code"] == "changed_meanwhile"


async def test_the_template_is_read_by_its_own_reader(desk: Desk, unit: Unit) -> None:
    answer = await desk.http.get(f"{API}/member-template")
    assert answer.status_code == 200
    made = await plan(unit)
    assert (await desk.upload(made.campaign_id, answer.content))["refusal"]["code"] == "no_rows"


async def test_the_staged_rows_are_seen_by_no_role_but_the_workers(admin: asyncpg.Connection) -> None:
    for role in ("tj_app", "tj_reader"):
        assert not await admin.fetchval(
            "select has_table_privilege($1, 'member_staging', 'select, insert, update, delete')", role
        )
