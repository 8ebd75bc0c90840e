"""The tokens of a sentence: its clauses, of words that the dictionary knows, of measures, and of what nobody knows. Pure."""

import re
from dataclasses import dataclass, field

from tjapi.knowledge.lexicon import Dictionary
from tjapi.knowledge.mentions import Mention


@dataclass(slots=True)
class Token:
    """A word, where it stands and what it may do.

    `denied`: a cue says that it is not there; `doubted`: one says that it is not excluded;
    `undecided`: whether a denial before it is of it as well cannot be told, and a person reads it.
    """

    word: str
    at: int
    roles: frozenset[str]
    concept: str = ""
    lesion: str = ""
    site: str = ""
    denied: bool = False
    doubted: bool = False
    undecided: bool = False

    @property
    def names(self) -> bool:
        """Whether it names something that may be there."""
        return bool(self.concept or self.lesion)

    @property
    def filler(self) -> bool:
        """Whether it says nothing by itself."""
        return bool(self.roles & {"neutral", "punctuation"}) and not self.names


_UNIT = (
    "mmhg|mm/s|cm/s|m/s|mm2|mm²|cm2|cm²|平方厘米|mm|cm|毫米|厘米|公分|毫升|毫米汞柱|ml|kpa|bpm|次/分钟?|次/min|ms|mv|ng/ml|ug/l|pg/ml|u/ml|iu/l|u/l|miu/ml|db/m|db|hz|g/l|hu|%|°|'|mg|kg|g|s|"
    "岁|余?年|个?月|天|周|枚|个|度|点钟?|级|类|分|孔|支|颗|处|条|段|期|位"
)
_MEASURE = re.compile(rf"[<>±+\-约]?\d[\d.]*(?:\s?[x*/:\-]\s?\d[\d.]*)*\s?(?:{_UNIT})?")
_AGO = re.compile(r"\d+余?(?:年|个?月|周|天)(?:余)?前")
_PUNCTUATION = frozenset("、()[]{}\"'《》<>「」『』·:-/+*=%°.^~# _\\&|@‘’′″→↑↓±…")
_NOTHING, MEASURED, PAST, UNKNOWN = map(frozenset, (["punctuation"], ["measure"], ["historical"], ["unknown"]))
DOUBT = frozenset(("possible", "states", "doubts"))


@dataclass(slots=True)
class Clause:
    """The tokens of a clause, and the mentions that its reader made of them."""

    tokens: list[Token] = field(default_factory=list)
    mentions: list["Made"] = field(default_factory=list)

    def first(self, role: str) -> int | None:
        """Return where the first token of a role stands."""
        return next((i for i, one in enumerate(self.tokens) if role in one.roles), None)

    def has(self, role: str) -> bool:
        """Say whether a token plays a role."""
        return any(role in one.roles for one in self.tokens)

    @property
    def words(self) -> str:
        """Its words, one after the other."""
        return "".join(one.word for one in self.tokens)

    @property
    def names(self) -> bool:
        """Whether anything in it names something that may be there."""
        return any(one.names for one in self.tokens)

    @property
    def bare(self) -> bool:
        """Whether it is nothing but words of harm: it goes on with the list before it, 无压痛,反跳痛."""
        return self.names and all(one.names or one.filler for one in self.tokens)

    @property
    def calls_well(self) -> bool:
        """Whether it says of something that it is as it should be, or how large it is."""
        return any("predicates" in one.roles or one.roles is MEASURED for one in self.tokens)

    @property
    def standing(self) -> list["Mention"]:
        """The mentions of what is, or may be, there."""
        return [one.mention for one in self.mentions if one.mention.stands]


@dataclass(slots=True)
class Made:
    """A mention, and where its words stand; `soft`: what is grave of it is taken back where it is called physiological."""

    at: int
    mention: "Mention"
    soft: bool = False


def clauses_of(book: Dictionary, plain: str) -> list[Clause]:
    """Return the clauses of a sentence in plain writing, each with its tokens."""
    made, at = [Clause()], 0
    while at < len(plain):
        if plain[at] == ",":
            made.append(Clause())
            at += 1
            continue
        token = _token(book, plain, at)
        own = made[-1].tokens
        if token.roles is UNKNOWN and own and own[-1].roles is UNKNOWN and own[-1].at + len(own[-1].word) == at:
            own[-1].word += token.word
        else:
            own.append(token)
        at += len(token.word)
    return [one for one in made if one.tokens]


def _token(book: Dictionary, plain: str, at: int) -> Token:
    hit = book.match(plain, at)
    if (doubt := book.doubt.match(plain, at)) is not None and (hit is None or len(doubt[0]) >= len(hit[0])):
        return Token(doubt[0], at, DOUBT)
    if hit is None or plain[at].isdigit():
        if (ago := _AGO.match(plain, at)) is not None:
            return Token(ago[0], at, PAST)
        measured = _MEASURE.match(plain, at)
        if measured is not None and (hit is None or len(measured[0]) > len(hit[0])):
            return Token(measured[0], at, MEASURED)
    if hit is not None:
        return Token(hit[0], at, hit[1].roles, hit[1].concept, hit[1].lesion, hit[1].site)
    return Token(plain[at], at, _NOTHING if plain[at] in _PUNCTUATION else UNKNOWN)
