"""The sentences of a text: parted by its stops, without the numbers of a list, and with words joined that a line end broke. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tjapi.knowledge.lexicon import Dictionary, plain_writing

_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands (`said`), and in plain writing without its blanks; `,` parts its clauses."""

    said: str
    plain: str


_STOP = re.compile(r"[\x01;!\n]+|(?<=\?)(?=.)|(?<![\d.])\.(?!\d)|(?<=\d)\.(?=[\s\u3400-\u9fff]|$)")
_BLANK = re.compile(r"[^\S\n]+|\n")
_NUMBER = re.compile(r"^\s*(?:\(?\d{1,2}[.、)](?!\d)|[①-⑳]|[一二三四五六七八九十]{1,3}[、.])\s*")


def sentences_of(book: Dictionary, text: str) -> Iterable[Sentence]:
    """Yield the sentences of a text."""
    joined = _unwrapped(book, text)
    for piece in _pieces(joined):
        said = _NUMBER.sub("", piece).strip(" ,，、:：\t")
        plain = plain_writing(said).strip()
        if plain:
            yield Sentence(said, _unblanked(plain))


def _pieces(text: str) -> Iterable[str]:
    plain, start = plain_writing(text), 0
    for found in _STOP.finditer(plain):
        yield from _cut(text[start : found.start()])
        start = found.end()
    yield from _cut(text[start:])


_MOST_OF_SENTENCE = 240


def _cut(piece: str) -> Iterable[str]:
    """Yield a sentence, or the parts of one that does not end, cut behind a comma where there is one: how long reading takes grows with its length."""
    while len(piece) > _MOST_OF_SENTENCE:
        at = max(piece.rfind(mark, 0, _MOST_OF_SENTENCE) for mark in ",，") + 1 or _MOST_OF_SENTENCE
        yield piece[:at]
        piece = piece[at:]
    yield piece


def _unwrapped(book: Dictionary, text: str) -> str:
    """Return a text in which a blank or line end within a word is none, and any other between Chinese words parts clauses or sentences."""
    plain, made, start = plain_writing(text), [], 0
    for found in _BLANK.finditer(plain):
        if found.start() < start:
            continue
        end = found.end()
        while end < len(plain) and plain[end].isspace():
            end += 1
        before, behind = plain[max(found.start() - 8, 0) : found.start()], plain[end : end + 8]
        made.append(text[start : found.start()])
        made.append(_joint(book, before, behind, "\n" if "\n" in plain[found.start() : end] else "，"))
        start = end
    return "".join(made) + text[start:]


def _joint(book: Dictionary, before: str, behind: str, apart: str) -> str:
    """Return what stands in the place of blanks between two pieces: nothing where a word goes over them, or a denial waits for what follows."""
    if not before or not behind:
        return ""
    if not (_HAN.match(before[-1]) and _HAN.match(behind[0])):
        return "\n" if apart == "\n" else " "
    both, edge = before + behind, len(before)
    for at in range(len(before)):
        hit = book.match(both, at)
        if hit is not None and at + len(hit[0]) > edge and len(hit[0]) > 1:
            return ""
    for size in (5, 4, 3, 2, 1):
        word = before[-size:]
        hit = book.match(word, 0) if len(word) == size else None
        if hit is not None and hit[0] == word and hit[1].roles & {"denies", "denies_next"}:
            return apart if before[:-size].endswith(":") else ""
    return apart


_INNER = re.compile(r"\s+")


def _unblanked(plain: str) -> str:
    return _INNER.sub(lambda found: " " if _latin(plain, found) else "", plain)


def _latin(plain: str, found: re.Match[str]) -> bool:
    return found.start() > 0 and found.end() < len(plain) and plain[found.start() - 1].isascii() and plain[found.end()].isascii()  # fmt: skip
