"""The pages that an API needs, in a browser: they render, ask nothing of any other host, and complain of nothing."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PICTURES = os.environ.get("TJ_TEST_PICTURES")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium: `make browser` installs it")
        pytest.skip("no Chromium: `make browser` installs it")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.mark.requirement("P4")
@pytest.mark.parametrize(
    ("path", "awaited", "text"),
    [
        ("/", "h1", "体检系统"),
        ("/docs", ".opblock-summary", "登记体检"),
        ("/redoc", "[id='tag/exams/operation/createExam']", "登记体检"),
        ("/problems", "#exam-not-found", "exam-not-found"),
        ("/problems/exam-not-found", "#exam-not-found", "exam-not-found"),
    ],
)
async def test_a_page_renders_from_our_own_host_alone(
    browser: Browser, base_url: str, path: str, awaited: str, text: str
) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = await page.goto(base_url + (path + "?" if path == "/docs" else path), wait_until="load")
    assert answer is not None
    assert answer.status == 200
    if path == "/docs":
        await _open_tag(page, "exams")
    await page.wait_for_selector(awaited, state="attached", timeout=180_000)
    assert text in await page.content()
    await page.wait_for_load_state("networkidle")
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{path.strip('/').replace('/', '-') or 'start'}.png"))
    await page.close()
    strangers = [url for url in asked if not url.startswith((base_url, "data:", "blob:"))]
    assert strangers == []
    assert complaints == []


async def _open_tag(page: Page, tag: str) -> None:
    await page.wait_for_selector(f"#operations-tag-{tag}", timeout=180_000)
    await page.click(f"#operations-tag-{tag}")


@pytest.mark.requirement("P4")
async def test_every_link_of_the_start_page_leads_somewhere(browser: Browser, base_url: str) -> None:
    page = await browser.new_page()
    await page.goto(base_url + "/")
    links = await page.eval_on_selector_all("a", "all => all.map(a => a.href)")
    assert len(links) >= 10
    for link in links:
        answer = await page.request.get(link)
        assert answer.status in (200, 503), link
    await page.close()
