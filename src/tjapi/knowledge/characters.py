"""One writing in which texts are compared: simplified characters, and the forms in which a word of a rule is sought in a description. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_TABLE = Path(__file__).with_name("OpenCC-TSCharacters.txt")
_ALIKE = (*range(0x2E80, 0x2FE0), *range(0xF900, 0xFB00))
"""Radicals and compatibility forms that look like a character and are none: ⽓ is 气."""


def _read() -> dict[int, str]:
    lines = (line for line in _TABLE.read_text("utf-8").splitlines() if not line.startswith("#"))
    simple = {ord(one): plain for one, plain in (line.split("\t") for line in lines)}
    alike = ((code, unicodedata.normalize("NFKC", chr(code))) for code in _ALIKE)
    return {code: simple.get(ord(one), one) for code, one in alike if len(one) == 1 and ord(one) != code} | simple


_SIMPLE = _read()


def simplified(text: str) -> str:
    """Return a text in the simplified writing, every character in its place."""
    return text if text.isascii() else text.translate(_SIMPLE)


_BLANKS, _BLANKS_IN_LINES = re.compile(r"\s+"), re.compile(r"[^\S\n]+")
_BETWEEN = "\n"
"""What stands where an innocent word was: what is left on its two sides is no word."""


def found_words(text: str, words: Iterable[str], unless: Iterable[str] = ()) -> list[str]:
    """Return the words that a description holds, in either writing, whatever blanks and line ends stand within them.

    It is read in three forms: as it stands, without blanks, and over its line ends; each without the innocent words (`unless`) of that form. What
    any form holds is found: in 积液：无⏎气胸：右侧 no line speaks of 无气胸. Rather a word that a person takes back than one that nobody reads.
    """
    innocent = sorted({_bare(one) for one in unless} - {""}, key=len, reverse=True)
    written = simplified(text).lower()
    forms = [written, _BLANKS_IN_LINES.sub("", written), _BLANKS.sub("", written)]
    for one in innocent:
        forms = [form.replace(one, _BETWEEN) for form in forms]
    return [word for word in words if (bare := _bare(word)) and any(bare in form for form in forms)]


def _bare(word: str) -> str:
    return _BLANKS.sub("", simplified(word).lower())
