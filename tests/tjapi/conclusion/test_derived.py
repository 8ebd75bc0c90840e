"""What is derived never outlives its source: summaries, findings, conclusions, critical values, reports."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World
from tjapi import demo
from tjapi.conclusion import service as conclusions
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.report import views
from tjapi.report.layout import report_data

pytestmark = pytest.mark.requirement("E3.4", "E4.3")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


class Desk:
    """A department's sheet of one visit, asked with its newest version."""

    def __init__(self, client: httpx.AsyncClient, visit: Visit, group: str) -> None:
        self.client, self.place = client, f"{visit.place}/departments/{visit.departments[group]}"

    async def sheet(self) -> dict[str, Any]:
        answer = await self.client.get(f"{self.place}/sheet")
        assert answer.status_code == 200, answer.text
        self.tag = answer.headers["etag"]
        shown: dict[str, Any] = answer.json()
        return shown

    async def call(self, method: str, verb: str, body: dict[str, Any]) -> httpx.Response:
        await self.sheet()
        return await self.client.request(method, f"{self.place}/{verb}", json=body, headers={"If-Match": self.tag})

    async def enter(self, **values: str | None) -> None:
        items = {i["item_code"]: i["item_id"] for i in (await self.sheet())["items"]}
        results = [{"item_id": items[code], "value": value} for code, value in values.items()]
        answer = await self.call("PUT", "results", {"results": results})
        assert answer.status_code == 200, answer.text

    async def sign(self, **body: Any) -> httpx.Response:
        return await self.call("POST", "sheet:sign", body)

    async def reopen(self) -> None:
        assert (await self.call("POST", "sheet:reopen", {"reason": "更正"})).status_code == 200


class Review:
    """The conclusion of one visit, commanded with its newest version."""

    def __init__(self, world: World, visit: Visit) -> None:
        self.world, self.visit, self.place = world, visit, f"{visit.place}/conclusion"

    async def shown(self, who: str = "reviewer") -> dict[str, Any]:
        said: dict[str, Any] = (await (await self.world.sign_in(who)).get(self.place)).json()
        return said

    async def call(
        self, verb: str, body: dict[str, Any] | None = None, *, who: str = "reviewer", method: str = "POST"
    ) -> httpx.Response:
        client = await self.world.sign_in(who)
        tag = (await client.get(self.place)).headers["etag"]
        where = f"{self.place}:{verb}" if verb else self.place
        return await client.request(method, where, json=body, headers={"If-Match": tag})

    async def put(self, overview: str, entries: list[dict[str, Any]]) -> httpx.Response:
        fields = ("kind", "title", "detail", "advice", "lifestyle", "result_ids", "key", "keys", "confirmed")
        body = {"overview": overview, "entries": [{f: e[f] for f in fields if f in e} for e in entries]}
        return await self.call("", body, method="PUT")

    async def reasons(self) -> set[str]:
        client = await self.world.sign_in("reviewer")
        said = (await client.get(f"{self.visit.place}/completeness")).json()
        return {o["code"] for o in said["outstanding"]}


NORMAL = {"SBP": "118", "DBP": "76", "HEIGHT": "170", "WEIGHT": "65", "PULSE": "70"}


async def _measured(world: World, *further: str, **values: str) -> tuple[Visit, Desk]:
    visit = await world.checked_in("GENERAL", *further)
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | values)
    assert (await desk.sign()).status_code == 200
    return visit, desk


async def test_a_sheet_that_is_corrected_and_signed_anew_prints_what_is_found_now(world: World) -> None:
    visit, desk = await _measured(world, SBP="150")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    assert "收缩压 150" in (await review.shown())["entries"][0]["detail"]
    await desk.reopen()
    await desk.enter(SBP="118")
    assert (await desk.sign()).json()["summary"] == "所检项目未见明显异常"
    shown = await review.shown()
    assert shown["entries"] == []
    assert "血压" not in shown["overview"]


async def test_a_laboratorys_correction_after_the_draft_is_in_the_draft_or_blocks_both_signatures(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="8.74")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    sugar = made["entries"][0] | {"detail": "空腹血糖 8.74,嘱复查"}
    assert (await review.put("血糖 8.74,偏高。", [sugar])).status_code == 200
    await world.file(visit, status="C", GLU="5.00")
    shown = await review.shown()
    assert [(e["stale"], e["detail"]) for e in shown["entries"]] == [(True, "空腹血糖 8.74,嘱复查")]
    assert shown["overview_stale"]
    assert "conclusion_stale" in await review.reasons()
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "conclusion-stale")


async def test_a_departments_edited_line_is_stale_with_its_value_and_is_changed_or_confirmed_before_the_signature(
    world: World,
) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "152"})
    line = (await desk.sheet())["lines"][0]
    await desk.call("PUT", "summary", {"lines": [{"id": line["id"], "text": "血压 152,紧张所致可能"}]})
    await desk.enter(SBP="162")
    assert (await desk.sheet())["lines"][0]["stale"]
    assert "summary_stale" in await Review(world, visit).reasons()
    refused = await desk.sign()
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-stale")
    same = {"id": line["id"], "text": "血压 152,紧张所致可能"}
    await desk.call("PUT", "summary", {"lines": [same]})
    assert (await desk.sign()).status_code == 409, "sending it back is no confirmation"
    old = await desk.call("PUT", "summary", {"lines": [same | {"confirmed": True}]})
    assert (old.status_code, old.json()["code"]) == (409, "summary-figure-outdated"), "152 is what nobody says any more"
    await desk.call("PUT", "summary", {"lines": [same | {"text": "血压 162,紧张所致可能", "confirmed": True}]})
    assert (await desk.sign()).status_code == 200


async def test_a_summary_somebody_wrote_is_asked_for_anew_once_the_values_are_others(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "152"})
    assert (await desk.sign(summary="血压 152,余未见异常")).json()["summary"] == "血压 152,余未见异常"
    await desk.reopen()
    assert (await desk.sign()).json()["summary"] == "血压 152,余未见异常"
    await desk.reopen()
    await desk.enter(SBP="118")
    assert (await desk.sign()).json()["code"] == "summary-stale"
    assert (await desk.sign(summary="未见异常")).json()["summary"] == "未见异常"


