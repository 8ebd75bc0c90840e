"""States of a report, and how units are printed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

ReportState = Literal["rendering", "failed", "generated", "sealed", "published", "superseded", "recalled"]
Verdict = Literal["genuine", "superseded", "recalled", "unknown"]
VERDICTS: dict[str, Verdict] = {"published": "genuine", "superseded": "superseded", "recalled": "recalled"}
MOVES: dict[str, frozenset[str]] = {
    "rendering": frozenset({"generated", "failed"}),
    "failed": frozenset(),
    "generated": frozenset({"sealed", "failed"}),
    "sealed": frozenset({"published", "failed"}),
    "published": frozenset({"superseded", "recalled"}),
    "superseded": frozenset(),
    "recalled": frozenset(),
}

ReportFailure = Literal["results_changed", "no_seal", "seal_invalid", "not_rendered", "reviewed_again"]
"""Why a version did not come to be."""
FAILURES = ("results_changed", "no_seal", "seal_invalid", "not_rendered", "reviewed_again")

ChangeSection = Literal["person", "result", "conclusion", "overview", "unperformed", "signature"]
ChangeKind = Literal["added", "removed", "changed"]

_ARROWS = {"high": " ↑", "low": " ↓", "critical_high": " ↑ 危急", "critical_low": " ↓ 危急", "abnormal": " 异常"}
_POWER = re.compile(r"^(?:[×x]\s*)?10(?:[*^]|\*\*|E)?(?P<power>\d{1,2}|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)(?=/)")
_SQUARE = re.compile(r"(?<![A-Za-z])([munpckd]?m)\^?([23])(?![\d.])")
_MICRO = re.compile(r"^[uµ](?=(?:mol|g|IU|L|m|kat)\b)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PRINTED = {"mm[Hg]": "mmHg", "Cel": "℃", "1": "", "/min": "次/分", "[iU]/L": "IU/L", "[pH]": ""}


def printed_unit(unit: str) -> str:
    """Return a unit as a laboratory prints it, whether it came in UCUM or as somebody typed it: `10*9/L` → `×10⁹/L`, `umol/L` → `μmol/L`."""
    known = _PRINTED.get(unit)
    if known is not None:
        return known
    text = _POWER.sub(lambda found: f"×10{found['power'].translate(_RAISED)}", unit)
    text = _SQUARE.sub(lambda found: found[1] + found[2].translate(_RAISED), text)
    return _MICRO.sub("μ", text)


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[tuple[ChangeSection, ChangeKind, str, str | None, str | None]]:
    """Return what differs between the data of two versions: section, kind, name, text before, text after; in the order of the later one."""
    old, new = dict(_told(before)), dict(_told(after))
    found: list[tuple[ChangeSection, ChangeKind, str, str | None, str | None]] = []
    for key in [*new, *(k for k in old if k not in new)]:
        was, now = old.get(key), new.get(key)
        if was != now:
            kind: ChangeKind = "added" if was is None else "removed" if now is None else "changed"
            found.append((key[0], kind, key[1], was, now))
    return found


def _told(data: Mapping[str, Any]) -> Iterator[tuple[tuple[ChangeSection, str, int], str]]:
    """Yield every statement of a report under a name that it keeps from version to version; like names are numbered."""
    seen: dict[tuple[ChangeSection, str], int] = {}

    def under(section: ChangeSection, name: str, text: str) -> tuple[tuple[ChangeSection, str, int], str]:
        seen[section, name] = number = seen.get((section, name), 0) + 1
        return (section, name, number), text

    for name in ("name", "sex", "birth_date", "age"):
        yield under("person", name, data["person"][name])
    if data["overview"]:
        yield under("overview", "overview", data["overview"])
    for entry in data["conclusions"]:
        yield under(
            "conclusion",
            entry["title"],
            "\n".join(filter(None, (entry["detail"], entry["advice"], entry["lifestyle"]))),
        )
    for department in data["departments"]:
        for group in department["groups"]:
            for item in group["items"]:
                unit, bounds = (
                    f" {item['unit']}" if item["unit"] else "",
                    f"（{item['range']}）" if item["range"] else "",
                )
                text = f"{item['value']}{unit}{_ARROWS.get(item['flag'], '')}{bounds}"
                yield under("result", " / ".join((department["name"], group["name"], item["name"])), text)
        if department["summary"]:
            yield under("result", f"{department['name']} / 小结", department["summary"])
    for line in data.get("unperformed", ()):
        yield under("unperformed", f"{line['department']} / {line['name']}", line["why"])
    for role in ("initial", "final"):
        signed = data["signatures"][role]
        yield under("signature", role, f"{signed['name']} {signed['at']}".strip())
