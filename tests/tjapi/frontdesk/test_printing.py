"""What is printed: chosen papers in one file, every copy logged, and bar codes that lead back to the right specimen."""

import asyncio
import io
import time
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from tests.tjapi.labels import read_tspl, read_zpl
from tests.tjapi.world import API, SignIn, Visit, World, key
from tjapi import demo
from tjapi.kernel.runtime import Runtime
from tjapi.requisition import service as requisitions

PRINTS = f"{API}/document-prints"
READERS = {"zpl": read_zpl, "tspl": read_tspl}


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _papers(client: httpx.AsyncClient, visit: Visit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"{visit.place}/documents")).json()["items"]
    return found


async def _print(client: httpx.AsyncClient, *papers: dict[str, Any], form: str = "pdf") -> dict[str, Any]:
    answer = await client.post(PRINTS, json={"format": form, "papers": list(papers)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _refused(client: httpx.AsyncClient, *papers: dict[str, Any], form: str = "pdf") -> tuple[int, str, list[str]]:
    answer = await client.post(PRINTS, json={"format": form, "papers": list(papers)})
    told = answer.json()
    return answer.status_code, told["code"], [error["pointer"] for error in told["errors"]]


def _of(visit: Visit, kind: str, **which: Any) -> dict[str, Any]:
    return {"exam_id": str(visit.exam_id), "kind": kind, **which}


def _pages(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


def _scanned(pdf: bytes) -> list[list[tuple[str, str]]]:
    pages = [page.render(scale=3).to_pil() for page in pypdfium2.PdfDocument(pdf)]
    return [sorted((code.format.name, code.text) for code in zxingcpp.read_barcodes(page)) for page in pages]


async def _photo(client: httpx.AsyncClient, visit: Visit, colour: str) -> httpx.Response:
    picture = io.BytesIO()
    Image.new("RGB", (300, 400), colour).save(picture, "JPEG")
    return await client.put(
        f"{API}/examinees/{visit.examinee_id}/photo", content=picture.getvalue(), headers={"Content-Type": "image/jpeg"}
    )


@pytest.mark.requirement("E1.5")
async def test_check_in_names_what_can_be_printed_and_posting_a_link_prints_it(world: World) -> None:
    visit, front = (
        await world.registered("GENERAL", "CBC", "GLU", "URINE", "US-ABD", "CXR", "TCM"),
        await world.sign_in("front"),
    )
    desk = (await front.post(f"{visit.place}:check-in", headers=key())).json()
    papers = desk["documents"]["items"]
    assert [(p["kind"], p["title"], p["copies"], p["printed"]) for p in papers] == [
        ("guide_sheet", "指引单", 1, 0), ("request_form", "检验科申请单", 0, 0), ("request_form", "超声科申请单", 1, 0),
        ("request_form", "放射科申请单", 1, 0), ("tube_label", "全血 紫盖 EDTA管", 1, 0), ("tube_label", "血清 黄盖 促凝胶管", 1, 0),
        ("tube_label", "尿液 尿杯", 1, 0), ("exam_label", "体检号标签", 2, 0),
    ]  # fmt: skip
    assert {p["barcode"] for p in papers if p["kind"] == "tube_label"} == {t["barcode"] for t in desk["tubes"]}
    assert [len(p["links"]) for p in papers] == [1, 1, 1, 1, 3, 3, 3, 3]
    chosen = papers[0]["links"][0]
    made = (await front.post(chosen["href"], json=chosen["body"], headers=key())).json()
    file = await front.get(made["url"])
    assert (file.headers["content-type"], file.headers["cache-control"]) == ("application/pdf", "no-store")
    (page,) = _pages(file.content)  # only what was chosen
    assert [word in page for word in ("体检指引单", visit.exam_no, desk["access"]["access_code"], "腹部超声")] == [
        True
    ] * 4
    assert _scanned(file.content) == [
        [("Code128", visit.exam_no), ("QRCode", f"{visit.exam_no}|{desk['access']['access_code']}")]
    ]
    assert [p["printed"] for p in await _papers(front, visit)] == [1, *[0] * 7]


@pytest.mark.requirement("E1.5", "I2")
@pytest.mark.parametrize("form", ["pdf", "zpl", "tspl"])
async def test_every_tube_label_scans_back_to_its_own_specimen(world: World, form: str) -> None:
    visit, front = await world.checked_in("CBC", "LIVER", "THYROID", "URINE"), await world.sign_in("front")
    made = await _print(front, _of(visit, "tube_label"), form=form)
    file = await front.get(made["url"])
    if form == "pdf":
        scanned = [text for codes in _scanned(file.content) for _, text in codes]
    else:
        assert file.headers["content-type"].startswith(f"application/x-{form}")
        labels = READERS[form](file.content)
        assert {(label.width, label.height) for label in labels} == {(400, 240)}
        scanned = [text for label in labels for text in label.scanned()]
    tubes = {tube["id"]: tube for tube in visit.tubes}
    assert scanned == [tubes[paper["subject"]]["barcode"] for paper in made["papers"]]
    assert sorted(scanned) == sorted(tube["barcode"] for tube in visit.tubes)
    async with world.runtime.units.read(demo.LOADER) as uow:
        from_code = [await requisitions.tube_by_barcode(uow, code) for code in scanned]
    assert {ref.exam_id for ref in from_code if ref} == {visit.exam_id}


@pytest.mark.requirement("E1.5", "E1.7")
async def test_a_reprint_keeps_the_number_says_that_it_is_one_and_every_copy_is_logged(world: World) -> None:
    visit, front = await world.checked_in("CBC", "GLU"), await world.sign_in("front")
    tube = visit.tubes[0]
    label = _of(visit, "tube_label", tube_id=tube["id"])
    first, again = await _print(front, label, form="zpl"), await _print(front, {**label, "copies": 2})
    told = [(p["first_copy"], p["copies"], p["reprint"]) for made in (first, again) for p in made["papers"]]
    assert told == [(1, 1, False), (2, 2, True)]
    pages = _pages((await front.get(again["url"])).content)
    assert ["补打 2" in pages[0], "补打 3" in pages[1]] == [True, True]
    assert all(tube["barcode"] in page for page in pages)
    log = (await front.get(f"{visit.place}/document-prints")).json()["items"]
    assert [(p["id"], p["format"], p["printed_by_name"]) for p in log] == [
        (again["id"], "pdf", "韦前台"), (first["id"], "zpl", "韦前台"),
    ]  # fmt: skip
    assert log[0]["papers"] == again["papers"]
    printed = {p["tube_id"]: p["printed"] for p in await _papers(front, visit)}
    assert printed[tube["id"]] == 3


async def test_desks_that_print_at_once_count_different_copies(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    made = await asyncio.gather(*(_print(front, _of(visit, "exam_label", copies=1)) for _ in range(5)))
    assert sorted(one["papers"][0]["first_copy"] for one in made) == [1, 2, 3, 4, 5]


@pytest.mark.requirement("E1.5")
async def test_a_print_repeated_with_its_key_is_one_print_and_its_file_is_the_same_bytes(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front, header = await world.checked_in("GLU"), await world.sign_in("front"), key()
    body = {"papers": [_of(visit, "guide_sheet", access_code=visit.access_code), _of(visit, "tube_label")]}
    first, again = [await front.post(PRINTS, json=body, headers=header) for _ in range(2)]
    assert first.json() == again.json()
    await admin.execute("update exam set name = '别名' where id = $1", visit.exam_id)
    one, two = [(await front.get(first.json()["url"])).content for _ in range(2)]
    assert one == two
    assert visit.card["name"] in _pages(one)[0]  # as it was when it was printed
    content = await admin.fetchval("select content from document_print where id = $1", first.json()["id"])
    assert visit.access_code.encode() not in content
    assert visit.card["name"].encode() not in content


@pytest.mark.requirement("E1.6", "E1.7")
async def test_the_guide_sheet_has_a_new_version_when_a_line_is_gone_and_says_that_the_paper_is_out_of_date(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.checked_in("GLU", "GENERAL", "US-ABD"), await world.sign_in("front")

    async def sheet() -> tuple[int, bool]:
        found = (await front.get(f"{visit.place}/documents")).json()
        return found["guide_sheet_version"], found["items"][0]["outdated"]

    assert await sheet() == (1, False)
    first = await _print(front, _of(visit, "guide_sheet"))
    await admin.execute("update exam_line set state = 'started' where id = $1", visit.lines["GENERAL"])
    assert await sheet() == (1, False)  # being examined changes no paper
    refusal = {"line_ids": [str(visit.lines["US-ABD"])], "reason": "不愿检查"}
    assert (await front.post(f"{visit.place}/lines:refuse", json=refusal)).status_code == 200
    assert await sheet() == (2, True)
    again = await _print(front, _of(visit, "guide_sheet"))
    assert [made["papers"][0]["version"] for made in (first, again)] == [1, 2]
    assert await sheet() == (2, False)
    (page,) = _pages((await front.get(again["url"])).content)
    assert ["第 2 版" in page, "补打 第 2 份" in page, "腹部超声" in page] == [True, True, False]
    assert [p["title"] for p in await _papers(front, visit) if p["kind"] == "request_form"] == ["检验科申请单"]


@pytest.mark.requirement("E1.5", "E1.6")
async def test_a_tube_that_is_not_drawn_any_more_has_no_label_until_its_line_comes_back(world: World) -> None:
    visit, front = await world.checked_in("GLU", "CBC"), await world.sign_in("front")

    async def labelled() -> list[str]:
        return [paper["barcode"] for paper in await _papers(front, visit) if paper["kind"] == "tube_label"]

    before = await labelled()
    line = {"line_ids": [str(visit.lines["CBC"])], "reason": "不愿抽血"}
    assert (await front.post(f"{visit.place}/lines:refuse", json=line)).status_code == 200
    assert await labelled() == [visit.tube("空腹血糖")["barcode"]]
    assert (await front.post(f"{visit.place}/lines:reinstate", json=line)).status_code == 200
    after = await labelled()
    assert len(after) == len(before) == 2
    live = [t["barcode"] for t in (await front.get(f"{visit.place}/tubes")).json()["items"] if t["state"] == "planned"]
    assert sorted(after) == sorted(live)


@pytest.mark.requirement("E1.7")
async def test_people_of_a_unit_are_printed_into_one_file_in_the_order_asked_for(world: World) -> None:
    front, visits = await world.sign_in("front"), [await world.checked_in("GLU", "CBC") for _ in range(3)]
    order = [visits[2], visits[0], visits[1]]
    papers = [_of(visit, kind) for visit in order for kind in ("guide_sheet", "tube_label")]
    pages = _pages((await front.get((await _print(front, *papers))["url"])).content)
    assert [visit.exam_no in page for visit in order for page in pages[order.index(visit) * 3 :][:3]] == [True] * 9
    elsewhere = await world.checked_in("GLU", campus_id=2)
    assert (await _refused(front, *papers, _of(elsewhere, "guide_sheet")))[:2] == (404, "exam-not-found")


@pytest.mark.requirement("E1.4")
async def test_the_photograph_is_on_the_guide_sheet_each_on_that_of_its_own_person(world: World) -> None:
    front, visits = await world.sign_in("front"), [await world.checked_in("GLU") for _ in range(3)]
    for visit, colour in zip(visits[:2], ("#cc2222", "#2222cc"), strict=True):
        photo = await _photo(front, visit, colour)
        assert photo.status_code in (200, 201), photo.text
    made = await _print(front, *(_of(visit, "guide_sheet") for visit in visits))
    pdf = pypdfium2.PdfDocument((await front.get(made["url"])).content)
    seen = []
    for page in pdf:
        shown = page.render(scale=1).to_pil().convert("RGB")
        counts = {colour: count for count, colour in shown.getcolors(1 << 20) or []}
        red = sum(n for (r, g, b), n in counts.items() if r > 150 and g < 90 and b < 90)
        blue = sum(n for (r, g, b), n in counts.items() if b > 150 and r < 90 and g < 90)
        seen.append((red > 1_000, blue > 1_000))
    assert seen == [(True, False), (False, True), (False, False)]


@pytest.mark.requirement("E1.5")
async def test_what_does_not_exist_or_cannot_be_is_refused_with_its_place(world: World) -> None:
    visit, other, front = await world.checked_in("GLU"), await world.checked_in("CBC"), await world.sign_in("front")
    label = _of(visit, "tube_label")
    assert await _refused(front, label, _of(visit, "guide_sheet"), form="zpl") == (
        422, "not-a-label", ["/papers/1/kind"],
    )  # fmt: skip
    wrong = [
        _of(visit, "tube_label", tube_id=other.tubes[0]["id"]), _of(visit, "request_form", department_id=7),
        _of(visit, "exam_label", tube_id=visit.tubes[0]["id"]), _of(visit, "tube_label", department_id=4),
    ]  # fmt: skip
    for one in wrong:
        assert await _refused(front, label, one) == (422, "paper-not-of-exam", ["/papers/1"]), one
    code = _of(visit, "guide_sheet", access_code="00000000")
    assert await _refused(front, code) == (422, "access-code-not-current", ["/papers/0/access_code"])
    assert (await _refused(front, {"exam_id": str(uuid4()), "kind": "guide_sheet"}))[:2] == (404, "exam-not-found")
    many = [_of(visit, "exam_label", copies=20)] * 501
    assert (await _refused(front, *many))[:2] == (422, "too-many-papers")
    assert (await front.get(f"{PRINTS}/{uuid4()}/file")).json()["code"] == "print-not-found"
    await front.post(f"{other.place}:cancel", json={"reason": "离开"})
    assert (await _refused(front, _of(other, "guide_sheet")))[:2] == (409, "exam-state-conflict")


async def test_a_print_is_hidden_from_another_campus_and_cannot_be_changed(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front, foreign = await world.checked_in("GLU"), await world.sign_in("front"), await world.sign_in("front.b")
    made = await _print(front, _of(visit, "guide_sheet"))
    assert (await foreign.get(made["url"])).status_code == 404
    assert (await foreign.get(f"{visit.place}/document-prints")).status_code == 404
    with pytest.raises(asyncpg.PostgresError):
        await admin.execute("update document_print_item set first_copy = 9 where print_id = $1", made["id"])


async def test_while_a_long_print_is_made_the_server_answers_others_and_holds_no_transaction(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.checked_in("GLU", "CBC", "US-ABD"), await world.sign_in("front")
    made = await _print(front, *[_of(visit, "guide_sheet")] * 90)
    rendering = asyncio.create_task(front.get(made["url"]))
    waits = []
    held = 0
    while not rendering.done():
        start = time.monotonic()
        assert (await front.get("/healthz")).status_code == 200
        waits.append(time.monotonic() - start)
        held += await admin.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and state = 'idle in transaction' and now() - xact_start > interval '300 ms'"
        )
    assert (await rendering).status_code == 200
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 0.1
    assert held == 0
