"""Reports amid trouble: killed workers, missing seals, results that change; and what became of a version, told to whoever may know."""

import asyncio
import contextlib
import hashlib
import io
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pypdfium2
import pytest
from PIL import Image

from tests.conftest import MASTER_KEY
from tests.tjapi.world import API, House, Visit, house, serving_app, until, working
from tjapi import app as application
from tjapi import demo, wiring
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import PhotoFile
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.seal import authority_of, check, make_demo_seal
from tjapi.kernel.security.tokens import LinkClaims, LinkMint
from tjapi.report import flows
from tjapi.result import service as results

pytestmark = pytest.mark.requirement("E6.1")


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"lifecycle_{worker_name}") as built:
        yield built


async def _finalized(place: House, *groups: str) -> Visit:
    visit = await place.world.finalized(*(groups or ("GLU",)))
    await place.admin.execute(
        "delete from job where name <> 'report.render'"
    )  # orders for a laboratory that is not here
    return visit


async def _ask(place: House, visit: Visit) -> dict[str, Any]:
    chief = await place.sign_in("chief")
    answer = await chief.post(f"{visit.place}/reports")
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def _settled(place: House, report_id: str) -> dict[str, Any]:
    """Wait until a version is sealed or has failed."""
    chief = await place.sign_in("chief")

    async def over() -> dict[str, Any] | None:
        report: dict[str, Any] = (await chief.get(f"{API}/reports/{report_id}")).json()
        return report if report["state"] in ("sealed", "failed") else None

    found: dict[str, Any] = await until(over, seconds=60)
    return found


@contextlib.asynccontextmanager
async def _at_work(place: House) -> AsyncIterator[None]:
    """A worker on the runtime of the house, whose press is warm; `working` is one of its own, which has not read the seal yet."""
    held = place.runtime
    runner = Runner(held.units, held.jobs, held.services, slots=2, lease=30, sweep=60)
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    yield
    stop.set()
    await task


async def _rendered(place: House, visit: Visit, *, fresh: bool = False) -> dict[str, Any]:
    asked = await _ask(place, visit)
    async with working(place.runtime.settings) if fresh else _at_work(place):
        return await _settled(place, asked["id"])


async def _published(place: House, visit: Visit) -> dict[str, Any]:
    made = await _rendered(place, visit)
    assert made["state"] == "sealed", made
    answer = await (await place.sign_in("chief")).post(f"{API}/reports/{made['id']}:publish")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _reviewed_again(place: House, visit: Visit, **advice: str) -> None:
    """As if two people had signed what the results are now, and said something else about them."""
    async with place.runtime.units.open(demo.LOADER) as uow:
        digest = await results.digest(uow, visit.exam_id)
    await place.admin.execute("set session_replication_role = replica")
    await place.admin.execute("update conclusion set results_digest = $1 where exam_id = $2", digest, visit.exam_id)
    for column, text in advice.items():
        await place.admin.execute(f"update conclusion_entry set {column} = $1 where exam_id = $2", text, visit.exam_id)
    await place.admin.execute("set session_replication_role = origin")


