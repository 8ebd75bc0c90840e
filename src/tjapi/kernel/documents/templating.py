"""From a template's folder and data to validated XML: sandboxed jinja2, then the schema. No file or network access.

Rule 30 of reliability.md: sandboxed, autoescaped, nothing outside the template's folder and `_shared`.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree
from markupsafe import Markup, escape

from tjapi.kernel.documents.errors import RenderTooLarge, TemplateInvalid, TemplateNotFound
from tjapi.kernel.documents.theme import Theme

MAX_DATA_BYTES = 16 * 2**20
MAX_XML_CHARACTERS = 8 * 2**20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# 10^9, 10**9; 10*9 only before a slash (UCUM: "10*9/L"; "10*9 mm" is a size); m2, mm3, m^2
_POWER = re.compile(
    r"(?P<base>10)(?:\^|\*\*)(?P<power>[-−]?\d{1,2})(?!\d)"
    r"|(?P<ucum>10)\*(?P<ucum_power>[-−]?\d{1,2})(?=/)"
    r"|(?P<length>(?<![A-Za-z])[munpckd]?m)\^?(?P<length_power>[23])(?![\d.])"
)
_LINE = re.compile(r"\r\n|\r|\n")  # str.splitlines also breaks at control characters that instruments send
# jinja2's messages that name nothing but names of the template
_ABOUT_NAMES = re.compile(
    r"'(?P<a>[A-Za-z_]\w*)' is undefined|'[\w. ]+ object' has no attribute '(?P<b>[A-Za-z_]\w*)'"
    r"|access to attribute '(?P<c>\w+)' of '\w+' object is unsafe\.?",
    re.ASCII,
)
_SHARED = "_shared"


@dataclass(frozen=True)
class Manifest:
    """What `template.toml` says. `pages` is the most pages a document may have."""

    name: str
    title: str
    theme: Theme
    pages: int


def unit(value: object) -> Markup:
    """Set the exponents of a unit as superscripts: ×10^9/L, 10*9/L (UCUM), mL/min/1.73m2 → ×10⁹/L … in markup."""
    text = str(escape("" if value is None else str(value)))

    def raise_power(match: re.Match[str]) -> str:
        base, power = (part for part in match.groups() if part is not None)
        return f"{base}<sup>{power.replace('-', '−')}</sup>"

    return Markup(_POWER.sub(raise_power, text))  # noqa: S704  # escaped above, only <sup> is added


def lines(value: object) -> Markup:
    """Turn line breaks of the data into <br/>."""
    parts = _LINE.split(str("" if value is None else value))
    return Markup("<br/>").join(escape(part) for part in parts)


def _finalize(value: object) -> object:
    """Print None as nothing and drop characters XML cannot carry (instruments send them)."""
    if value is None:
        return ""
    if isinstance(value, str) and _NOT_XML.search(value):
        return type(value)(_NOT_XML.sub("", value))
    return value


@lru_cache(maxsize=64)
def manifest(templates: Path, name: str) -> Manifest:
    """Read a template's `template.toml` over `_shared/theme.toml`. Raises TemplateNotFound, TemplateInvalid."""
    folder = templates / name
    if not _NAME.fullmatch(name) or not (folder / "body.xml.j2").is_file() or not (folder / "template.toml").is_file():
        raise TemplateNotFound(name)
    try:
        shared = tomllib.loads((templates / _SHARED / "theme.toml").read_text("utf-8"))
        own = tomllib.loads((folder / "template.toml").read_text("utf-8"))
        theme = Theme().overridden(shared).overridden(own.get("theme", {}))
        return Manifest(name, str(own["title"]), theme, int(own.get("limits", {}).get("pages", 300)))
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
        raise TemplateInvalid(name, f"template.toml: {type(error).__name__}") from error


@lru_cache(maxsize=64)
def _compiled(templates: Path, name: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([templates / name, templates / _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        auto_reload=False,
    )
    # What a template of ours never needs: `safe` would switch escaping off, the others make bombs or leak internals.
    for unwanted in ("safe", "xmlattr", "pprint", "urlize", "tojson", "center", "indent"):
        environment.filters.pop(unwanted, None)
    for unwanted in ("lipsum", "cycler", "joiner"):
        environment.globals.pop(unwanted, None)
    environment.filters["unit"] = unit
    environment.filters["lines"] = lines
    try:
        return environment.get_template("body.xml.j2")
    except TemplateSyntaxError as error:
        raise TemplateInvalid(name, error.message or "syntax error", error.lineno) from error


@lru_cache(maxsize=4)
def _schema(templates: Path) -> Any:
    return etree.XMLSchema(etree.parse(str(templates / _SHARED / "document.xsd"), _parser()))


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)


def plain(template: str, data: Mapping[str, Any]) -> str:
    """Write `data` as JSON: what a template sees is plain values, never objects with methods of ours.

    Raises RenderTooLarge; TypeError for values JSON does not know.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if len(text) > MAX_DATA_BYTES:
        raise RenderTooLarge(template, f"data of more than {MAX_DATA_BYTES} bytes")
    return text


def yield_xml(templates: Path, name: str, data: Mapping[str, Any]) -> str:
    """Run the template. Raises TemplateInvalid (also for a sandbox violation), RenderTooLarge."""
    template = _compiled(templates, name)
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(**data):
            size += len(part)
            if size > MAX_XML_CHARACTERS:
                raise RenderTooLarge(name, f"more than {MAX_XML_CHARACTERS} characters of XML")
            parts.append(part)
    except TemplateError as error:
        raise TemplateInvalid(name, _told(templates / name, error), _line_of(error)) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OverflowError) as error:
        # their messages may quote the data
        raise TemplateInvalid(name, type(error).__name__, _line_of(error)) from None
    return "".join(parts)


def _told(folder: Path, error: TemplateError) -> str:
    """Name the trouble; a name is quoted only if the template itself has it: `data[key]` would quote a key of the data."""
    kind, message = type(error).__name__, error.message or ""
    match = _ABOUT_NAMES.fullmatch(message)
    named = match and (match["a"] or match["b"] or match["c"])
    source = (folder / "body.xml.j2").read_text("utf-8")
    return f"{kind}: {message}" if named and re.search(rf"\b{named}\b", source) else kind


def _line_of(error: BaseException) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith((".j2", "<template>")):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def parse(templates: Path, name: str, xml: str) -> Any:
    """Parse and validate; returns the lxml root. Raises TemplateInvalid. A document type is refused: no entities."""
    try:
        root = etree.fromstring(xml.strip().encode("utf-8"), _parser())
    except etree.XMLSyntaxError as error:
        raise TemplateInvalid(name, f"not well-formed: {error.msg}", error.lineno or 0) from None
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise TemplateInvalid(name, "a document type is not allowed")
    schema = _schema(templates)
    if not schema.validate(root):
        first = schema.error_log[0]
        # only messages about elements are shown: those about values quote them
        told = first.message if first.type_name == "SCHEMAV_ELEMENT_CONTENT" else f"{first.type_name} at {first.path}"
        raise TemplateInvalid(name, told, first.line)
    return root