async def test_what_was_taken_out_comes_back_once_it_rests_on_another_value(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "142"})
    await desk.call("PUT", "summary", {"lines": []})
    await desk.enter(PULSE="71")
    assert (await desk.sheet())["lines"] == []
    await desk.enter(SBP="182")
    assert len((await desk.sheet())["lines"]) == 1
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert (await review.put(made["overview"], [])).json()["entries"] == []
    assert (await review.call("generate")).json()["entries"] == []
    await desk.reopen()
    await desk.enter(SBP="192")
    assert (await desk.sign()).status_code == 200
    assert len((await review.shown())["entries"]) == 1


@pytest.mark.requirement("E4.3")
async def test_a_merged_entry_keeps_its_findings_its_links_and_its_place_and_is_stale_with_any_of_them(
    world: World,
) -> None:
    visit, desk = await _measured(world, "GLU", SBP="152", DBP="95", WEIGHT="85")
    await world.file(visit, GLU="7.4")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    sugar, pressure, heavy = [
        next(e for e in made["entries"] if word in e["title"]) for word in ("血糖", "血压", "肥胖")
    ]
    merged = pressure | {"title": "高血压合并肥胖", "keys": [pressure["key"], heavy["key"]]}
    written = (await review.put("见下。", [merged, sugar])).json()
    links = {*pressure["result_ids"], *heavy["result_ids"]}
    assert (written["entries"][0]["title"], set(written["entries"][0]["result_ids"])) == ("高血压合并肥胖", links)
    again = (await review.call("generate")).json()
    assert [e["title"] for e in again["entries"]] == ["高血压合并肥胖", sugar["title"]]
    assert set(again["entries"][0]["result_ids"]) == links
    assert not again["entries"][0]["stale"]
    await desk.reopen()
    await desk.enter(WEIGHT="65")
    assert (await desk.sign()).status_code == 200
    shown = await review.shown()
    assert [(e["title"], e["stale"]) for e in shown["entries"]] == [("高血压合并肥胖", True), (sugar["title"], False)]
    assert shown["overview_stale"]
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    fixed = shown["entries"][0] | {"title": "高血压", "keys": [pressure["key"]]}
    assert (await review.put("高血压,血糖高。", [fixed, sugar])).status_code == 200
    assert (await review.call("sign")).status_code == 200


@pytest.mark.requirement("E4.3")
async def test_a_split_finding_stays_split_with_the_results_that_each_part_was_left(world: World) -> None:
    visit, _ = await _measured(world, SBP="152", DBP="95")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    [pressure] = made["entries"]
    high, low = pressure["result_ids"]
    first = pressure | {"title": "收缩压升高", "result_ids": [high]}
    second = {**pressure, "title": "舒张压升高", "result_ids": [low], "key": None, "keys": [pressure["key"]]}
    assert (await review.put("血压升高。", [first, second])).status_code == 200
    again = (await review.call("generate")).json()
    assert [(e["title"], e["result_ids"], e["stale"]) for e in again["entries"]] == [
        ("收缩压升高", [high], False), ("舒张压升高", [low], False),
    ]  # fmt: skip


@pytest.mark.requirement("E12.1", "E12.2", "E12.3")
async def test_a_finalized_exam_is_opened_again_and_its_report_goes_with_it_and_comes_anew(world: World) -> None:
    visit = await world.finalized("GLU")
    report_id = await world.published(visit)
    other = await world.ready("GLU")
    review, chief = Review(world, visit), await world.sign_in("chief")
    place = f"{visit.place}/reports"

    async def reports() -> list[tuple[int, str, bool]]:
        return [(r["version"], r["state"], r["outdated"]) for r in (await chief.get(place)).json()["items"]]

    await world.file(visit, status="C", GLU="9.9")
    assert await reports() == [(1, "published", True)]
    async with world.owner(visit) as owner:
        mine = (await owner.get(f"{API}/me/reports")).json()["items"]
        assert [r["outdated"] for r in mine] == [True]
    task = next(
        t for t in (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200})).json()["items"]
        if t["exam_id"] == str(visit.exam_id)
    )  # fmt: skip
    await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "已电话告知"})
    assert await reports() == [(1, "published", True)], "a telephone call does not make the paper true"
    assert (await review.call("reopen", {"reason": "血糖更正"})).status_code == 403
    opened = await review.call("reopen", {"reason": "血糖更正"}, who="chief")
    assert (opened.status_code, opened.json()["state"], opened.json()["returned_reason"]) == (200, "draft", "血糖更正")
    assert await reports() == [(1, "recalled", False)]
    queue = (await chief.get(f"{API}/review-queue", params={"page_size": 200})).json()["items"]
    waiting = [e["exam_id"] for e in queue]
    assert waiting.index(str(visit.exam_id)) < waiting.index(str(other.exam_id))
    shown = await review.shown()
    assert shown["overview_stale"], "未见明显异常 was written on another value"
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    assert (await review.put("血糖 9.9。", [{"kind": "finding", "title": "血糖升高"}])).status_code == 200
    assert (await review.call("sign")).status_code == 200
    assert (await review.call("finalize", who="chief")).status_code == 200
    assert await reports() == [(2, "rendering", False), (1, "recalled", False)]
    assert (await chief.post(f"{API}/reports/{report_id}:publish")).status_code == 409


@pytest.mark.requirement("E12.1")
async def test_a_persons_results_are_revoked_and_entered_anew_and_what_was_said_of_them_goes(world: World) -> None:
    visit, desk = await _measured(world, SBP="150")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    assert (await review.call("sign")).status_code == 200
    assert (await review.call("finalize", who="chief")).status_code == 200
    await world.published(visit)
    refused = await desk.call("POST", "results:revoke", {"reason": "他人结果"})
    assert refused.status_code == 403, "a department does not take a final sign-off back"
    chief = Desk(await world.sign_in("chief"), visit, "GENERAL")
    chief.tag = f'"{(await desk.sheet())["version"]}"'
    revoked = await chief.client.post(
        f"{chief.place}/results:revoke", json={"reason": "他人结果"}, headers={"If-Match": chief.tag}
    )
    assert (revoked.status_code, revoked.json()["state"]) == (200, "draft")
    assert all(item["current"] is None for item in revoked.json()["items"])
    assert (await review.shown())["entries"] == []
    client = await world.sign_in("chief")
    assert [r["state"] for r in (await client.get(f"{visit.place}/reports")).json()["items"]] == ["recalled"]
    await desk.enter(**NORMAL)
    assert (await desk.sign()).status_code == 200
    assert (await review.call("generate")).json()["overview"] == "本次体检所检项目未见明显异常。"
    assert (await review.call("sign")).status_code == 200


