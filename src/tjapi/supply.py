"""What this software is made of: a bill of materials (CycloneDX 1.6) from the hash-locked requirements, held against known vulnerabilities.

Hospitals have no way out: vulnerabilities come as a file in the OSV format (https://ossf.github.io/osv-schema), carried in by hand.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_ECOSYSTEM = "PyPI"


@dataclass(frozen=True, slots=True)
class Part:
    """A library at the one version that is installed; `sha256` of the files it may come in."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Return its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A known vulnerability of a part; `fixed` are the versions from which it is gone, empty where none is known."""

    part: Part
    advisory: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advisories:
    """Known vulnerabilities, and when the newest of them was last changed (RFC 3339): so old is what is known."""

    entries: Sequence[Mapping[str, Any]]
    newest: str


def parts(lock: str) -> list[Part]:
    """Return what a hash-locked requirements file pins, in its order. Raises ValueError for a pin without a hash."""
    found: list[Part] = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        pin = _PIN.match(block.split("\n", 1)[0])
        if pin is None:
            continue
        hashes = tuple(_HASH.findall(block))
        if not hashes:
            raise ValueError(f"{pin[1]} is pinned without a hash")
        found.append(Part(canonicalize_name(pin[1]), pin[2], (pin[3] or "").strip(), hashes))
    return found


def bill(of: Sequence[Part], version: str) -> dict[str, Any]:
    """Return the bill of materials as CycloneDX 1.6; the same lock gives the same bill, byte by byte.

    The hashes of the lock are of the files a part may be installed from (a wheel per platform): they go as properties, since CycloneDX'
    own `hashes` are of the component itself.
    """
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "tjapi", "name": "tjapi", "version": version, "licenses": [{"license": {"id": "Apache-2.0"}}]}
        },
        "components": [
            {
                "type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version, "purl": part.purl,
                **({"licenses": [{"license": {"name": said}}]} if (said := _licence(part.name)) else {}),
                "properties": [
                    *({"name": "tjapi:distribution:sha256", "value": digest} for digest in part.sha256),
                    *([{"name": "tjapi:marker", "value": part.marker}] if part.marker else []),
                ],
            }
            for part in of
        ],
        "dependencies": [{"ref": "tjapi", "dependsOn": [part.purl for part in of]}],
    }  # fmt: skip


def _licence(name: str) -> str:
    """Return the licence that an installed part states of itself in one line; empty where it states none so."""
    try:
        told: Any = metadata.metadata(name)  # an email.message.Message, which its declared protocol does not say
    except metadata.PackageNotFoundError:
        return ""
    said = str(told.get("License-Expression") or told.get("License") or "")
    if said and "\n" not in said:
        return said[:100]
    return next(
        (line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License ::")), ""
    )


def read_advisories(path: Path) -> Advisories:
    """Read a file of advisories: a JSON list, JSON lines, or a zip of JSON files, as they are published. Raises ValueError, OSError."""
    try:
        entries = [entry for entry in _entries(path) if not entry.get("withdrawn")]
    except (zipfile.BadZipFile, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    if not entries:
        raise ValueError(f"{path.name} holds no advisory")
    if any("id" not in entry for entry in entries):
        raise ValueError(f"{path.name}: an entry without id is no OSV record")
    return Advisories(entries, max(str(entry.get("modified", "")) for entry in entries))


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as held:
            for name in held.namelist():
                if name.endswith(".json"):
                    yield json.loads(held.read(name))
        return
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    try:
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
    except json.JSONDecodeError:
        yield json.loads(text)  # one record over many lines


def held_against(of: Sequence[Part], known: Advisories) -> list[Hit]:
    """Return the known vulnerabilities of the parts. A version that cannot be ordered counts as affected: a person looks."""
    by_name = {part.name: part for part in of}
    hits: list[Hit] = []
    for entry in known.entries:
        fixed: dict[Part, list[str]] = {}
        for affected in entry.get("affected", ()):
            package = affected.get("package", {})
            part = by_name.get(canonicalize_name(str(package.get("name", ""))))
            if part is not None and package.get("ecosystem") == _ECOSYSTEM and _is_affected(part.version, affected):
                fixed.setdefault(part, []).extend(_fixed(affected))
        hits += [
            Hit(part, str(entry["id"]), tuple(entry.get("aliases", ())), str(entry.get("summary", "")), tuple(dict.fromkeys(versions)))
            for part, versions in fixed.items()
        ]  # fmt: skip
    return sorted(hits, key=lambda hit: (hit.part.name, hit.advisory))


def _ranges(affected: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, str]]]:
    return (r.get("events", ()) for r in affected.get("ranges", ()) if r.get("type") in ("ECOSYSTEM", "SEMVER"))


def _fixed(affected: Mapping[str, Any]) -> list[str]:
    return [event["fixed"] for events in _ranges(affected) for event in events if "fixed" in event]


def _is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = list(_ranges(affected))
    if not ranges and not affected.get("versions"):
        return True  # a package without versions: all of them
    try:
        return any(_within(Version(version), events) for events in ranges)
    except InvalidVersion:
        return True


def _within(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """Say whether a version is within a range: introduced, and neither fixed nor past the last affected one."""
    inside = False
    moments = [
        (kind, Version("0" if at == "0" else at)) for event in events for kind, at in event.items() if kind != "limit"
    ]
    for kind, at in sorted(moments, key=lambda moment: (moment[1], moment[0] != "introduced")):
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside
