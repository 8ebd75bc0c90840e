"""Names of the published contract: what a stranger's generator can turn into types without help.

A code that several fields share is one schema (`ExamState`), named as its dictionary is; a class that two contexts name alike carries its
context; a page is named after what it lists; the bounds of a day are told in a way that every validator takes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_FEWEST = 2
"""A field of fewer codes is a constant and needs no name."""
_MODULE = re.compile(r"^tjapi__([a-z_]+)__schemas__(\w+)$")
_PAGE = re.compile(r"^Page_(\w+?)(?:Out)?_$")
_DAYS = {"ge": "x-earliest", "gt": "x-after", "le": "x-latest", "lt": "x-before"}


def rename_schemas(document: dict[str, Any]) -> None:
    """Give every schema a name that can be a class: `AppointmentDayIn` of two `DayIn`, `ExamPage` of `Page[ExamOut]`."""
    schemas = document["components"]["schemas"]
    names = {name: _clean(name) for name in schemas}
    taken: dict[str, str] = {}
    for name, clean in names.items():
        if clean in taken or (clean != name and clean in schemas):
            names[name] = _clean(name, whole=True)
        taken[names[name]] = name
    document["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    examples = document["components"].get("examples", {})
    document["components"]["examples"] = {names.get(name, name): example for name, example in examples.items()}
    for kind, old in (("schemas", names), ("examples", names)):
        start = f"#/components/{kind}/"
        for node in _nodes(document):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith(start):
                node["$ref"] = start + old.get(reference.removeprefix(start), reference.removeprefix(start))
    for node in _nodes(document):  # examples of an answer are named after its schema
        if isinstance(node.get("examples"), dict) and set(node["examples"]) & set(names):
            node["examples"] = {names.get(name, name): value for name, value in node["examples"].items()}


def share_codes(document: dict[str, Any], dictionaries: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
    """Name every set of codes once: after the dictionary that holds it, else after the field that has it and its schema.

    A field refers to it and keeps its own description, default and examples beside the reference (OpenAPI 3.1 takes both).
    """
    schemas = document["components"]["schemas"]
    known = {frozenset(entries): name for name, entries in dictionaries.items()}
    shared: dict[str, Any] = {}
    named: dict[tuple[str, ...], str] = {}
    for owner, field, schema in list(_fields(document)):
        codes = schema.get("enum")
        if schema.get("type") != "string" or codes is None or len(codes) < _FEWEST:
            continue
        key = tuple(sorted(codes))
        if key not in named:
            dictionary = known.get(frozenset(codes))
            wanted = _camel(dictionary or field)
            if wanted in shared or wanted in schemas:
                wanted = _camel(owner) + wanted
            named[key] = wanted
            shared[wanted] = {"type": "string", "enum": codes}
            if dictionary:
                shared[wanted]["description"] = f"代码字典 `{dictionary}` · Labels: dictionary `{dictionary}`"
        del schema["type"], schema["enum"]
        schema["$ref"] = f"#/components/schemas/{named[key]}"
    schemas |= shared


def bound_days(document: dict[str, Any]) -> None:
    """Tell the bounds of a day as extensions: JSON Schema has none for dates, and validators refuse a word that they do not know."""
    for node in _nodes(document):
        if node.get("format") in {"date", "date-time"}:
            for word, extension in _DAYS.items():
                if word in node:
                    node[extension] = node.pop(word)
        if node.get("default") == "" and node.get("minLength"):
            del node["default"]  # a change that does not send the field leaves it as it is: empty is no value of it


def _clean(name: str, *, whole: bool = False) -> str:
    if found := _MODULE.match(name):
        return _camel(found[1]) + found[2]
    if found := _PAGE.match(name):
        return name[len("Page_") : -1] + "Page" if whole else found[1] + "Page"
    # One class that is sent and answered in two shapes.
    return name.replace("-", "") if whole else re.sub(r"(In)?-Output$", "Out", name).removesuffix("-Input")


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", name))


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the document but those inside examples and defaults: what they hold is data."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key == "properties" and isinstance(value, dict):  # its keys are names of fields, "value" may be one
                yield from _nodes(list(value.values()))
            elif key not in {"example", "value", "default"} and not (key == "examples" and isinstance(value, list)):
                yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield owner, name and schema of every place that may hold codes, those of the schemas first."""
    for owner, schema in sorted(document["components"]["schemas"].items()):
        for field, place in sorted(schema.get("properties", {}).items()):
            yield from ((owner, field, part) for part in _nodes(place))
    parameters = [("", p) for p in document["components"].get("parameters", {}).values()]
    for path in document["paths"].values():
        for operation in path.values():
            parameters += [(operation["operationId"], p) for p in operation.get("parameters", ())]
    for owner, parameter in parameters:
        if "schema" in parameter:
            yield from ((owner, parameter["name"], part) for part in _nodes(parameter["schema"]))