@pytest.mark.requirement("E3.4")
async def test_everything_that_was_judged_by_sex_and_age_is_judged_anew_when_they_are_corrected(world: World) -> None:
    person, _ = await world.person(sex="male")
    visit = await world.checked_in("CBC", "RENAL", examinee_id=person)
    await world.file(visit, HGB="121", CREA="95", WBC="6", PLT="200", RBC="4.5", HCT="0.45", UREA="5", UA="400")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert "finding:HGB-LOW" in [e["key"] for e in made["entries"]]
    own = next(e for e in made["entries"] if e["key"] == "finding:HGB-LOW") | {"detail": "血红蛋白 121,男性偏低"}
    await review.put(made["overview"], [own])

    async def values() -> dict[str, tuple[str, str | None]]:
        found = (await (await world.sign_in("reviewer")).get(f"{visit.place}/results")).json()["departments"]
        return {
            r["item_code"]: (r["current"]["value"], r["current"]["flag"])
            for d in found
            for r in d["results"]
            if r["current"]
        }

    before = await values()
    front = await world.sign_in("front")
    body = {"sex": "female", "reason": "登记时性别选错"}
    assert (await front.post(f"{visit.place}:correct-facts", json=body)).status_code == 200
    after = await values()
    assert (before["HGB"][1], after["HGB"]) == ("L", ("121", ""))
    shown = await review.shown()
    assert [(e["key"], e["stale"]) for e in shown["entries"] if e["key"] == "finding:HGB-LOW"] == [
        ("finding:HGB-LOW", True)
    ]
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"


@pytest.mark.requirement("E3.4", "E4.8")
@pytest.mark.parametrize("to", ["initial_signed", "finalized"])
async def test_the_database_signs_nothing_stale_either(world: World, admin: asyncpg.Connection, to: str) -> None:
    visit = await world.ready("GLU")
    review = Review(world, visit)
    assert (await review.put("血糖 5。", [])).status_code == 200
    await world.file(visit, status="C", GLU="5.5")
    assert (await review.shown())["overview_stale"]
    who = uuid7()
    with pytest.raises(asyncpg.CheckViolationError, match=r"stale|may not go"):
        await admin.execute(
            "update conclusion set state = $2::varchar, initial_by = $3, final_by = case when $2::varchar = 'finalized' then $4::uuid end where exam_id = $1",
            visit.exam_id, to, who, uuid7(),
        )  # fmt: skip


async def test_a_confirmed_entry_holds_no_figure_that_its_results_say_no_more(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="7.30")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    sugar = made["entries"][0] | {"detail": "空腹血糖 7.3,嘱复查"}
    assert (await review.put("血糖偏高。", [sugar])).status_code == 200
    await world.file(visit, status="C", GLU="4.10")
    entry = (await review.shown())["entries"][0]
    assert entry["stale"]
    refused = await review.put("血糖已复查。", [entry | {"confirmed": True}])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated")
    assert {e["pointer"] for e in refused.json()["errors"]} == {"/entries/0/title", "/entries/0/detail"}
    told = entry | {"title": "血糖复查正常范围", "detail": "空腹血糖由 7.3 降至 4.1", "confirmed": True}
    assert (await review.put("血糖已复查。", [told])).status_code == 200


async def test_what_was_struck_leaves_no_summary_that_says_it_is_current(world: World) -> None:
    visit, desk = await _measured(world, SBP="150")
    assert "收缩压 150" in (await desk.sheet())["summary"]
    struck = await desk.call("POST", "results:revoke", {"reason": "录错人"})
    assert struck.status_code == 200, struck.text
    sheet = await desk.sheet()
    assert (sheet["state"], sheet["summary"]) == ("draft", "")
    client = await world.sign_in("reviewer")
    shown = (await client.get(f"{visit.place}/results")).json()["departments"][0]
    assert (shown["summary"] or "") == "", shown


async def test_words_by_hand_are_stale_once_what_they_speak_of_is_struck(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "150"})
    assert (await desk.sign(summary="收缩压 150,嘱复测")).status_code == 200
    assert (await desk.call("POST", "results:revoke", {"reason": "录错人"})).status_code == 200
    sheet = await desk.sheet()
    assert (sheet["summary"], sheet["stale"]) == ("收缩压 150,嘱复测", True)


async def test_an_overview_that_nobody_wrote_follows_what_a_reviewer_calls_its_entries(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="7.30")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    renamed = made["entries"][0] | {"title": "空腹血糖升高,待确诊"}
    assert (await review.put(made["overview"], [renamed])).status_code == 200
    assert (await review.shown())["overview"] == "本次体检主要发现：\n1. 空腹血糖升高,待确诊"


async def test_an_overview_that_nobody_wrote_lists_nothing_once_the_last_entry_is_taken_out(world: World) -> None:
    visit, _ = await _measured(world, SBP="150", DBP="95")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert made["overview"].splitlines()[1:]
    left = (await review.put(made["overview"], [])).json()
    assert (left["entries"], left["overview"]) == ([], "本次体检有异常结果，见各项结果。")


@pytest.mark.parametrize(
    "calm",
    ["本次体检一切正常，请放心。", "身體健康", "All normal", "血糖正常", "主检结论：未见异常", "GLU正常", "血糖不高"],
)
async def test_no_overview_and_no_entry_that_calls_a_flag_normal_is_signed(world: World, calm: str) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="7.30")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert (await review.put(calm, made["entries"])).status_code == 200
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "overview-contradicts-results")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/overview"]
    assert (await review.put("血糖偏高。余未见异常。", [made["entries"][0] | {"detail": calm}])).status_code == 200
    refused = await review.call("sign")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/entries/0/detail"]
    assert (await review.put("血糖偏高。余未见异常。", made["entries"])).status_code == 200
    assert (await review.call("sign")).status_code == 200


async def test_words_about_what_nobody_judged_are_not_calm(world: World) -> None:
    visit = await world.checked_in("INTERNAL", "CXR")
    doctor = await world.sign_in("doctor")
    for group, code, value in (
        ("INTERNAL", "LUNG", "双肺呼吸音粗，可闻及湿啰音"),
        ("CXR", "CXR", "右肺下叶见团块影，考虑恶性可能"),
    ):
        desk = Desk(doctor, visit, group)
        rest = {
            i["item_code"]: "70" for i in (await desk.sheet())["items"] if i["kind"] == "numeric" and i["entered_here"]
        }
        await desk.enter(**rest | {code: value})
        calm = await desk.sign(fill_defaults=True, summary="未见明显异常")
        assert calm.json()["code"] == "summary-contradicts-findings"
        signed = await desk.sign(fill_defaults=True)
        assert "未见明显异常" not in signed.json()["summary"]
    # That it may be malignant somebody has to have looked at, and told.
    await _seen_to(world, visit, "confirm")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert "未见明显异常" not in made["overview"]


