"""The handbook tells of the product as it is: what the code writes is what lies there, and whatever a page names exists."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from adapters.lis.contract import LabReport
from device_gateway.protocols import hl7v2 as gateway
from tests.conftest import serving
from tjapi import app as application
from tjapi import cli, demo, handbook, wiring
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {
    name: text for name, text in handbook.pages(DOCS).items() if name.startswith("zh/")
}  # what lies beside is not ours
CONTRACT: dict[str, Any] = json.loads((ROOT / "openapi" / "v1.json").read_text(encoding="utf-8"))
SAMPLES = {sample.name: sample for sample in handbook.samples(DOCS / "hl7")}


@pytest.mark.requirement("S1")
def test_the_written_pages_are_what_the_code_writes(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tjapi.cli", "docs", "write", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")
    }
    assert {"zh/reference/hl7.md", "zh/reference/states.md", "zh/samples.md"} <= set(written)
    for name, text in written.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run `tjapi docs write`"


@pytest.mark.parametrize("page", PAGES)
def test_whatever_a_page_names_exists(page: str) -> None:
    text = PAGES[page]
    assert handbook.title_of(text)
    operations = {f"{method.upper()} {path}" for path, of in CONTRACT["paths"].items() for method in of}
    named = set(re.findall(r"\b((?:GET|POST|PUT|PATCH|DELETE) /api/v1/[^\s`?\"]+)", text))
    assert named <= operations, named - operations
    settings = {f"TJ_{name.upper()}" for name in Settings.model_fields}
    told = {
        name.removesuffix("_FILE") if name not in settings else name
        for name in re.findall(r"\bTJ_[A-Z_]*[A-Z]\b", text)
    }
    beside = {name for name in told if name.startswith("TJ_GATEWAY_") and name != "TJ_GATEWAY_SECRET"} | {
        "TJ_USER",
        "TJ_PASSWORD",
        "TJ_BASE_IMAGE",
        "TJ_POSTGRES_IMAGE",
        "TJ_VALKEY_IMAGE",
        "TJ_GATEWAY_SECRET",
    }
    assert told - beside <= settings, told - beside - settings
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / page).parent.joinpath(link).resolve().exists(), link


def test_every_command_that_a_page_names_is_one() -> None:
    def names(command: Any, before: str = "") -> set[str]:
        found = {f"{before}{name}" for name in getattr(command, "commands", {})}
        return found.union(*(names(sub, f"{before}{name} ") for name, sub in getattr(command, "commands", {}).items()))

    known = names(typer.main.get_command(cli.app))
    for page, text in PAGES.items():
        for said in re.findall(r"`tjapi ([a-z][a-z ]*)", text):
            words = said.split()
            assert words[0] in known, (page, said)
            assert words[0] not in ("key", "docs", "audit", "content") or " ".join(words[:2]) in known, (page, said)


def test_the_reasons_against_starting_are_all_in_the_handbook() -> None:
    source = (ROOT / "src" / "tjapi" / "starting.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'(?:Refusal\(\s*|^AWAY = Refusal\()"([a-z-]+)"', source, re.MULTILINE)) - {"away"}
    assert len(codes) >= 10
    missing = {code for code in codes if f"`{code}`" not in PAGES["zh/roles/operator"]}
    assert not missing


def test_every_machine_of_states_is_drawn_with_every_move() -> None:
    page = PAGES["zh/reference/states"]
    for title, _, moves in handbook.MACHINES:
        part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
        for state, following in moves.items():
            assert all(f"{state} --> {to}" in part for to in following), (title, state)
    held = {
        line
        for path in (ROOT / "src" / "tjapi").rglob("*.py")
        if "rules" in path.as_posix()
        for line in re.findall(r"^([A-Z_]*MOVES)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert held <= {
        "MOVES",
        "WAIT_MOVES",
        "EXAM_MOVES",
        "LINE_MOVES",
        "TUBE_MOVES",
        "HANDOVER_MOVES",
        "TICKET_MOVES",
        "CAMPAIGN_MOVES",
        "MEMBER_MOVES",
        "IMPORT_MOVES",
    }


def test_topics_are_read_from_where_they_are_announced() -> None:
    source = 'async def f(uow):\n    await uow.announce("exam", {"exam_id": "x"}, campus_id=1, permission="exam.read")\n    await uow.announce("job", d, permission=None)\n    await uow.announce("report", d, permission=p)\n'
    assert list(handbook.announced(source)) == [
        ("exam", "exam.read", ("exam_id",)),
        ("job", "", ()),
        ("report", "*", ()),
    ]


# --- HL7: each sample is accepted as the statement says ---------------------------------------------------------------------


@pytest.mark.requirement("I2")
@pytest.mark.parametrize("name", SAMPLES)
def test_the_gateway_answers_each_sample_as_said(name: str) -> None:
    sample = SAMPLES[name]
    frame = gateway.read(handbook.on_the_wire(sample))
    assert ("AE" if frame.fault else "AA") == sample.answered
    assert f"网关应答 `{sample.answered}`" in PAGES["zh/reference/hl7"].partition(f"### {name}")[2].partition("###")[0]


def _read(name: str) -> LabReport:
    seen = handbook.read(SAMPLES[name])
    assert isinstance(seen, LabReport), seen
    assert (seen.patient_name, seen.patient_sex, seen.patient_birth_date, seen.exam_no) == (
        "韦小兰",
        "female",
        date(1985, 3, 2),
        "A26080100017",
    )
    assert seen.left_out == ()
    return seen


@pytest.mark.requirement("I2")
def test_each_sample_is_read_as_said() -> None:
    first = _read("1-final").results[0]
    assert (first.barcode, first.placer_no, first.group_code) == ("10000017", "A26080100017-1-1", "CBC")
    assert [(o.code, o.raw_value, o.unit, o.status) for o in first.observations] == [
        ("WBC", "6.20", "10*9/L", "F"),
        ("HGB", "131", "g/L", "F"),
    ]
    critical = _read("2-critical").results[0].observations[0]
    assert (critical.code, critical.raw_value, critical.abnormal_flags) == ("K", "6.80", ("HH",))
    assert _read("3-corrected").results[0].observations[0].status == "C"
    texts = _read("4-text-and-coded").results[0].observations
    assert [o.raw_value for o in texts] == ["阳性(1+)", "偶见上皮细胞"]
    assert "标本放置时间较长" in texts[1].remarks
    refused = _read("5-refused-specimen").results[0]
    assert refused.refused is not None
    assert (refused.refused.reason, refused.observations) == ("haemolysed", ())
    assert _read("6-withdrawn").results[0].observations[0].status == "W"
    assert not isinstance(handbook.read(SAMPLES["7-not-a-report"]), LabReport)
    assert len(SAMPLES) == 8


def test_the_sample_of_an_order_holds_what_the_field_map_says() -> None:
    segments = {line[:3]: line.split("|") for line in handbook.order_sample().split("\n")}
    assert segments["MSH"][8].startswith("OML^O21")
    assert segments["ORC"][1] == "NW"
    assert segments["ORC"][2] == segments["OBR"][2]
    assert segments["PV1"][19] == "A26080100017"
    assert segments["SPM"][2] == "10000017"
    assert segments["SPM"][27] == "EDTA"


# --- served -----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1")
async def test_the_handbook_is_served_with_its_search_and_asks_no_other_host(runtime: Runtime) -> None:
    async with (
        serving(wiring.build(runtime.settings)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        index = (await client.get("/guide/index.json")).json()
        assert set(PAGES) <= {page["path"] for page in index}
        for path in ("", *(f"/{name}" for name in PAGES)):
            answer = await client.get(f"/guide{path}")
            assert answer.status_code == 200, path
            assert not re.search(r'(?:src|href)="https?:|@import|url\(', answer.text), path
            for link in re.findall(r'href="((?!/|#|data:)[^"#]+)', answer.text):
                target = httpx.URL(f"{url}/guide{path or '/zh/index'}").join(link)
                assert (await client.get(target)).status_code == 200, (path, link)
        assert (await client.get("/guide/nowhere")).status_code == 404
        assert "<script>alert" not in handbook.html_of("<script>alert(1)</script>")
    held = wiring.build(runtime.settings.model_copy(update={"docs": False}))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application.create(held)), base_url="http://x"
    ) as client:
        assert (await client.get("/guide")).status_code == 404
    await wiring.close(held)


def _runs_typescript() -> bool:
    found = shutil.which("node")
    if not found:
        return False
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(n) for n in re.findall(r"\d+", said)[:2]) >= (22, 18)


RUNS = {
    "first.sh": ["sh"] if shutil.which("curl") else None, "first.py": [sys.executable], "First.java": [shutil.which("java") or ""] if shutil.which("java") else None,
    "first.ts": ["node"] if _runs_typescript() else None,
}  # fmt: skip


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("name", RUNS)
async def test_each_sample_runs_and_ends_with_a_page_of_exams(name: str, runtime: Runtime) -> None:
    argv = RUNS[name]
    if argv is None:
        pytest.skip(f"nothing here runs {name}")
    kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    async with serving(wiring.build(runtime.settings)) as url:
        told = {"BASE": url, "TJ_USER": "front", "TJ_PASSWORD": demo.password(runtime.keys, "front")}
        ran = await asyncio.to_thread(
            subprocess.run,
            [*argv, str(DOCS / "samples" / name)],
            env=kept | told,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    who, page = (json.loads(line) for line in ran.stdout.strip().splitlines()[-2:])
    assert "exam.read" in who["permissions"]
    assert "items" in page
