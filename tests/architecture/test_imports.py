"""The house's walls: import contracts, and what contracts cannot say."""

import ast
import functools
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
SOURCES = tuple(
    path for folder in ("src/tjapi", "adapters", "device_gateway") for path in sorted((ROOT / folder).rglob("*.py"))
)
PRIVATE_ROOMS = {"repository", "views", "rules", "layout", "printing", "measures", "rule_types", "scenarios"}
WIRING = {"api", "worker", "app", "cli", "wiring", "tables", "up", "doctor", "demo", "visit"}
# Names that several contexts share: states, kinds and their labels, and the pure functions that go with them. No decisions are taken twice.
VOCABULARY = {"rules"}
PUBLIC_ADAPTER_MODULES = {"contract", "registry"}


@functools.cache
def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def _lint() -> subprocess.CompletedProcess[str]:
    tool = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run(
        [sys.executable, tool, "--no-cache", "--config", ROOT / "pyproject.toml"], capture_output=True, text=True, check=False, cwd=ROOT
    )  # fmt: skip


def test_every_import_contract_is_kept_and_asked_in_seconds() -> None:
    began = time.monotonic()
    found = _lint()
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    summary = re.search(r"Contracts: (\d+) kept, (\d+) broken", found.stdout)
    assert summary is not None
    assert (int(summary[1]), int(summary[2])) == (14, 0)
    assert time.monotonic() - began < 6  # alone it takes about one; the test machine may be busy


def test_neighbours_meet_only_at_the_front_door() -> None:
    """A context reaches another through its service, events, schemas or errors; only `views` and `measures` read its tables.

    A single statement over several contexts is put together of the statements of theirs: views may stand on earlier views.
    """
    graph = grimp.build_graph("tjapi", cache_dir=None)
    offences = []
    for target in graph.modules:
        _, context, room, *_ = [*target.split("."), "", ""]
        for importer in graph.find_modules_that_directly_import(target):
            origin, *rooms = [*importer.split("."), ""][1:]
            if origin == context or origin in WIRING or context == "kernel":
                continue
            reads = rooms[0] in ("views", "measures")
            private = room in PRIVATE_ROOMS - VOCABULARY or (room == "models" and not reads)
            private = private and not (room == "views" == rooms[0])
            if private and not _names_types_only(importer, target):
                offences.append(f"{importer} -> {target}")
    assert not offences, offences


def _names_types_only(importer: str, target: str) -> bool:
    """Say whether a module imports another's row classes for its annotations alone: it neither makes nor selects such rows."""
    tree = ast.parse(_source_of(importer).read_text(encoding="utf-8"))
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == target
        for alias in node.names
    }
    annotated = {
        id(name) for node in ast.walk(tree) for annotation in _annotations(node) for name in ast.walk(annotation)
    }
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in names]
    return bool(names) and all(id(node) in annotated or _is_alias(tree, node) for node in used)


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
        yield node.returns


def _is_alias(tree: ast.Module, name: ast.Name) -> bool:
    return any(isinstance(node, ast.Assign) and any(name is n for n in ast.walk(node.value)) for node in tree.body)


def _source_of(module: str) -> Path:
    place = ROOT / "src" / Path(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def test_only_its_registry_knows_a_vendor() -> None:
    """Vendors do not know each other, and no flow names one."""
    graph = grimp.build_graph("tjapi", "adapters", cache_dir=None)
    offences = []
    for target in graph.modules:
        match target.split("."):
            case ["adapters", system, vendor] if system != "wire" and vendor not in PUBLIC_ADAPTER_MODULES:
                # The handbook states what the standard mapping reads, by letting it read the samples.
                strangers = graph.find_modules_that_directly_import(target) - {
                    f"adapters.{system}.registry",
                    "tjapi.handbook",
                }
                offences += [f"{importer} -> {target}" for importer in strangers if not importer.startswith(target)]
    assert not offences, offences


def test_only_the_unit_of_work_commits() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in _trees().items()
        if path.startswith("src")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert {place.split(":")[0] for place in found} == {"src/tjapi/kernel/uow.py"}, found


def test_nothing_is_imported_inside_a_function() -> None:
    def imports(node: ast.AST, *, inside: bool = False) -> Iterator[int]:
        if inside and isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            if inside or isinstance(child, ast.stmt):
                yield from imports(child, inside=inside)

    found = [f"{path}:{line}" for path, tree in _trees().items() for line in imports(tree)]
    assert not found, found
