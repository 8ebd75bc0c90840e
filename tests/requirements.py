"""`make requirements`: the hospital's rows → the operations that carry them → the tests that show them, as Markdown."""

import ast
import json
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def operations_by_row() -> dict[str, list[str]]:
    """Return the operations of each row, from the committed contract."""
    contract = json.loads((ROOT / "openapi" / "v1.json").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = defaultdict(list)
    for path in contract["paths"].values():
        for operation in path.values():
            for row in operation["x-requirement"]:
                found[row].append(operation["operationId"])
    return found


def tests_by_row() -> dict[str, list[str]]:
    """Return the tests marked with each row, from their source: by a mark of their own, or by `pytestmark` for all of a file."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        shared = [
            row
            for node in module.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            for row in _rows(node.value)
        ]
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                own = [row for mark in node.decorator_list for row in _rows(mark)]
                for row in dict.fromkeys([*shared, *own]):
                    found[row].append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _rows(marks: ast.expr) -> list[str]:
    found = []
    for mark in ast.walk(marks):
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement":
            for row in mark.args:
                assert isinstance(row, ast.Constant)
                found.append(str(row.value))
    return found


def _order(row: str) -> tuple[str, list[int]]:
    letters = "".join(c for c in row if c.isalpha())
    return letters, [int(n) for n in row[len(letters) :].split(".") if n]


def main() -> None:
    """Print the table."""
    operations, tests = operations_by_row(), tests_by_row()
    print("| row | operations | tests |\n|---|---|---|")
    for row in sorted(operations.keys() | tests.keys(), key=_order):
        shown = "<br>".join(sorted(operations.get(row, []))) or "–"
        print(f"| {row} | {shown} | {'<br>'.join(tests.get(row, [])) or '**none**'} |")


if __name__ == "__main__":
    main()