async def _printed(world: World, visit: Visit, *, hospital: str = "") -> dict[str, Any]:
    async with world.runtime.units.open(demo.LOADER) as uow:
        rows = await views.source(uow, visit.exam_id)
        return report_data(rows, [], hospital_name=hospital, version=1, watermark=None, printed_at=uow.now)


async def test_a_merged_entry_is_critical_while_its_critical_source_stands_and_no_longer(world: World) -> None:
    visit, _ = await _measured(world, "GLU", SBP="165", DBP="100")
    await world.file(visit, GLU="25.0")
    review = Review(world, visit)
    await _seen_to(world, visit, "confirm")
    made = (await review.call("generate")).json()
    sugar = next(e for e in made["entries"] if "血糖" in e["title"])
    pressure = next(e for e in made["entries"] if "血压" in e["title"])
    both = sugar | {"title": "血糖显著升高合并血压升高", "detail": "", "keys": [*sugar["keys"], *pressure["keys"]]}
    rest = [e for e in made["entries"] if e not in (sugar, pressure)]
    assert (await review.put(made["overview"], [both, *rest])).status_code == 200
    levels = {c["title"]: c["level"] for c in (await _printed(world, visit))["conclusions"]}
    assert levels[both["title"]] == "critical"
    await world.file(visit, status="C", GLU="5.0")
    data = await _printed(world, visit)
    stale = next(c for c in data["conclusions"] if c["title"] == both["title"])
    assert (stale["level"], stale["stale"]) == ("", True)
    assert "须立即就医" not in {f["label"] for f in data["figures"]}


@pytest.mark.parametrize("verb", ["confirm", "dismiss"])
async def test_the_report_calls_critical_what_the_list_of_critical_values_does(world: World, verb: str) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="17.0")
    row = (await _printed(world, visit))["abnormal"][0]
    assert row["flag"] == "critical_high", "nobody has seen to it, and it stands: its flag alone says high"
    await _seen_to(world, visit, verb)
    row = (await _printed(world, visit))["abnormal"][0]
    assert row["flag"] == ("critical_high" if verb == "confirm" else "high")


async def _seen_to(world: World, visit: Visit, verb: str) -> None:
    client = await world.sign_in("reviewer")
    params = {"exam_id": str(visit.exam_id)}
    for alert in (await client.get(f"{API}/critical-values", params=params)).json()["items"]:
        if alert["state"] != "detected":
            continue
        shown = await client.get(f"{API}/critical-values/{alert['id']}")
        body = {"reason": "标本溶血"} if verb == "dismiss" else None
        answer = await client.post(
            f"{API}/critical-values/{alert['id']}:{verb}", json=body, headers={"If-Match": shown.headers["etag"]}
        )
        assert answer.status_code == 200, answer.text
        if verb == "confirm":
            told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "马上去急诊"}
            tag = {"If-Match": answer.headers["etag"]}
            answer = await client.post(f"{API}/critical-values/{alert['id']}:notify", json=told, headers=tag)
            assert answer.status_code == 200, answer.text


async def test_a_form_that_sends_back_the_summary_that_it_showed_confirms_nothing(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "152"})
    words = "收缩压 152,血压偏高,嘱复测"
    assert (await desk.sign(summary=words)).status_code == 200
    await desk.reopen()
    await desk.enter(SBP="118")
    for body, code in (
        ({"summary": words}, "summary-stale"),
        ({"summary": words, "summary_confirmed": True}, "summary-figure-outdated"),
        ({"summary": f"{words}。"}, "summary-stale"),
        ({"summary": f"{words},随访"}, "summary-figure-outdated"),
        ({"summary": "血压偏高,嘱复测"}, "summary-figure-outdated"),
        ({"summary": "血压复测 118,嘱随访"}, None),
    ):
        answer = await desk.sign(**body)
        assert answer.json().get("code") == code, answer.text


async def test_words_without_figures_are_confirmed_by_name_only(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "152"})
    assert (await desk.sign(summary="血压偏高,嘱复测")).status_code == 200
    await desk.reopen()
    await desk.enter(SBP="148")
    assert (await desk.sign(summary="血压偏高,嘱复测")).json()["code"] == "summary-stale"
    assert (await desk.sign(summary="血压偏高,嘱复测", summary_confirmed=True)).status_code == 200


async def test_a_stale_line_does_not_come_in_again_as_a_new_one(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "152"})
    line = (await desk.sheet())["lines"][0]
    await desk.call("PUT", "summary", {"lines": [{"id": line["id"], "text": "请心内科随访"}]})
    await desk.enter(SBP="118")
    for text in ("请心内科随访", "血压偏高,紧张所致可能", "收缩压 152 mmHg"):
        again = await desk.call("PUT", "summary", {"lines": [{"text": text}]})
        assert (again.status_code, again.json()["code"]) == (409, "summary-figure-outdated"), text
    assert (await desk.call("PUT", "summary", {"lines": [{"text": "初测偏高,复测 118"}]})).status_code == 200
    assert (await desk.sign()).status_code == 200


@pytest.mark.parametrize("place", ["overview", "title", "detail", "advice", "lifestyle"])
async def test_no_words_of_a_conclusion_hold_a_figure_that_a_result_said_and_none_says_now(
    world: World, place: str
) -> None:
    """Whatever they are linked to: with the finding its entry goes, and nothing is left to compare them with."""
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="8.74")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    own = {"kind": "finding", "title": "随访", "detail": "", "advice": "", "lifestyle": "", "result_ids": []}
    await world.file(visit, status="C", GLU="5.00")
    old = "空腹血糖 8.74 升高"
    refused = await review.put(
        old if place == "overview" else "见下。", [own | {place: old} if place != "overview" else own]
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated")
    assert [e["pointer"] for e in refused.json()["errors"]] == [
        f"/{place}" if place == "overview" else f"/entries/0/{place}"
    ]


async def test_own_words_with_an_old_figure_are_not_signed_though_nothing_links_them(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="8.74")
    review = Review(world, visit)
    own = {
        "kind": "finding",
        "title": "空腹血糖 8.74 升高",
        "detail": "",
        "advice": "",
        "lifestyle": "",
        "result_ids": [],
    }
    made = (await review.call("generate")).json()
    assert (await review.put("见下。", [*made["entries"], own])).status_code == 200
    await world.file(visit, status="C", GLU="5.00")
    entries = (await review.shown())["entries"]
    assert [e["stale"] for e in entries] == [True], "nothing links it, and it is not true any more"
    kept = await review.put("见下方。", entries)
    assert kept.status_code == 200, kept.text
    assert [e["stale"] for e in (await review.shown())["entries"]] == [True]
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    refused = await review.put("见下方。", [entries[0] | {"title": "空腹血糖 8.74 仍高"}])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), refused.text
    refused = await review.put("见下方。", [entries[0] | {"confirmed": True}])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), refused.text
    told = await review.put("见下方。", [entries[0] | {"title": "空腹血糖正常"}])
    assert told.status_code == 200, told.text
    assert (await review.call("sign")).status_code == 200


