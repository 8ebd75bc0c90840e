"""What a message says is critical, looked for in its bytes: of one that nobody could read, so that somebody is told at once. Pure."""

import re
from collections.abc import Iterator

from tjapi.result.rules.flags import lab_critical

# Of whatever charset it says it is: the flag may be a word, and half of a character may look like a separator in the other one.
_CHARSETS = ("utf-8", "gb18030")
_LINE = re.compile(r"[^\r\n]+")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_CODE, _FLAGS = 3, 8
_MOST, _LONGEST_CODE = 100, 40


def called_critical(raw: bytes) -> list[str]:
    """Return the codes of observations that a laboratory flags as critical (OBX-3, OBX-8), as far as they can be made out; one pass."""
    found = {code for charset in _CHARSETS for code in _codes(raw.decode(charset, errors="replace").replace("\0", ""))}
    return sorted(found)[:_MOST]


def _codes(text: str) -> Iterator[str]:
    head = text.find("MSH")
    between = text[head + 3 : head + 4] if head >= 0 else ""
    if not between.strip() or between.isalnum():
        return
    for line in _observations(text, between):
        fields = line.split(between, _FLAGS + 1)
        if len(fields) > _FLAGS and lab_critical([fields[_FLAGS]]):
            code = "".join(c for c in fields[_CODE].split("^")[0].strip() if c.isprintable() and c != "\ufffd")
            yield code[:_LONGEST_CODE] or "?"


def _observations(text: str, between: str) -> Iterator[str]:
    """Return each OBX segment; lines that are no segment are the rest of the one before them, which a line end broke."""
    parts: list[str] = []
    for match in _LINE.finditer(text):
        line = match[0].lstrip(" \t\x0b\ufeff")
        if _SEGMENT.match(line) and line[3:4] == between:
            if parts:
                yield " ".join(parts)
            parts = [line] if line.startswith("OBX") else []
        elif parts:
            parts.append(line)
    if parts:
        yield " ".join(parts)
