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
from tests.tjapi.employer.scene import CBC, GLU, Unit, plan
from tests.tjapi.employer.test_list_files import CASES, HEAD, ONE, TWO, book
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
    shown = {e["header"]: (e["before"], e["after"]) for e in said}
    assert shown["部门"] == ("一车间", "二车间")
    assert shown["手机"][1] == "139****1111"
    assert "****" in shown["手机"][0]
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


async def test_an_update_shows_the_old_and_the_new_of_every_cell_before_and_after_with_numbers_masked(
    desk: Desk, unit: Unit, admin: asyncpg.Connection
) -> None:
    groups: dict[str, Any] = {
        "M": {"name": "已婚", "criteria": [{"marital_status": "married"}], "item_group_ids": [CBC]},
        "S": {"name": "未婚", "criteria": [{"marital_status": "single"}], "item_group_ids": [GLU]},
    }
    made, found = await plan(unit, **groups), lines(4)
    await desk.commit((await desk.upload(made.campaign_id, xlsx(found)))["id"])
    person = await admin.fetchrow("select * from member where campaign_id = $1 and list_no = 1", made.campaign_id)
    await admin.execute("update member set examinee_id = gen_random_uuid() where id = $1", person["id"])
    corrected = lines(1, 1)[0]
    found[0] = [found[0][0], *corrected[1:4], found[0][4], found[0][5], "二车间", "电工", "未婚", "转岗"]
    again = await desk.upload(made.campaign_id, xlsx(found))
    assert (again["added"], again["changed"], again["same"], again["bad"]) == (0, 1, 3, 0)
    said = {e["header"]: (e["before"], e["after"]) for e in await desk.entries(again["id"], "update")}
    assert said["部门"] == ("一车间", "二车间")
    assert said["岗位"] == ("焊工", "电工")
    assert said["婚否"] == ("married", "single")
    assert said["备注"] == ("", "转岗")
    assert said["分组"] == ("M", "S")  # follows from the rule, and is said all the same
    assert said["身份证号码"][0] == person["id_number_masked"]
    assert corrected[3] not in str(said)
    assert "****" in said["身份证号码"][1]
    assert await admin.fetchval("select department from member where id = $1", person["id"]) == "一车间"
    await desk.commit(again["id"])
    after = {e["header"]: (e["before"], e["after"]) for e in await desk.entries(again["id"], "update")}
    assert after == said
    kept = await admin.fetchrow("select * from member where id = $1", person["id"])
    assert (kept["department"], kept["group_id"], kept["list_no"]) == ("二车间", made.groups["S"], 1)
    assert kept["examinee_id"] is None  # another document: who it is is asked anew


async def test_an_employee_number_with_another_name_and_number_is_another_person_s(desk: Desk, unit: Unit) -> None:
    made, found = await plan(unit), lines(1)
    await desk.commit((await desk.upload(made.campaign_id, xlsx(found)))["id"])
    other = lines(1)[0]
    other[0], other[5] = "另一人", found[0][5]
    again = await desk.upload(made.campaign_id, xlsx([other]))
    assert [(e["header"], e["code"]) for e in await desk.entries(again["id"])] == [("工号", "employee_no_taken")]


async def test_who_is_booked_is_not_changed_and_what_would_have_is_shown(
    desk: Desk, unit: Unit, admin: asyncpg.Connection
) -> None:
    made, found = await plan(unit), lines(1)
    await desk.commit((await desk.upload(made.campaign_id, xlsx(found)))["id"])
    await admin.execute(
        "update member set state = 'booked', exam_id = gen_random_uuid() where campaign_id = $1", made.campaign_id
    )
    found[0][6], found[0][7] = "二车间", "电工"
    again = await desk.upload(made.campaign_id, xlsx(found))
    said = {(e["header"], e["code"], e["before"], e["after"]) for e in await desk.entries(again["id"], "warning")}
    assert said == {("部门", "locked", "一车间", "二车间"), ("岗位", "locked", "焊工", "电工")}
    assert (again["changed"], again["same"]) == (0, 1)


async def test_two_tables_are_asked_about_and_the_one_that_is_said_is_read_with_the_hidden_ones_named(
    desk: Desk, unit: Unit
) -> None:
    made = await plan(unit)
    seen = await desk.upload(made.campaign_id, book(("去年", (HEAD, ONE)), ("今年", (HEAD, ONE, TWO))))
    assert (seen["state"], seen["refusal"]["code"]) == ("refused", "several_tables")
    assert [(t["name"], t["has_columns"], t["hidden"]) for t in seen["tables"]] == [
        ("去年", True, False),
        ("今年", True, False),
    ]
    await desk.call("POST", f"/member-imports/{seen['id']}:map", 202, json={"table": "今年"})
    read = await desk.settled(seen["id"])
    assert (read["state"], read["table_read"], read["added"]) == ("previewed", "今年", 2)
    assert [(e["row_no"], e["header"], e["code"]) for e in await desk.entries(seen["id"], "warning")] == [
        (0, "去年", "other_table")
    ]


@pytest.mark.parametrize(
    ("name", "added", "said"),
    [
        ("24-invisible-characters.csv", 1, []), ("25-invisible-in-cells.csv", 4, []), ("28-merged-department.xlsx", 3, []), ("37-unicode-text.txt", 1, []),
        ("26-very-hidden-old-list-first.xlsx", 1, [(0, "hidden_table")]), ("27-hidden-dictionary-first.xlsx", 1, [(0, "hidden_table")]),
        ("29-hidden-row.xlsx", 2, [(3, "hidden_row")]),
    ],
)  # fmt: skip
async def test_the_small_inputs_that_failed_are_taken_over_as_is_right(
    desk: Desk, unit: Unit, admin: asyncpg.Connection, name: str, added: int, said: list[tuple[int, str]]
) -> None:
    made = await plan(unit)
    seen = await desk.upload(made.campaign_id, (CASES / name).read_bytes())
    assert (seen["state"], seen["added"], seen["bad"]) == ("previewed", added, 0)
    assert [(e["row_no"], e["code"]) for e in await desk.entries(seen["id"], "warning")] == said
    await desk.commit(seen["id"])
    rows = await admin.fetch("select name, department from member where campaign_id = $1", made.campaign_id)
    assert len(rows) == added
    assert all(row["name"].isprintable() and "\u200b" not in row["name"] for row in rows)
    if name.startswith("28"):
        assert {row["department"] for row in rows} == {"二车间"}


async def test_totals_and_numbered_rows_are_named_and_keep_nobody_from_being_taken_over(desk: Desk, unit: Unit) -> None:
    made = await plan(unit)
    rows = [["序号", *HEAD], ["1", *ONE], ["2", *TWO], ["3"], ["4"], ["合计", "", "", "2"], ["", "备注:如有疑问请联系"]]
    seen = await desk.upload(made.campaign_id, book(("名单", rows)))
    assert (seen["total"], seen["added"], seen["bad"]) == (2, 2, 0)
    said = {(e["row_no"], e["code"]): e["zh"] for e in await desk.entries(seen["id"], "warning")}
    assert said.keys() == {(0, "unnamed"), (6, "footer"), (7, "footer")}
    assert said[0, "unnamed"].startswith("第 4 行起共 2 行")
    assert (await desk.commit(seen["id"]))["state"] == "committed"