async def test_what_the_knowledge_base_advises_is_no_old_figure(world: World) -> None:
    visit, desk = await _measured(world, SBP="140")
    await desk.reopen()
    await desk.enter(SBP="152")
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert "140" in made["entries"][0]["advice"], "the figure that SBP said before"
    pressure = made["entries"][0] | {"detail": "收缩压 152,高于正常", "advice": made["entries"][0]["advice"] + "。"}
    assert (await review.put(made["overview"], [pressure])).status_code == 200


@pytest.mark.parametrize(
    "calm",
    ["一切正常", "未见异常", "血压正常", "一般检查科：未见异常", "血压理想", "血压无升高", "SBP/DBP：正常"],
    ids=["all", "nothing", "pressure", "department", "ideal", "not raised", "codes"],
)
async def test_no_line_that_calls_a_flag_normal_is_written_or_signed_and_none_is_a_finding(
    world: World, calm: str
) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL)
    assert (await desk.call("PUT", "summary", {"lines": [{"text": calm}]})).status_code == 200
    await desk.enter(SBP="152")
    refused = await desk.sign()
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-contradicts-findings")
    refused = await desk.call("PUT", "summary", {"lines": [{"text": calm}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-contradicts-findings")
    await desk.enter(SBP="118")
    assert (await desk.sign()).status_code == 200
    made = (await Review(world, visit).call("generate")).json()
    assert made["entries"] == []
    assert "1." not in made["overview"]


async def test_a_conclusion_of_what_was_dismissed_is_called_critical_nowhere_on_the_page(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="25.0")
    await _seen_to(world, visit, "dismiss")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert any("血糖" in e["title"] for e in made["entries"])
    assert (await review.put("请复查血糖。", made["entries"])).status_code == 200
    data = await _printed(world, visit)
    assert [c["level"] for c in data["conclusions"]] == [""] * len(made["entries"])
    assert data["abnormal"][0]["flag"] == "high"
    assert "危急" not in data["overview"]


async def _asked(world: World, visit: Visit) -> list[dict[str, Any]]:
    params = {"exam_id": str(visit.exam_id), "still_open": "true"}
    answer = await (await world.sign_in("doctor")).get(f"{API}/result-questions", params=params)
    assert answer.status_code == 200, answer.text
    asked: list[dict[str, Any]] = answer.json()["items"]
    return asked


async def _answer(world: World, question: dict[str, Any], answer: str) -> httpx.Response:
    body = {"answer": answer, "reason": "已核对"}
    return await (await world.sign_in("doctor")).post(f"{API}/result-questions/{question['id']}:answer", json=body)


async def _answered(world: World, visit: Visit, answer: str = "abnormal") -> list[httpx.Response]:
    return [await _answer(world, question, answer) for question in await _asked(world, visit)]


@pytest.mark.requirement("E4.3", "E5.2", "E5.3")
async def test_a_critical_value_of_which_no_finding_speaks_is_an_entry_that_whoever_signs_has_read(
    world: World,
) -> None:
    visit = await world.checked_in("COAG", examinee_id=await world.young())
    await world.file(visit, INR="6.2")
    assert await _asked(world, visit) == [], "the alarm asks for somebody; nobody is asked what the value is"
    await _seen_to(world, visit, "confirm")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    (critical,) = _of_alerts(made)
    assert (critical["title"], critical["rule_codes"]) == ("国际标准化比值危急值", ["CRIT-INR"])
    assert critical["detail"].startswith("国际标准化比值 6.2")
    assert "立即" in critical["advice"]
    # Taken out, nothing speaks of it any more: nobody signs that, whatever the overview says.
    rest = [e for e in made["entries"] if e is not critical]
    assert (await review.put("国际标准化比值 6.2,请立即就诊。", rest)).status_code == 200
    refused = (await review.call("sign")).json()
    assert (refused["code"], len(refused["errors"])) == ("critical-not-concluded", 1)
    # Own words that rest on it speak of it.
    own = {"kind": "finding", "title": "抗凝过度", "detail": "国际标准化比值 6.2", "result_ids": critical["result_ids"]}
    # What calms, or asks nobody to act, tells of nothing.
    for advice in ("", "三个月后复查即可,不必担心", "请立即复查,不必担心"):
        mild = own | {"advice": advice}
        assert (await review.put("见各项结果。", [mild, *rest])).status_code == 200
        assert (await review.call("sign")).json()["code"] == "critical-not-concluded"
    own |= {"advice": "请立即到急诊就诊"}
    assert (await review.put("国际标准化比值 6.2,请立即就诊。", [own, *rest])).status_code == 200
    assert (await review.call("sign")).status_code == 200
    data = await _printed(world, visit)
    assert [c["title"] for c in data["conclusions"]] == ["抗凝过度", *(e["title"] for e in rest)]
    assert data["conclusions"][0]["level"] == "critical"


async def _becomes_critical(world: World) -> tuple[Visit, Review]:
    """A draft is there, and a correction of the laboratory's is critical; nobody has seen to it yet."""
    visit = await world.checked_in("COAG")
    await world.file(visit, INR="1.0")
    await _answered(world, visit, "normal")
    review = Review(world, visit)
    assert _of_alerts((await review.call("generate")).json()) == []
    await world.file(visit, status="C", INR="6.2")
    await _answered(world, visit)
    return visit, review


def _of_alerts(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in said["entries"] if entry["key"].startswith("critical:")]


async def test_the_entry_of_a_critical_value_comes_and_goes_with_its_alert(world: World) -> None:
    visit, review = await _becomes_critical(world)
    shown = await review.shown()
    assert [e["title"] for e in _of_alerts(shown)] == ["国际标准化比值危急值"]
    assert "国际标准化比值危急值" in shown["overview"]
    await _seen_to(world, visit, "dismiss")
    shown = await review.shown()
    assert (_of_alerts(shown), "危急" in shown["overview"]) == ([], False)
    assert (await review.call("sign")).status_code == 200


async def test_what_a_draft_says_of_a_value_follows_the_alert_that_a_person_dismissed(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="5.0")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    await world.file(visit, status="C", GLU="25.0")
    assert any("属危急值" in e["detail"] for e in (await review.shown())["entries"])
    await _seen_to(world, visit, "dismiss")
    shown = await review.shown()
    assert [e["stale"] for e in shown["entries"] if "25.0" in e["detail"]] == [False]
    assert not any("危急" in e["detail"] for e in shown["entries"])
    # What was written of it then is stale once it is critical again, though its value is the same.
    put = await review.put("见下。", [e | {"advice": "请复查血糖。"} for e in shown["entries"]])
    assert put.status_code == 200, put.text
    await world.file(visit, status="C", GLU="25.00")
    again = await review.shown()
    assert [e["stale"] for e in again["entries"] if e["advice"] == "请复查血糖。"] == [True]
    assert again["overview_stale"]


@pytest.mark.requirement("E12.1", "E5.3")
async def test_a_value_that_alarms_again_after_the_final_sign_off_is_signed_anew_though_it_reads_the_same(
    world: World,
) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="25.0")
    await _seen_to(world, visit, "dismiss")
    review = Review(world, visit)
    for act, who in (("generate", "reviewer"), ("sign", "reviewer"), ("finalize", "chief")):
        answer = await review.call(act, who=who)
        assert answer.status_code == 200, answer.text
    await world.published(visit)
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert await conclusions.stands(uow, visit.exam_id)
    # What a person said of the first measurement holds of that one: the second alarms, and the signed words call it uncritical.
    await world.file(visit, status="C", GLU="25.0")
    await _seen_to(world, visit, "confirm")
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert not await conclusions.stands(uow, visit.exam_id)
    chief = await world.sign_in("chief")
    tasks = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, "state": "open"})).json()["items"]
    (task,) = [one for one in tasks if one["exam_id"] == str(visit.exam_id)]
    refused = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "数值相同"})
    assert (refused.status_code, refused.json()["code"]) == (409, "amendment-needed")
    reports = (await chief.get(f"{visit.place}/reports")).json()["items"]
    assert [(r["state"], r["outdated"]) for r in reports] == [("published", True)]


