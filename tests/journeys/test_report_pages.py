"""The pages that the owner of a report and the holder of its paper open on a phone: played in Chromium, in both languages, at 360 pixels."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.tjapi.report.specimens import Specimen, critical, three_years
from tests.tjapi.world import API, House, Visit, house
from tjapi import demo
from tjapi.kernel.seal import Anchor
from tjapi.kernel.security.tokens import LinkClaims, LinkMint
from tjapi.kernel.settings import project_file
from tjapi.report import rules
from tjapi.report import service as reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PICTURES = os.environ.get("TJ_TEST_PICTURES")
PHONE: ViewportSize = {"width": 360, "height": 780}
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("report_pages"), pytest.mark.requirement("E6.1", "E6.3")]

# What a person of sixty stumbles over, and what a screen reader cannot tell.
FAULTS = """() => {
  const faults = [];
  for (const e of document.querySelectorAll('details')) e.open = true;
  const lum = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126*r + .7152*g + .0722*b };
  const rgba = s => (s.match(/[0-9.]+/g) || [0, 0, 0, 0]).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    if (e.closest('svg')) {
      const scale = e.closest('svg').getBoundingClientRect().width / e.closest('svg').viewBox.baseVal.width;
      if (parseFloat(e.getAttribute('font-size')) * scale < 11) faults.push('small in a chart: ' + e.textContent);
      continue;
    }
    if (parseFloat(style.fontSize) < 15) faults.push('small: ' + e.textContent.trim().slice(0, 30));
    const [a, b] = [lum(rgba(style.color).slice(0, 3)), lum(behind(e).slice(0, 3))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) faults.push('pale: ' + e.textContent.trim().slice(0, 30));
    if (document.documentElement.lang === 'en' && /[\\u4e00-\\u9fff]/.test(e.textContent) && e.textContent !== '中文' && !e.closest('[lang=zh-CN]') && !e.closest('header') && ![...e.children].some(c => c.lang)) faults.push('unmarked Chinese: ' + e.textContent.trim().slice(0, 30));
  }
  for (const e of document.querySelectorAll('a, summary')) { const r = e.getBoundingClientRect(); if (r.height && r.height < 44) faults.push('hard to hit: ' + e.textContent.trim()) }
  for (const e of document.querySelectorAll('svg')) if (!(e.getAttribute('aria-label') || '').trim()) faults.push('a chart without words');
  if (document.querySelectorAll('h1').length > 1) faults.push('several titles');
  if (document.documentElement.scrollWidth > innerWidth) faults.push('scrolls sideways: ' + document.documentElement.scrollWidth);
  return faults;
}"""


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Debian's Chromium, with a Chinese font: a phone has one, a server may have none."""
    fonts = tmp_path_factory.mktemp("share")
    (fonts / "fonts").symlink_to(project_file("report_templates") / "_shared" / "fonts")
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium: `make browser` installs it")
        pytest.skip("no Chromium: `make browser` installs it")
    async with async_playwright() as playwright:
        environment: dict[str, str | float | bool] = {**os.environ, "XDG_DATA_HOME": str(fonts)}
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=environment)
        yield opened
        await opened.close()


@dataclass
class Story:
    """One exam whose report was published, recalled, published again and replaced; by what a page of it says."""

    house: House
    visit: Visit
    paths: dict[str, str]
    sealed_sha256: str


def _content(visit: Visit) -> Specimen:
    """A critical value, an ordinary disease, three years of numbers."""
    made, past = critical(), three_years()
    made.name, made.trends = visit.card["name"], past.trends
    return made


