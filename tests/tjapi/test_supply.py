"""What the software is made of, and how the files that build and run it are made."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tjapi import cli, supply

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PIN = (
    "aaa==1.5.0 \\\n    --hash=sha256:"
    + "0" * 64
    + "\n    # via x\nBbb_c==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:"
    + "1" * 64
    + "\n"
)
PARTS = supply.parts(PIN)


def _osv(name: str = "aaa", **affected: object) -> dict[str, Any]:
    return {
        "id": "X-1",
        "modified": "2026-03-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}],
    }


def _range(*events: dict[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


def test_every_pin_of_the_lock_is_a_component_with_its_digests() -> None:
    bill = supply.bill(supply.parts(LOCK), "1")
    assert len(bill["components"]) == len(re.findall(r"^[A-Za-z0-9._-]+==", LOCK, re.MULTILINE)) > 50
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(set(refs)) == len(refs)
    assert bill["dependencies"] == [{"ref": "tjapi", "dependsOn": refs}]
    assert all(any(p["name"].endswith("sha256") for p in one["properties"]) for one in bill["components"])
    pinned = re.findall(r"^fastapi==(\S+)", LOCK, re.MULTILINE)
    assert [one["version"] for one in bill["components"] if one["name"] == "fastapi"] == pinned


def test_names_are_normal_and_markers_kept() -> None:
    assert [(part.name, part.version, part.marker) for part in PARTS] == [
        ("aaa", "1.5.0", ""),
        ("bbb-c", "2.0", "sys_platform == 'win32'"),
    ]


def test_a_pin_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="without a hash"):
        supply.parts("aaa==1.0\n")


@pytest.mark.parametrize(
    ("affected", "is_hit"),
    [
        (_range({"introduced": "0"}, {"fixed": "1.6"}), True), (_range({"introduced": "0"}, {"fixed": "1.5"}), False),
        (_range({"introduced": "1.6"}), False), (_range({"introduced": "1.5.0"}), True), (_range({"introduced": "0"}, {"last_affected": "1.5"}), True),
        (_range({"introduced": "0"}, {"last_affected": "1.4"}), False),
        (_range({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.4"}, {"fixed": "1.5.1"}), True),
        (_range({"introduced": "1.10"}), False), ({"versions": ["1.5.0"]}, True), ({"versions": ["1.4"]}, False), ({}, True),
        (_range({"introduced": "0"}, {"fixed": "no-version"}), True),
    ],
)  # fmt: skip
def test_a_range_of_versions_is_held_against_what_is_installed(affected: dict[str, Any], is_hit: bool) -> None:
    hits = supply.held_against(PARTS, supply.Advisories([_osv(**affected)], ""))
    assert [hit.part.name for hit in hits] == (["aaa"] if is_hit else [])


def test_other_ecosystems_and_names_are_no_hits_and_names_are_compared_normally() -> None:
    other = _osv(versions=["1.5.0"])
    other["affected"][0]["package"]["ecosystem"] = "npm"
    assert not supply.held_against(PARTS, supply.Advisories([other, _osv("zzz")], ""))
    assert supply.held_against(PARTS, supply.Advisories([_osv("BBB.c", versions=["2.0"])], ""))


@pytest.mark.requirement("P2")
def test_advisories_say_their_date_or_that_none_is_held(tmp_path: Path) -> None:
    runner = CliRunner(env={"TJ_ADVISORIES": ""})
    assert runner.invoke(cli.app, ["advisories"], env={"TJ_ADVISORIES": None}).exit_code == 2
    lock = tmp_path / "lock"
    lock.write_text(PIN, encoding="utf-8")
    forms = {"list.json": json.dumps([_osv(versions=["9"])]), "lines.jsonl": json.dumps(_osv(versions=["9"])) + "\n"}
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as held:
        held.writestr("X-1.json", json.dumps(_osv(versions=["9"])))
    for name in (*forms, "all.zip"):
        said = runner.invoke(cli.app, ["advisories", "--file", str(tmp_path / name), "--lock", str(lock)])
        assert (said.exit_code, "2026-03-01" in said.stdout) == (0, True), said.output
    (tmp_path / "hit.json").write_text(
        json.dumps([_osv(**_range({"introduced": "0"}, {"fixed": "1.6"}))]), encoding="utf-8"
    )
    said = runner.invoke(cli.app, ["advisories", "--file", str(tmp_path / "hit.json"), "--lock", str(lock)])
    assert (said.exit_code, "≥ 1.6" in said.stdout) == (1, True)
    for broken in ("", "[]", "{}", "not json"):
        (tmp_path / "broken").write_text(broken, encoding="utf-8")
        assert (
            runner.invoke(cli.app, ["advisories", "--file", str(tmp_path / "broken"), "--lock", str(lock)]).exit_code
            == 2
        ), broken


# --- the image and what runs it ---------------------------------------------------------------------------------------------

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_the_image_takes_a_digest_and_refuses_a_bare_tag() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    assert re.search(r"^ARG BASE$", text, re.MULTILINE)
    guard = re.search(r"^RUN (printf .*BASE.*)$", text, re.MULTILINE)
    assert guard
    digest = "sha256:" + "a" * 64
    for base, code in (
        (f"python:3.11-slim@{digest}", 0),
        ("python:3.11-slim", 1),
        ("", 1),
        (f"python@{digest[:-1]}", 1),
    ):
        ran = subprocess.run(
            ["sh", "-c", guard[1]], env={"BASE": base, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False
        )
        assert ran.returncode == code, base
    assert re.search(r"^USER 10001", text, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_as_root_writes_its_image_or_holds_a_capability(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("image") == "tjapi:local" or service["user"] not in ("0", "root")
    is_ours = service.get("image") == "tjapi:local"
    assert is_ours or service["image"].startswith("${TJ_")  # named by the operator, by digest


def test_each_service_holds_the_secrets_it_needs_and_no_other() -> None:
    held = {
        name: sorted(s if isinstance(s, str) else s["source"] for s in service.get("secrets", ()))
        for name, service in SERVICES.items()
    }
    assert held == {
        "postgres": ["postgres_password"], "valkey": [], "migrate": ["master_key", "postgres_password"], "api": ["master_key"],
        "worker": ["master_key"], "gateway": [],
    }  # fmt: skip
    mounted = {name: {v.partition(":")[0]: v for v in service.get("volumes", ())} for name, service in SERVICES.items()}
    assert "state" not in mounted["gateway"]
    assert mounted["gateway"]["gateway-secret"].endswith(":ro")


def test_the_gateway_is_reached_and_its_journal_outlives_it() -> None:
    gateway = SERVICES["gateway"]
    journal = Path(gateway["environment"]["TJ_GATEWAY_JOURNAL"])
    assert any(v.partition(":")[2].partition(":")[0] == str(journal.parent) for v in gateway["volumes"])
    assert any(str(port).endswith(":2575") for port in gateway["ports"])
    told = gateway["environment"]["TJ_GATEWAY_CLIENT_SECRET_FILE"]
    assert told == SERVICES["migrate"]["environment"]["TJ_GATEWAY_SECRET_FILE"]


def test_whoever_stays_is_asked_how_it_is_and_nobody_starts_before_whom_it_needs() -> None:
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) is (name != "migrate"), name
    assert {n: s["condition"] for n, s in SERVICES["migrate"]["depends_on"].items()} == {"postgres": "service_healthy"}
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert SERVICES[name]["environment"]["TJ_ENVIRONMENT"] == "production"