async def test_the_number_of_a_line_is_no_old_figure_though_the_items_name_is_beside_it(world: World) -> None:
    visit, review = await _becomes_critical(world)
    await _seen_to(world, visit, "confirm")
    made = await review.shown()
    # What was 1.0 before is 6.2 now.
    assert (await review.put("1. 国际标准化比值危急值\n2、其余见下", made["entries"])).status_code == 200
    refused = await review.put("1. 国际标准化比值 1.0", made["entries"])
    assert refused.json()["code"] == "entry-figure-outdated"


async def test_a_reviewers_words_about_a_critical_value_are_stale_once_it_is_corrected(world: World) -> None:
    visit, review = await _becomes_critical(world)
    await _seen_to(world, visit, "confirm")
    made = await review.shown()
    words = {"detail": "国际标准化比值 6.2,复核为危急"}
    entries = [e | (words if e in _of_alerts(made) else {}) for e in made["entries"]]
    answer = await review.put(made["overview"], entries)
    assert answer.status_code == 200, answer.text
    await world.file(visit, status="C", INR="1.1")
    await _answered(world, visit, "normal")
    assert [c["level"] for c in (await _printed(world, visit))["conclusions"] if "国际标准化比值" in c["title"]] == [""]
    assert [e["stale"] for e in _of_alerts(await review.shown())] == [True]
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"


@pytest.mark.requirement("E5.2")
async def test_what_one_rule_finds_critical_of_several_values_is_told_once(world: World) -> None:
    visit = await world.checked_in("GENERAL-FULL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL-FULL")
    rest = {
        "WAIST": "80",
        "HIP": "95",
        "TEMP": "36.5",
        "RESP": "16",
        "SPO2": "98",
        "NUTRITION": "中等",
        "HABIT-SMOKE": "从不",
        "HABIT-ALCOHOL": "从不",
    }
    await desk.enter(**NORMAL | rest | {"SBP": "186", "SYMPTOM": "头痛"})
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "normal")
    signed = await desk.sign()
    assert signed.status_code == 200, signed.text
    made = (await Review(world, visit).call("generate")).json()
    assert "entries" in made, made
    said = [e["title"] for e in made["entries"]]
    data = await _printed(world, visit)
    # That it be measured again another day, as 血压升高 would advise, is no answer to it.
    assert [c["title"] for c in data["conclusions"] if c["level"]] == ["血压极度升高"]
    assert "血压升高" not in said, "the graver finding stands for it"
    assert sorted(c["title"] for c in data["conclusions"]) == sorted(said), (
        "the page says what is signed, and nothing else"
    )


@pytest.mark.requirement("E3.4", "E5.2")
@pytest.mark.parametrize("answer", ["normal", "not_judged"])
async def test_nobody_calls_normal_what_a_rule_finds_by_its_number(world: World, answer: str) -> None:
    visit = await world.checked_in("GLU-2H", examinee_id=await world.young())
    await world.file(visit, **{"GLU-2H": "12.0"})
    question = next(q for q in await _asked(world, visit) if q["item_code"] == "GLU-2H")
    refused = await _answer(world, question, answer)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/answer"), refused.text
    assert (await _answer(world, question, "abnormal")).status_code == 200


@pytest.mark.requirement("E3.4")
@pytest.mark.parametrize("answer", ["normal", "abnormal", "not_judged"])
async def test_what_was_called_normal_is_asked_again_once_the_person_is_another(world: World, answer: str) -> None:
    visit = await world.checked_in("GLU-2H", examinee_id=await world.young())
    await world.file(visit, **{"GLU-2H": "5.0"})
    assert {a.status_code for a in await _answered(world, visit, answer)} == {200}
    assert await _asked(world, visit) == []
    front = await world.sign_in("front")
    other = "male" if (await front.get(visit.place)).json()["sex"] == "female" else "female"
    body = {"sex": other, "reason": "登记时性别选错"}
    assert (await front.post(f"{visit.place}:correct-facts", json=body)).status_code == 200
    assert "GLU-2H" in {q["item_code"] for q in await _asked(world, visit)}


