"""The starter catalog's files as they are, for whoever says what a laboratory says: the unit of each item, and its limits."""

import tomllib
from pathlib import Path
from typing import Any

import tjapi.catalog

_FOLDER = Path(tjapi.catalog.__file__).parent / "starter"
ITEMS: dict[str, dict[str, Any]] = {
    item["code"]: item
    for file in sorted(_FOLDER.glob("items*.toml"))
    for item in tomllib.loads(file.read_text(encoding="utf-8"))["items"]
}
LIMITS: dict[str, dict[str, Any]] = {
    limit["item"]: limit for limit in tomllib.loads((_FOLDER / "limits.toml").read_text(encoding="utf-8"))["limits"]
}
OTHER_UNITS: list[dict[str, Any]] = tomllib.loads((_FOLDER / "units.toml").read_text(encoding="utf-8"))["units"]
UNITS: dict[str, str] = {code: item.get("unit", "") for code, item in ITEMS.items()}
