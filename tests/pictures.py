"""`python -m tests.pictures [STATE]`: the pictures of the README, taken of a running demo (`make run`). Needs Chromium (`make browser`)."""

import asyncio
import io
import json
import secrets
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import zxingcpp
from PIL import Image
from playwright.async_api import async_playwright

from tjapi.kernel.security.keys import KeyRing, load_master_key
from tjapi.kernel.security.tokens import LinkClaims, LinkMint

FOLDER = Path(__file__).parents[1] / "report_templates" / "pictures"
MOST_BYTES = 120_000
SCALE = 1.25
TOO_MANY_COLOURS = 64
DESK, PHONE = {"width": 1180, "height": 760}, {"width": 390, "height": 780}
Shot = tuple[str, str, dict[str, int], str]


def keep(name: str, picture: Image.Image) -> None:
    """Write a picture in few colours, small enough for a page that is read over a slow line."""
    colours = 256
    while True:
        raw = io.BytesIO()
        picture.convert("RGB").quantize(colours).save(raw, "PNG", optimize=True)
        if raw.tell() <= MOST_BYTES:
            break
        if colours > TOO_MANY_COLOURS:
            colours //= 2
        else:
            picture = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10), Image.Resampling.LANCZOS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(raw.getvalue())
    print(f"{name}.png {picture.width}×{picture.height} {raw.tell() // 1000} kB")


def page_of(pdf: pypdfium2.PdfDocument, number: int, scale: float = SCALE) -> Image.Image:
    """Render a page."""
    picture: Image.Image = pdf[number].render(scale=scale).to_pil()
    return picture


def published(api: httpx.Client) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return the exam with the longest published report, that report, and its bytes."""
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    exams = api.get("/exams", params={"state": "finalized", "campus_id": 1, "page_size": 50}).json()["items"]
    for exam in exams:
        versions = api.get(f"/exams/{exam['id']}/reports").json()["items"]
        found += [(exam, one) for one in versions if one["state"] == "published"]
    exam, report = max(found, key=lambda pair: pair[1]["pages"])
    return exam, report, api.get(f"/reports/{report['id']}/pdf").content


def paper(api: httpx.Client) -> tuple[Image.Image, Image.Image]:
    """Print the guide sheet and the labels of somebody who was checked in this morning; return the sheet, and the labels in two columns."""
    exams = api.get("/exams", params={"state": "in_progress", "campus_id": 1, "page_size": 50}).json()["items"]
    exam = max(exams, key=lambda one: one["line_count"])["id"]
    drawn = {}
    for kind in ("guide_sheet", "tube_label"):
        asked = {"papers": [{"exam_id": exam, "kind": kind}], "format": "pdf"}
        made = api.post("/document-prints", json=asked, headers={"Idempotency-Key": secrets.token_hex(16)}).json()
        drawn[kind] = pypdfium2.PdfDocument(api.get(made["url"].removeprefix("/api/v1")).content)
    labels = [page_of(drawn["tube_label"], n, 2.4) for n in range(min(len(drawn["tube_label"]), 6))]
    wide, high = labels[0].width + 24, labels[0].height + 24
    sheet = Image.new("RGB", (2 * wide, (len(labels) + 1) // 2 * high), (226, 232, 230))
    for n, label in enumerate(labels):
        sheet.paste(label, (n % 2 * wide + 12, n // 2 * high + 12))
    return page_of(drawn["guide_sheet"], 0), sheet


def entered(told: dict[str, Any], role: str) -> httpx.Client:
    """Sign in under a demo login."""
    api = httpx.Client(base_url=f"{told['base_url']}/api/v1", timeout=60, trust_env=False)
    given = {name: told["logins"][role][name] for name in ("username", "password")}
    token = httpx.post(f"{told['base_url']}/api/v1/auth/token", json=given, trust_env=False).json()["access_token"]
    api.headers["Authorization"] = f"Bearer {token}"
    return api


async def photograph(shots: list[Shot], scratch: Path) -> None:
    """Take pictures of pages in a browser that has our fonts: a bare machine has none for Chinese."""
    fonts = scratch / "fonts.conf"
    fonts.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{FOLDER.parent / "_shared" / "fonts"}</dir><dir>/usr/share/fonts</dir>'
        f"<cachedir>{scratch}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--headless", "--no-sandbox", "--disable-gpu"],
            env={"FONTCONFIG_FILE": str(fonts), "HOME": str(scratch)},
        )
        for name, url, size, awaited in shots:
            page = await browser.new_page(viewport=size, locale="zh-CN")  # type: ignore[arg-type]
            await page.goto(url, wait_until="load")
            await page.wait_for_selector(awaited, timeout=60_000)
            keep(name, Image.open(io.BytesIO(await page.screenshot())))
        await browser.close()


def main(state: Path) -> None:
    """Take every picture."""
    told = json.loads((state / "demo.json").read_text(encoding="utf-8"))
    base = told["base_url"]
    with entered(told, "front") as api:
        sheet, labels = paper(api)
    keep("guide-sheet", sheet)
    keep("tube-labels", labels)
    with entered(told, "chief") as api:
        exam, report, raw = published(api)
    pdf = pypdfium2.PdfDocument(raw)
    pages = [page_of(pdf, number) for number in range(len(pdf))]
    keep("report-cover", pages[0])
    keep("report-conclusions", pages[1])
    trend = next((n for n in range(len(pdf)) if "趋势" in pdf[n].get_textpage().get_text_range()), len(pdf) - 1)
    keep("report-trends", pages[trend])
    codes = [
        found.text
        for n in range(len(pdf))
        for found in zxingcpp.read_barcodes(page_of(pdf, n, 3))
        if "/verify/" in found.text
    ]
    mint = LinkMint(KeyRing(load_master_key(None, state)))
    claims = LinkClaims(UUID(exam["examinee_id"]), UUID(report["id"]), report["version"])
    link = mint.issue(claims, expires_at=datetime.now(UTC) + timedelta(minutes=10))
    shots: list[Shot] = [
        ("reference", f"{base}/redoc", DESK, "[id='tag/exams/operation/createExam']"),
        ("phone", f"{base}/r/{link}", PHONE, "body"),
        *(("verification", f"{base}/verify/{code.rpartition('/')[2]}", PHONE, "body") for code in codes[:1]),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(photograph(shots, Path(scratch)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".state").absolute())