async def _version(place: House, visit: Visit, number: int) -> tuple[UUID, str]:
    """Have a version rendered, sealed and published; return it and its hash."""
    async with place.runtime.units.open(await place.world.staff("chief")) as uow:
        report = await reports.request(uow, visit.exam_id)
    services = place.runtime.services
    data = {
        **_content(visit).data(version=number),
        "exam": {"exam_no": visit.exam_no, "date": "2026-11-20", "package": ""},
    }
    data["digest"] = rules.content_digest(data)
    document = await services.printing.render("exam_report", data, now=datetime.now(UTC))
    assert document.seal_place is not None
    sealed = await services.seal.seal(document.pdf, Anchor(*document.seal_place), reason="体检", location="体检中心")
    file, snapshot = await services.storage.put(sealed), await services.storage.put(json.dumps(data).encode())
    digest = hashlib.sha256(sealed).hexdigest()
    async with place.runtime.units.open(demo.LOADER, "worker") as uow:
        await reports.keep(uow, report.id, file=file, sha256=document.sha256, pages=document.pages, size=len(sealed), snapshot=snapshot, proof=rules.proof(data))  # fmt: skip
        await reports.seal(uow, report.id, file=file, sha256=digest, size=len(sealed))
    async with place.runtime.units.open(await place.world.staff("chief")) as uow:
        await reports.publish(uow, report.id)
    return report.id, digest


@pytest.fixture(scope="module")
async def story(worker_name: str) -> AsyncIterator[Story]:
    async with house(f"pages_{worker_name}") as place, contextlib.AsyncExitStack() as stack:
        visit, other = await place.world.finalized("GLU"), await place.world.finalized("GLU")
        late = await place.world.finalized("GLU")
        owner = await stack.enter_async_context(place.world.owner(visit))
        mint, now = LinkMint(place.runtime.keys), datetime.now(UTC)

        async def code(report_id: UUID) -> str:
            return str(await place.admin.fetchval("select verify_code from report where id = $1", report_id))

        def link(of: Visit, report_id: UUID, *, minutes: int = 9) -> str:
            claims = LinkClaims(of.examinee_id, report_id, 1)
            return "/r/" + mint.issue(claims, expires_at=now + timedelta(minutes=minutes))

        first, _ = await _version(place, visit, 1)
        second, digest = await _version(place, visit, 2)
        recalled, _ = await _version(place, other, 1)
        async with place.runtime.units.open(await place.world.staff("chief")) as uow:
            await reports.recall(uow, recalled, "结果更正")
        changed, _ = await _version(place, late, 1)
        await place.world.file(late, status="C", GLU="9.9")
        mine = (await owner.post(f"{API}/me/reports/{second}:link")).json()["url"]
        paths = {
            "report": "/r/" + mine.rsplit("/", 1)[1], "replaced": link(visit, first), "gone": link(other, recalled),
            "expired": link(visit, second, minutes=-1), "genuine": f"/verify/{await code(second)}", "superseded": f"/verify/{await code(first)}",
            "recalled": f"/verify/{await code(recalled)}", "unknown": f"/verify/{'0' * 32}", "outdated": f"/verify/{await code(changed)}",
            "amended": link(late, changed),
        }  # fmt: skip
        yield Story(place, visit, paths, digest)


@contextlib.asynccontextmanager
async def _opened(browser: Browser, story: Story, page_of: str, lang: str) -> AsyncIterator[tuple[Page, int]]:
    """Open a page on a phone, and make sure that it asks nothing of anybody else and complains of nothing."""
    context = await browser.new_context(viewport=PHONE, device_scale_factor=2, locale="zh-CN" if lang == "zh" else "en-GB", accept_downloads=True)  # fmt: skip
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") and "status of 4" not in message.text else None)  # fmt: skip
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = await page.goto(story.house.base_url + story.paths[page_of], wait_until="load")
    assert answer is not None
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{page_of}-{lang}.png"), full_page=True)
    yield page, answer.status
    await context.close()
    assert [url for url in asked if not url.startswith((story.house.base_url, "data:"))] == []
    assert complaints == []