@pytest.mark.requirement("E5.2")
async def test_what_a_signed_overview_measures_at_the_start_of_a_line_is_printed_word_for_word(world: World) -> None:
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, K="7.2")
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "confirmed")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    title = made["entries"][0]["title"]
    said = [
        f"1. {title}：",
        "7.2 mmol/L，已电话告知本人",
        "甲状腺右叶结节：",
        "1.5cm×1.0cm，TI-RADS 3类",
        "2026.5.20 复查",
    ]
    assert (await review.put("\n".join(said), made["entries"])).status_code == 200
    # Nobody looked at the thyroid here: whoever signs answers for it.
    signed = await review.call("sign", {"confirmed": (await review.shown())["overview_asked"]})
    assert signed.status_code == 200, signed.text
    assert (await _printed(world, visit))["overview"].splitlines() == said


async def test_a_department_confirms_no_old_figure_that_another_item_says_now(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "170"})
    assert NORMAL["HEIGHT"] == "170", "what excused it"
    line = (await desk.sheet())["lines"][0]
    words = {"id": line["id"], "text": "收缩压 170 mmHg，血压升高，建议心内科就诊"}
    assert (await desk.call("PUT", "summary", {"lines": [words]})).status_code == 200
    await _answered(world, visit, "confirmed")
    await desk.enter(SBP="118")
    for again in (words | {"confirmed": True}, {"text": "收缩压 170 mmHg，血压明显升高"}):
        refused = await desk.call("PUT", "summary", {"lines": [again]})
        assert (refused.status_code, refused.json()["code"]) == (409, "summary-figure-outdated"), again
    signed = await desk.sign(summary="身高 170 cm，血压 118/76 mmHg", summary_confirmed=True)
    assert (signed.status_code, signed.json()["code"]) == (409, "summary-stale"), (
        "the line itself is still to be mended"
    )
    told = {"id": line["id"], "text": "身高 170 cm，收缩压由 170 mmHg 降至 118 mmHg", "confirmed": True}
    answer = await desk.call("PUT", "summary", {"lines": [told]})
    assert answer.status_code == 200, answer.text
    refused = await desk.sign(summary="身高 170 cm，收缩压 170 mmHg", summary_confirmed=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-figure-outdated")
    signed = await desk.sign(summary="身高 170 cm，收缩压 118 mmHg", summary_confirmed=True)
    assert signed.status_code == 200, signed.text


async def test_a_reviewer_confirms_and_signs_no_old_figure_that_another_item_says_now(world: World) -> None:
    visit = await world.checked_in("GLU", "CBC")
    await world.file(visit, GLU="7.30", WBC="7.3")
    await _answered(world, visit, "normal")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    over = "空腹血糖 7.3 mmol/L，偏高，建议复查。"
    told = [e | ({"detail": over} if "糖" in e["title"] else {}) for e in made["entries"]]
    assert (await review.put(over, told)).status_code == 200
    await world.file(visit, status="C", GLU="4.10", WBC="7.3")
    await _answered(world, visit, "normal")
    shown = (await review.shown())["entries"]
    again = [e | {"confirmed": True} for e in shown]
    body = {"overview": over, "overview_confirmed": True, "entries": again}
    refused = await review.call("", body | {"entries": _sent(again)}, method="PUT")
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), refused.text
    assert {error["pointer"] for error in refused.json()["errors"]} == {
        "/overview",
        "/entries/0/title",
        "/entries/0/detail",
    }
    # What the white cells say is theirs.
    own = [{"kind": "finding", "title": "血常规", "detail": "白细胞 7.3，葡萄糖 4.1"}]
    body = {"overview": "白细胞计数 7.3；空腹血糖 4.1。", "overview_confirmed": True, "entries": own}
    answer = await review.call("", body, method="PUT")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("text", ["收缩压 119，舒张压 79", "血压升高：收缩压 118 mmHg", "SBP：１１９"])
async def test_nobody_writes_or_signs_a_figure_beside_an_items_name_that_no_result_ever_said(
    world: World, text: str
) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "150", "DBP": "95"})
    line = (await desk.sheet())["lines"][0]
    refused = await desk.call("PUT", "summary", {"lines": [{"id": line["id"], "text": text}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-figure-outdated")
    refused = await desk.sign(summary=text)
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-figure-outdated")
    true = "血压升高：收缩压 150 mmHg，舒张压 95 mmHg，建议收缩压 130 以下"
    assert (await desk.call("PUT", "summary", {"lines": [{"id": line["id"], "text": true}]})).status_code == 200
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    for place, overview, entries in (
        ("/overview", text, made["entries"]),
        ("/entries/0/detail", "血压升高。", [made["entries"][0] | {"detail": text}, *made["entries"][1:]]),
        ("/entries/0/advice", "血压升高。", [made["entries"][0] | {"advice": text}, *made["entries"][1:]]),
    ):
        refused = await review.put(overview, entries)
        assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), place
        assert [e["pointer"] for e in refused.json()["errors"]] == [place]
    assert (await review.put(true, made["entries"])).status_code == 200
    assert (await review.call("sign")).status_code == 200


def _sent(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    fields = ("kind", "title", "detail", "advice", "lifestyle", "result_ids", "key", "keys", "confirmed")
    return [{f: entry[f] for f in fields if f in entry} for entry in entries]


@pytest.mark.requirement("E5.2")
async def test_a_signed_summary_keeps_the_mark_of_a_critical_value_beside_a_calm_one(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"PULSE": "165"})
    await _answered(world, visit, "confirmed")
    await _seen_to(world, visit, "confirm")
    words = "收缩压 118 mmHg，脉搏 165 次/分，属危急值，已电话通知，请立即就诊"
    signed = await desk.sign(summary=words)
    assert signed.status_code == 200, signed.text
    printed = (await _printed(world, visit))["departments"][0]
    flags = {item["name"]: item["flag"] for group in printed["groups"] for item in group["items"]}
    assert (flags["脉搏"], flags["收缩压"]) == ("critical_high", "")
    assert words in printed["summary"]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("field", ["title", "detail", "advice", "lifestyle"])
async def test_no_part_of_a_critical_card_calls_everything_normal(world: World, field: str) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="25.0")
    await _seen_to(world, visit, "confirm")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    calm = {field: "本次体检各项结果均正常，身体健康，无需复查。"}
    written = [made["entries"][0] | calm, *made["entries"][1:]]
    assert (await review.put("见下。", written)).status_code == 200
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "overview-contradicts-results"), refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"/entries/0/{field}"]
    assert (await review.put("见下。", made["entries"])).status_code == 200
    signed = await review.call("sign")
    assert signed.status_code == 200, signed.text