@contextlib.contextmanager
def _silent_authority() -> Iterator[int]:
    """A timestamp authority that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# -- ugly orders ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("X5")
async def test_a_worker_killed_between_rendering_and_sealing_leaves_a_version_that_is_sealed_once_as_it_was_rendered(
    place: House,
) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    asked = await _ask(place, visit)
    settings = place.runtime.settings
    with _silent_authority() as port:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")} | {
            "TJ_STATE": str(settings.state), "TJ_DATABASE_URL": str(settings.database_url), "TJ_REDIS_URL": str(settings.redis_url),
            "TJ_MASTER_KEY": MASTER_KEY, "TJ_ENVIRONMENT": "demo", "TJ_TSA_URL": f"http://127.0.0.1:{port}",
        }  # fmt: skip
        worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tjapi.worker", env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)  # fmt: skip

        async def generated() -> bool:
            return bool((await chief.get(f"{API}/reports/{asked['id']}")).json()["state"] == "generated")

        try:
            await until(generated, seconds=60)
            early = await chief.post(f"{API}/reports/{asked['id']}:publish")
            assert (early.status_code, early.json()["code"]) == (409, "report-not-ready")
        finally:
            worker.send_signal(signal.SIGKILL)
            await worker.wait()
    # what is not a result may change before somebody tries again; the version stays what was rendered
    await place.admin.execute("set session_replication_role = replica")
    await place.admin.execute("update exam set package_name = '换了名字的套餐' where id = $1", visit.exam_id)
    await place.admin.execute("set session_replication_role = origin")
    await place.admin.execute(
        "update job set state = 'queued', lease_until = null where id::text = $1", asked["job_id"]
    )
    async with _at_work(place):
        made = await _settled(place, asked["id"])
    assert made["state"] == "sealed"
    content = (await chief.get(f"{API}/reports/{asked['id']}/pdf")).content
    assert (await check(content, authority_of(settings.seal_folder))).valid
    row = await place.admin.fetchrow("select rendered_sha256 from report where id::text = $1", asked["id"])
    rendered = await flows.reproduce(place.runtime, await place.world.staff("chief"), UUID(asked["id"]))
    assert hashlib.sha256(rendered).hexdigest() == row["rendered_sha256"]
    assert content.startswith(rendered)
    assert b"".join(p.get_textpage().get_text_bounded().encode() for p in pypdfium2.PdfDocument(content)).find("换了名字".encode()) < 0  # fmt: skip
    seals = "select count(*) from audit_event where action = 'report.sealed' and object_id = $1"
    assert await place.admin.fetchval(seals, asked["id"]) == 1


async def test_without_a_seal_the_version_fails_and_says_so_and_once_there_is_one_the_next_is_sealed(
    place: House,
) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    folder = place.runtime.settings.seal_folder
    (folder / "seal.key").rename(folder / "away")
    try:
        failed = await _rendered(place, visit, fresh=True)
        assert (failed["state"], failed["failure"]) == ("failed", "no_seal")
        job = (await chief.get(f"{API}/jobs/{failed['job_id']}")).json()
        assert (job["state"], job["result"]["failed"]) == ("succeeded", "no_seal")
        refused = await chief.post(f"{API}/reports/{failed['id']}:publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "report-state-conflict")
    finally:
        (folder / "away").rename(folder / "seal.key")
    made = await _rendered(place, visit)
    assert (made["state"], made["failure"], made["version"]) == ("sealed", None, 2)


async def test_a_seal_that_does_not_check_out_is_never_handed_out(place: House) -> None:
    visit = await _finalized(place)
    folder = place.runtime.settings.seal_folder
    other = place.runtime.settings.state / "other-seal"
    make_demo_seal(other, "别的医院")
    kept = (folder / "ca.pem").read_bytes()
    (folder / "ca.pem").write_bytes((other / "ca.pem").read_bytes())
    try:
        failed = await _rendered(place, visit, fresh=True)
    finally:
        (folder / "ca.pem").write_bytes(kept)
    assert (failed["state"], failed["failure"]) == ("failed", "seal_invalid")


async def test_a_result_that_changes_before_the_rendering_fails_the_version(place: House) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    asked = await _ask(place, visit)
    await place.world.file(visit, status="C", GLU="9.9")
    await place.admin.execute("delete from job where name <> 'report.render'")
    async with _at_work(place):
        failed = await _settled(place, asked["id"])
    assert (failed["state"], failed["failure"]) == ("failed", "results_changed")
    again = await chief.post(f"{visit.place}/reports")
    assert (again.status_code, again.json()["code"]) == (409, "results-changed-since-sign-off")


async def test_a_result_that_changes_after_the_sealing_stops_the_publication(place: House) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    made = await _rendered(place, visit)
    await place.world.file(visit, status="C", GLU="9.9")
    refused = await chief.post(f"{API}/reports/{made['id']}:publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "results-changed-since-sign-off")
    await place.admin.execute("delete from job where name <> 'report.render'")


async def test_a_version_whose_job_was_given_up_makes_way_for_the_next(place: House) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    asked = await _ask(place, visit)
    await place.admin.execute("update job set state = 'dead' where id::text = $1", asked["job_id"])
    made = await _rendered(place, visit)
    assert (made["state"], made["version"]) == ("sealed", 2)
    first = (await chief.get(f"{API}/reports/{asked['id']}")).json()
    assert (first["state"], first["failure"]) == ("failed", "not_rendered")


@pytest.mark.requirement("E1.4")
async def test_the_photo_of_the_day_is_printed_and_stays_when_another_is_taken(place: House) -> None:
    visit = await _finalized(place)

    async def take(colour: tuple[int, int, int]) -> None:
        picture = io.BytesIO()
        Image.new("RGB", (1200, 1600), colour).save(picture, "JPEG")
        file = PhotoFile(
            await place.runtime.storage.put(picture.getvalue()), "image/jpeg", 1200, 1600, len(picture.getvalue())
        )
        async with place.runtime.units.open(demo.LOADER) as uow:
            await examinees.keep_photo(uow, visit.examinee_id, file, "camera")

    await take((200, 30, 30))
    made = await _rendered(place, visit)
    assert made["size"] < 120_000
    await take((30, 30, 200))
    rendered = await flows.reproduce(place.runtime, await place.world.staff("chief"), UUID(made["id"]))
    for content in (rendered, await flows.preview(place.runtime, await place.world.staff("chief"), visit.exam_id)):
        pixels = pypdfium2.PdfDocument(content)[0].render(scale=1).to_pil().convert("RGB").getcolors(1 << 24) or []
        red = sum(count for count, rgb in pixels if rgb[0] > 150 and max(rgb[1:]) < 60)
        blue = sum(count for count, rgb in pixels if rgb[2] > 150 and max(rgb[:2]) < 60)
        assert (red > 1000, blue > 1000) == (content is rendered, content is not rendered)


# -- what became of it ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _nobody(place: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=place.base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.requirement("E6.1", "I5")
async def test_a_report_is_recalled_on_every_path_at_once_and_comes_back_as_a_new_version(place: House) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    first = await _published(place, visit)
    code = await place.admin.fetchval("select verify_code from report where id::text = $1", first["id"])
    async with place.world.owner(visit) as owner, _nobody(place) as nobody:
        link = (await owner.post(f"{API}/me/reports/{first['id']}:link")).json()
        page = f"/r/{link['url'].rsplit('/', 1)[1]}"
        digests = {hashlib.sha256((await owner.get(f"{API}/me/reports/{first['id']}/pdf")).content).hexdigest() for _ in range(100)}  # fmt: skip
        assert digests == {first["sha256"]}
        assert hashlib.sha256((await nobody.get(f"{page}/pdf")).content).hexdigest() == first["sha256"]
        opened = await nobody.get(page)
        assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
        assert visit.card["name"] in opened.text

        assert (await chief.post(f"{API}/reports/{first['id']}:recall", json={"reason": "结果更正"})).status_code == 200
        answers = []
        for method, path in (
            ("GET", f"{API}/me/reports/{first['id']}/pdf"),
            ("POST", f"{API}/me/reports/{first['id']}:link"),
            ("GET", page),
            ("GET", f"{page}/pdf"),
        ):
            since = time.monotonic()
            answers.append(await (owner if path.startswith(API) else nobody).request(method, path))
            assert time.monotonic() - since < 1, path
        assert [a.status_code for a in answers] == [410] * 4
        assert [a.json()["code"] for a in answers[:2]] == ["report-recalled-problem"] * 2
        assert all("已撤回" in a.text and visit.card["name"] not in a.text for a in answers[2:])
        assert 'data-verdict="recalled"' in (await nobody.get(f"/verify/{code}")).text

        second = await _published(place, visit)
        assert second["version"] == 2
        words = "".join(p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument((await owner.get(f"{API}/me/reports/{second['id']}/pdf")).content))  # fmt: skip
        assert "本报告为第 2 版，此前版本作废。" in words
        verdict = (await nobody.get(f"{API}/report-verifications/{code}")).json()
        assert (verdict["verdict"], verdict["version"]) == ("superseded", 1)
        assert verdict["recalled_at"] is not None
        assert 'data-verdict="superseded"' in (await nobody.get(f"/verify/{code}")).text
        assert (await nobody.get(page)).status_code == 410


async def test_a_link_to_a_version_that_was_replaced_says_that_there_is_a_new_one(place: House) -> None:
    visit = await _finalized(place)
    first = await _published(place, visit)
    async with place.world.owner(visit) as owner, _nobody(place) as nobody:
        link = (await owner.post(f"{API}/me/reports/{first['id']}:link")).json()
        await _published(place, visit)
        page = await nobody.get(f"/r/{link['url'].rsplit('/', 1)[1]}")
        assert (page.status_code, "已有新版本" in page.text) == (410, True)
        gone = await owner.get(f"{API}/me/reports/{first['id']}/pdf")
        assert (gone.status_code, gone.json()["code"]) == (410, "report-superseded")


class _Later:
    """A clock that runs ahead."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