VERDICTS = {
    "outdated": ("有更新，报告修订中", "Being amended", 200),
    "genuine": ("真实有效", "Genuine", 200), "superseded": ("已有新版本", "Superseded", 200), "recalled": ("已撤回", "Recalled", 200),
    "unknown": ("查无此报告", "Unknown", 200), "replaced": ("已有新版本", "A later version exists", 410), "gone": ("报告已撤回", "Report recalled", 410),
    "expired": ("链接已失效", "Link expired", 404),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_owner_reads_the_report_on_a_phone_without_glasses_or_sideways_scrolling(
    browser: Browser, story: Story, lang: str
) -> None:
    async with _opened(browser, story, "report", lang) as (page, status):
        assert status == 200
        assert await page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[lang]
        assert await page.evaluate(FAULTS) == []
        words = await page.inner_text("body")
        for text in (story.visit.card["name"], story.visit.exam_no, "高钾血症", "×10⁹/L", "低剂量胸部 CT"):
            assert text in words
        chinese_note = "The medical content is shown in Chinese, as the hospital issued it."
        for text in (
            ("Conclusions and advice", "↑ critical", chinese_note) if lang == "en" else ("主检结论与建议", "↑ 危急")
        ):
            assert text in words
        assert (chinese_note in words) is (lang == "en")
        assert await page.locator("section.alert").count() == 1
        assert await page.locator("svg").count() == 8
        charts = await page.eval_on_selector_all("svg", "all => all.map(e => e.getAttribute('aria-label'))")
        assert any("空腹血糖: 2024-11-20 5.4, 2025-11-20 5.9, 2026-11-20 6.4" in label for label in charts)
        async with page.expect_download() as downloading:
            await page.click("a.button")
        saved = await (await downloading.value).path()
        assert hashlib.sha256(Path(saved).read_bytes()).hexdigest() == story.sealed_sha256


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("page_of", VERDICTS)
async def test_a_page_without_a_report_says_why_and_nothing_of_the_person(
    browser: Browser, story: Story, page_of: str, lang: str
) -> None:
    zh, en, expected = VERDICTS[page_of]
    async with _opened(browser, story, page_of, lang) as (page, status):
        assert status == expected
        assert await page.inner_text("[data-verdict] strong") == (zh if lang == "zh" else en)
        assert await page.get_attribute("[data-verdict]", "data-verdict") == page_of
        assert await page.evaluate(FAULTS) == []
        whole = await page.content()
        secrets: list[Any] = [story.visit.card["name"], story.visit.exam_id, story.visit.card["id_number"]]
        assert not [secret for secret in secrets if str(secret) in whole]
        assert (story.visit.exam_no in whole) is (page_of in ("genuine", "superseded"))


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_page_of_a_genuine_code_shows_what_a_forged_paper_would_not_agree_with(
    browser: Browser, story: Story, lang: str
) -> None:
    async with _opened(browser, story, "genuine", lang) as (page, _):
        words = await page.inner_text("main")
    printed = await story.house.admin.fetchval(
        "select proof->>'digest' from report where state = 'published' and exam_id = $1", story.visit.exam_id
    )
    name = story.visit.card["name"]
    for said in (rules.masked_name(name), story.visit.exam_no, "2026-11-20", printed, rules.fours(story.sealed_sha256)):
        assert said in words
    assert ("伪造" if lang == "zh" else "forged") in words
    assert name not in words


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_owner_is_told_that_a_result_came_after_the_report_and_it_is_being_amended(
    browser: Browser, story: Story, lang: str
) -> None:
    async with _opened(browser, story, "amended", lang) as (page, status):
        assert status == 200
        assert await page.inner_text("[data-state=outdated] strong") == VERDICTS["outdated"][0 if lang == "zh" else 1]
        assert await page.evaluate(FAULTS) == []
    async with _opened(browser, story, "report", lang) as (page, _):
        assert await page.locator("[data-state=outdated]").count() == 0


async def test_the_language_can_be_changed_on_the_page_itself(browser: Browser, story: Story) -> None:
    async with _opened(browser, story, "genuine", "zh") as (page, _):
        await page.click("header a")
        await page.wait_for_selector("html[lang=en]")
        assert await page.inner_text("[data-verdict] strong") == "Genuine"
        await page.click("header a")
        await page.wait_for_selector("html[lang=zh-CN]")