# --- what is said in words outlives its values no more than figures do ---


async def _edited(world: World, visit: Visit, **words: str) -> tuple[Review, dict[str, Any]]:
    """A draft whose first entry a reviewer has touched."""
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    first = made["entries"][0]
    answer = await review.put(made["overview"], [first | words, *made["entries"][1:]])
    assert answer.status_code == 200, answer.text
    return review, first


async def test_words_that_are_added_elsewhere_vouch_for_nothing_that_changed(world: World) -> None:
    visit = await world.checked_in("HBV")
    await world.file(visit, HBSAG="阳性")
    await _answered(world, visit, "not_judged")
    review, first = await _edited(world, visit, advice="请到感染科就诊,并复查")
    await world.file(visit, status="C", HBSAG="阴性")
    await _answered(world, visit, "not_judged")
    shown = (await review.shown())["entries"]
    assert [e["stale"] for e in shown if e["key"] == first["key"]] == [True]
    for words in ({"advice": "请到感染科就诊,并复查。"}, {"detail": f"{first['detail']}。"}):
        answer = await review.put("乙肝表面抗原已更正", [e | words for e in shown])
        assert answer.status_code == 200, answer.text
        after = (await review.shown())["entries"]
        assert [(e["stale"], e["key"]) for e in after] == [(True, first["key"])]
        assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    refused = await review.put("乙肝表面抗原已更正", [e | {"confirmed": True} for e in shown])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated")
    assert {"/entries/0/title", "/entries/0/detail"} <= {e["pointer"] for e in refused.json()["errors"]}
    refused = await review.put("综述：乙肝表面抗原阳性", [])
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/overview"]
    told = await review.put("乙肝表面抗原由阳性更正为阴性。", [])
    assert told.status_code == 200, told.text


@pytest.mark.requirement("E5.2")
async def test_what_is_critical_no_longer_is_called_so_in_no_words(world: World) -> None:
    visit, review = await _becomes_critical(world)
    await _seen_to(world, visit, "confirm")
    made = await review.shown()
    entries = [e | ({"advice": f"{e['advice']}请家属陪同。"} if e in _of_alerts(made) else {}) for e in made["entries"]]
    assert (await review.put(made["overview"], entries)).status_code == 200
    await world.file(visit, status="C", INR="1.1")
    await _answered(world, visit, "normal")
    shown = (await review.shown())["entries"]
    # The form's own refusal asked for another figure; the title, the side and the advice were the machine's and are wrong now.
    mended = [e | {"detail": e["detail"].replace("6.2", "1.1") + "，复查", "confirmed": True} for e in shown]
    refused = await review.put("国际标准化比值已更正。", mended)
    assert refused.json()["code"] == "entry-figure-outdated", refused.text
    at = next(i for i, e in enumerate(shown) if e in _of_alerts({"entries": shown}))
    assert {f"/entries/{at}/title", f"/entries/{at}/advice"} <= {e["pointer"] for e in refused.json()["errors"]}


async def test_words_that_were_changed_while_they_were_stale_are_stale_still_when_the_old_value_comes_back(
    world: World,
) -> None:
    """They were written beside another value, and nobody has said that they hold."""
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="8.74")
    review, first = await _edited(world, visit, advice="请到内分泌科就诊")
    await world.file(visit, status="C", GLU="9.90")
    shown = (await review.shown())["entries"]
    assert [e["stale"] for e in shown if e["key"] == first["key"]] == [True]
    answer = await review.put("见各项。", [e | {"advice": "更正后更高,请当日到内分泌科就诊"} for e in shown])
    assert answer.status_code == 200, answer.text
    await world.file(visit, status="C", GLU="8.74")
    back = [e for e in (await review.shown())["entries"] if e["key"] == first["key"]]
    assert [(e["stale"], e["advice"]) for e in back] == [(True, "更正后更高,请当日到内分泌科就诊")]
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    assert (await review.put("请见各项。", [e | {"confirmed": True} for e in back])).status_code == 200
    signed = await review.call("sign")
    assert signed.status_code == 200, signed.text


@pytest.mark.parametrize("detail", [None, "见检验单。"], ids=["told", "named"])
async def test_a_finding_that_went_with_a_corrected_sex_is_confirmed_by_no_full_stop(
    world: World, detail: str | None
) -> None:
    """Neither where its detail tells a figure, nor where only its title names it."""
    person, _ = await world.person(sex="male")
    visit = await world.checked_in("CBC", examinee_id=person)
    await world.file(visit, HGB="122", WBC="6", PLT="200", RBC="4.5", HCT="0.45")
    words = {"advice": "请到血液科就诊"} | ({"detail": detail} if detail else {})
    review, first = await _edited(world, visit, **words)
    assert "血红蛋白" in first["detail"]
    front, body = await world.sign_in("front"), {"sex": "female", "reason": "登记时性别选错"}
    assert (await front.post(f"{visit.place}:correct-facts", json=body)).status_code == 200
    shown = [e for e in (await review.shown())["entries"] if e["key"] == first["key"]]
    assert [e["stale"] for e in shown] == [True]
    for more in ({"advice": "请到血液科就诊。"}, {"detail": f"{shown[0]['detail']}。"}):
        assert (await review.put("见各项。", [shown[0] | more])).status_code == 200
        assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    refused = await review.put("见各项。", [shown[0] | {"confirmed": True}])
    assert refused.json()["code"] == "entry-figure-outdated", refused.text


@pytest.mark.requirement("E3.5", "E6.1")
async def test_by_whom_a_laboratory_signs_is_printed_beside_what_it_reports(world: World) -> None:
    visit, _ = await _measured(world, "GLU")
    await world.file(visit, GLU="5.0")
    groups = {g["name"]: g for d in (await _printed(world, visit))["departments"] for g in d["groups"]}
    (own,) = [g for g in groups.values() if any(i["name"] == "葡萄糖" for i in g["items"])]
    assert (own["examined_by"], own["verified_by"], bool(own["reported_at"])) == ("蒙检验", "覃审核", True)
    others = [g for g in groups.values() if g is not own]
    assert {(g["examined_by"], g["reported_at"]) for g in others} == {("", "")}, "a department has its doctor"