async def test_a_link_ends_after_ten_minutes_and_is_good_for_its_person_and_version_alone(place: House) -> None:
    visit = await _finalized(place)
    made = await _published(place, visit)
    async with place.world.owner(visit) as owner, _nobody(place) as nobody:
        link = (await owner.post(f"{API}/me/reports/{made['id']}:link")).json()
        token = link["url"].rsplit("/", 1)[1]
        life = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
        assert timedelta(minutes=9, seconds=45) < life <= timedelta(minutes=10)
        assert (await nobody.get(f"/r/{token}")).status_code == 200
        tampered = [token[:40] + ("A" if token[40] != "A" else "B") + token[41:], token[:-4], token + "AAAA", "x"]
        mint, until_then = LinkMint(place.runtime.keys), datetime.now(UTC) + timedelta(minutes=5)
        stranger = mint.issue(LinkClaims(uuid4(), UUID(made["id"]), 1), expires_at=until_then)
        for wrong in (*tampered, stranger):
            for path in (f"/r/{wrong}", f"/r/{wrong}/pdf"):
                answer = await nobody.get(path)
                assert (answer.status_code, "链接已失效" in answer.text) == (404, True)
                assert visit.card["name"] not in answer.text
        ahead = wiring.build(place.runtime.settings, clock=_Later(timedelta(minutes=10, seconds=1)))
        async with (
            serving_app(application.create(ahead)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as later,
        ):
            for path in (f"/r/{token}", f"/r/{token}/pdf"):
                expired = await later.get(path, headers={"Accept-Language": "en"})
                assert (expired.status_code, "Link expired" in expired.text) == (404, True)


async def test_nobody_else_learns_anything_of_a_report_on_any_path(place: House) -> None:
    visit, other = await _finalized(place), await _finalized(place)
    made = await _published(place, visit)
    paths = [
        ("GET", f"{API}/me/reports/{made['id']}/pdf"), ("POST", f"{API}/me/reports/{made['id']}:link"), ("GET", f"{API}/reports/{made['id']}"),
        ("GET", f"{API}/reports/{made['id']}/pdf"), ("GET", f"{API}/reports/{made['id']}/changes"), ("GET", f"{visit.place}/reports"),
        ("GET", f"{visit.place}/report-preview"),
    ]  # fmt: skip
    campus_b = await place.sign_in("front.b")
    async with place.world.owner(other) as stranger, _nobody(place) as nobody:
        for method, path in paths:
            for client, allowed in ((stranger, {403, 404}), (campus_b, {403, 404}), (nobody, {401})):
                answer = await client.request(method, path)
                assert answer.status_code in allowed, (path, answer.status_code)
                assert not [
                    secret
                    for secret in (visit.card["name"], visit.exam_no, visit.card["id_number"])
                    if secret in answer.text
                ]
        assert (await stranger.get(f"{API}/me/reports")).json()["items"] == []
        code = await place.admin.fetchval("select verify_code from report where id::text = $1", made["id"])
        for path in (
            f"/verify/{code}",
            f"/verify/{'0' * 32}",
            f"/verify/{code}?lang=en",
            f"{API}/report-verifications/{code}",
        ):
            told = (await nobody.get(path)).text
            assert not [
                secret
                for secret in (visit.card["name"], visit.card["birth_date"], str(visit.exam_id), made["id"])
                if secret in told
            ]


# -- revisions --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("X5")
async def test_what_changed_between_two_versions_is_told_from_what_each_was_made_of(place: House) -> None:
    visit, chief = await _finalized(place, "GLU", "RENAL"), await place.sign_in("chief")
    first = await _published(place, visit)
    alone = (await chief.get(f"{API}/reports/{first['id']}/changes")).json()
    assert (alone["against_version"], alone["items"]) == (None, [])
    await place.world.file(visit, status="C", GLU="8.8")
    await place.admin.execute("delete from job where name <> 'report.render'")
    await _reviewed_again(place, visit, advice="三个月后复查空腹血糖。")
    second = await _published(place, visit)
    told = (await chief.get(f"{API}/reports/{second['id']}/changes")).json()
    assert (told["version"], told["against_version"]) == (2, 1)
    changes = {(c["section"], c["name"]): c for c in told["items"]}
    glucose = next(c for (section, name), c in changes.items() if section == "result" and "糖" in name)
    assert glucose["change"] == "changed"
    assert glucose["before"].startswith("5 mmol/L")
    assert glucose["after"].startswith("8.8 mmol/L ↑")
    advice = changes["conclusion", "血糖"]
    assert (advice["before"], advice["after"]) == ("", "三个月后复查空腹血糖。")
    assert {section for section, _ in changes} == {"result", "conclusion"}
    back = (await chief.get(f"{API}/reports/{first['id']}/changes", params={"against": 2})).json()
    assert {(c["before"], c["after"]) for c in back["items"]} == {(c["after"], c["before"]) for c in told["items"]}
    unknown = await chief.get(f"{API}/reports/{second['id']}/changes", params={"against": 9})
    assert unknown.status_code == 404


@pytest.mark.requirement("X5")
async def test_what_changed_is_held_against_what_was_published_last(place: House) -> None:
    """A version that failed, or that nobody was given, is nobody's to compare with; by its number it is."""
    visit, chief = await _finalized(place), await place.sign_in("chief")
    await _published(place, visit)
    for advice in ("三个月后复查空腹血糖。", "半年后复查空腹血糖。"):
        await _reviewed_again(place, visit, advice=advice)
        made = await _rendered(place, visit)
    told = (await chief.get(f"{API}/reports/{made['id']}/changes")).json()
    assert (told["version"], told["against_version"]) == (3, 1)
    assert [(c["before"], c["after"]) for c in told["items"]] == [("", "半年后复查空腹血糖。")]
    told = (await chief.get(f"{API}/reports/{made['id']}/changes", params={"against": 2})).json()
    assert [c["before"] for c in told["items"]] == ["三个月后复查空腹血糖。"]


# -- trends and the preview -------------------------------------------------------------------------------------------


@pytest.mark.requirement("E1.8")
async def test_a_department_whose_examination_was_refused_is_printed_with_what_its_doctor_signed(place: House) -> None:
    visit = await place.world.checked_in("GLU", "INTERNAL")
    await place.world.file(visit, GLU="5.00")
    body = {"line_ids": [str(visit.lines["INTERNAL"])], "reason": "受检者要求"}
    front, doctor, chief = [await place.sign_in(name) for name in ("front", "doctor", "chief")]
    assert (await front.post(f"{visit.place}/lines:refuse", json=body)).status_code == 200
    at, words = f"{visit.place}/departments/{visit.departments['INTERNAL']}", "自述胸痛一周，本人拒绝检查。"
    tag = (await doctor.get(f"{at}/sheet")).headers["etag"]
    signed = await doctor.post(f"{at}/sheet:sign", json={"summary": words}, headers={"If-Match": tag})
    assert signed.status_code == 200, signed.text
    shown = (await chief.get(f"{visit.place}/report-preview")).content
    text = "".join("".join(p.get_textpage().get_text_bounded().split()) for p in pypdfium2.PdfDocument(shown))
    assert f"小结{words}" in text[text.index("各科室检查结果") :]


@pytest.mark.requirement("E4.5", "E6.3", "E4.7")
async def test_three_years_are_a_trend_as_data_in_the_preview_and_in_the_report(place: House) -> None:
    older = await _finalized(place)
    chief = await place.sign_in("chief")
    exams = [older, *[await place.world.finalized("GLU", examinee_id=older.examinee_id) for _ in range(2)]]
    await place.admin.execute("delete from job where name <> 'report.render'")
    await place.admin.execute("set session_replication_role = replica")
    for visit, (value, flag, years) in zip(exams, (("5.2", None, 2), ("6.9", "H", 1), ("6.4", "H", 0)), strict=True):
        await place.admin.execute("update exam set exam_date = exam_date - make_interval(years => $2) where id = $1", visit.exam_id, years)  # fmt: skip
        await place.admin.execute(
            "update result_revision set raw_value = $2::text, numeric = $2::text::numeric, flag = $3 where id in"
            " (select current_revision_id from result where exam_id = $1)", visit.exam_id, value, flag,
        )  # fmt: skip
    now = exams[-1]
    async with place.world.runtime.units.open(await place.world.staff("chief")) as uow:
        signed = await results.digest(uow, now.exam_id)
    # As if these values had been signed.
    await place.admin.execute("update conclusion set results_digest = $2 where exam_id = $1", now.exam_id, signed)
    await place.admin.execute("set session_replication_role = origin")
    (trend,) = (await chief.get(f"{now.place}/trends")).json()["items"]
    assert [(p["value"], p["flag"]) for p in trend["points"]] == [("6.4", "H"), ("6.9", "H"), ("5.2", None)]
    assert (trend["change"], trend["unit"]) == ("-0.5", "mmol/L")
    answer = await chief.get(f"{now.place}/report-preview")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/pdf", "no-store")
    preview = ["".join(p.get_textpage().get_text_bounded().split()) for p in pypdfium2.PdfDocument(answer.content)]
    assert all("预览" in page for page in preview)
    sealed = await _rendered(place, now)
    report = (await chief.get(f"{API}/reports/{sealed['id']}/pdf")).content
    final = ["".join(p.get_textpage().get_text_bounded().split()) for p in pypdfium2.PdfDocument(report)]
    assert not [page for page in final if "预览" in page]
    for words in ("关键指标历次趋势", "较上次↓0.5", *(p["exam_date"] for p in trend["points"]), "6.9"):
        assert words in "".join(preview)
        assert words in "".join(final)
    # but for its mark, its moment and the code, the preview is the report
    lines = [set("".join(pages).replace("预览", "").replace("演示", "")) for pages in (preview, final)]
    assert lines[0] <= lines[1] | set("0123456789:-")


# -- what the holder of a paper compares ---------------------------------------------------------------------------------


async def _told(place: House, report_id: str) -> tuple[dict[str, Any], str]:
    """What the verification of a report says, as data and as a page."""
    code = await place.admin.fetchval("select verify_code from report where id::text = $1", report_id)
    async with _nobody(place) as nobody:
        return (await nobody.get(f"{API}/report-verifications/{code}")).json(), (
            await nobody.get(f"/verify/{code}")
        ).text


@pytest.mark.requirement("E6.1")
async def test_the_verification_shows_what_is_printed_so_that_a_genuine_code_on_a_forged_paper_is_seen_through(
    place: House,
) -> None:
    visit, chief = await _finalized(place), await place.sign_in("chief")
    made = await _published(place, visit)
    told, page = await _told(place, made["id"])
    raw = (await chief.get(f"{API}/reports/{made['id']}/pdf")).content
    pages = [p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(raw)]
    name = visit.card["name"]
    assert told["verdict"] == "genuine"
    assert told["name_masked"][0] == name[0]
    assert set(told["name_masked"][1:]) == {"*"}
    assert (told["exam_no"], told["file_digest"].replace(" ", "").lower()) == (visit.exam_no, made["sha256"][:16])
    for printed in pages:
        assert f"校验码 {told['digest']}" in printed
        assert visit.exam_no in printed
    assert told["exam_date"] in pages[0]
    for said in (told["name_masked"], visit.exam_no, told["exam_date"], told["digest"], told["file_digest"], "伪造"):
        assert said in page
    assert name not in page
    # Another version of the same exam is another paper.
    again = await _published(place, visit)
    assert (await _told(place, again["id"]))[0]["digest"] != told["digest"]
    assert (await _told(place, made["id"]))[0]["verdict"] == "superseded"


@pytest.mark.requirement("E6.1", "E3.4")
async def test_a_report_after_which_a_result_came_is_outdated_for_its_owner_and_for_whoever_holds_the_paper(
    place: House,
) -> None:
    visit = await _finalized(place)
    made = await _published(place, visit)
    async with place.world.owner(visit) as owner, _nobody(place) as nobody:
        link = (await owner.post(f"{API}/me/reports/{made['id']}:link")).json()["url"].rsplit("/", 1)[1]
        assert 'data-state="outdated"' not in (await nobody.get(f"/r/{link}")).text
        content = (await owner.get(f"{API}/me/reports/{made['id']}/content")).json()
        assert (content["outdated"], content["exam_no"]) == (False, visit.exam_no)
        await place.world.file(visit, status="C", GLU="9.9")
        await place.admin.execute("delete from job where name <> 'report.render'")
        told, page = await _told(place, made["id"])
        assert [r["outdated"] for r in (await owner.get(f"{API}/me/reports")).json()["items"]] == [True]
        assert told["verdict"] == "outdated"
        assert "有更新，报告修订中" in page
        assert "有更新，报告修订中" in (await nobody.get(f"/r/{link}")).text
        assert (await owner.get(f"{API}/me/reports/{made['id']}/content")).json()["outdated"]
