"""What a description says: of which finding, at which site, and whether it is there. One reading of descriptive texts, driven by the dictionary. Pure.

A text is read sentence by sentence and clause by clause into mentions: concept, site, assertion, size, grade and the words that made them. What is
neither understood nor known as normal is kept as `unread`: a person reads it. The words are data (`dictionary`); how they act on each other is
here. A cue of denial holds for the list that follows it, up to a word that states or the end of its clause; 待排 and 可能 for their clause; 术后 and
病史 for what stands before them, 既往 and 陈旧 for what stands behind. Rather one sentence too many that a person reads than one that nobody does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from tjapi.knowledge.assertions import assertions_of, denies_all, deny, rules_out
from tjapi.knowledge.grades import BARE, LACKING, PLAIN, SCHEMED, scheme_of, schemed
from tjapi.knowledge.lexicon import Concept, Dictionary, dictionary, plain_writing
from tjapi.knowledge.mentions import ASSERTIONS, STANDING, Assertion, Description, Mention
from tjapi.knowledge.sentences import Sentence, sentences_of
from tjapi.knowledge.sizes import figured, give_sizes, sizes_in
from tjapi.knowledge.tokens import MEASURED, Clause, Made, Token, clauses_of

__all__ = ["ASSERTIONS", "MOST_READ", "STANDING", "Assertion", "Description", "Mention", "read"]

MOST_READ = 6000
"""So many characters of a text are read; what is longer is listed for a person."""


@lru_cache(maxsize=4096)
def read(text: str, item_code: str = "", item_name: str = "") -> Description:
    """Read a description; `item_code` says of what it speaks where a sentence names no site, `item_name` which scheme its categories are of."""
    book = dictionary()
    site = book.of_item.get(item_code, "")
    reader = _Reader(
        book,
        site,
        scheme_of(item_name) or scheme_of(item_code) or book.scheme_at.get(site, ""),
        plain_writing(text[:MOST_READ]),
    )
    found: list[Mention] = []
    unread: list[str] = []
    before = 0
    for sentence in sentences_of(book, text[:MOST_READ]):
        mentions, understood = reader.sentence(sentence)
        if reader.ruled_out:
            found[before:] = [
                replace(one, assertion="absent") if one.assertion == "possible" else one for one in found[before:]
            ]
        before = len(found)
        found += mentions
        if not understood:
            unread.append(sentence.said)
    if len(text) > MOST_READ:
        unread.append(f"{text[MOST_READ : MOST_READ + 60]}…")
    if item_code in book.past_items:
        return Description(tuple(replace(one, assertion="historical") if one.stands else one for one in found))
    return Description(tuple(found), tuple(dict.fromkeys(unread)))


# --- reading a sentence ---

_AGED = frozenset(("绝经后", "老年性", "老年性改变", "绝经期", "绝经", "老年", "年龄相关", "绝经后改变"))  # fmt: skip
_MENOPAUSE = re.compile("(?<!未)绝经(?!前)")
_OF_AGE = frozenset(("ATROPHY", "DEGENERATION"))
"""What is as it should be at an age, where a sentence says that it is of that age."""
_NEEDED = re.compile(
    "肺纹理|血流|搏动|蠕动|反射|呼吸音|肠鸣音|胎心|显影|显示|正常|孕囊|充盈|流空|动度|意识|应答|自主呼吸"
)
"""What is missed where it is denied: 未探及血流信号, 无自主呼吸, 未见正常结构."""
_MOST_UNKNOWN = 24
_PAIR = 2
_HALF = 50
"""Under so many of a hundred a vessel's narrowing is not grave."""
_NOT_GRADED = re.compile(r"(?:未见|未探及|无|未发现)(?:明显|明确)?[a-z-]{0,6}rads[^,;]{0,8}")
"""A category of which nothing was found: 未见TI-RADS 4类及以上结节."""
_SAYS_CANCER = re.compile("癌|恶性|转移|ca|mt", re.IGNORECASE)
"""What is as grave as it sounds, whatever another thing in its sentence is graded."""
_SHARE = re.compile(r"(\d{2,3}(?:\.\d)?)\s?%")
_FELT = re.compile("[触扪及闻]")
_LIMITS = re.compile("遮挡|干扰|胀气|肠气|气体影响|声窗|颞窗|未充盈|充盈欠佳|萎缩")
"""By what something was not to be seen."""
_MAY_BE_UNSEEN = frozenset(("胰管", "主胰管", "卵巢", "左卵巢", "右卵巢", "双卵巢", "精囊", "副脾", "肾上腺"))
_MAY_BE_MISSING = frozenset(
    (
        "URETER",
        "ADNEXA",
        "PARATHYROID",
        "ADRENAL",
        "SEMINAL",
        "NODE",
        "SUPRACLAVICULAR",
        "AXILLA",
        "APPENDIX",
        "SALIVARY",
    )
)


_USUAL = frozenset(("正常", "正常范围", "正常范围内", "属正常", "为正常", "范围", "仍属正常", "均正常"))
_BESIDE = ("另", "余", "其余", "又", "同时", "此外", "还", "并见", "并可见", "并有", "尚见")
"""With what a clause begins that says something else."""
_LOWERED = "降为"
"""What takes a category back in the same breath: BI-RADS 4A类…降为3类."""


_LETTERED = frozenset(("ti", "bi"))


class _Reader:
    """Reads the sentences of one text one after the other; of which site a sentence speaks that names none, the one before it said."""

    def __init__(self, book: Dictionary, site: str, scheme: str, text: str) -> None:
        self._book, self._site, self._scheme, self._text = book, site, scheme, text
        self.ruled_out = False

    def sentence(self, sentence: Sentence) -> tuple[list[Mention], bool]:
        """Return what a sentence speaks of, and whether all of it is understood or known as normal."""
        site, clauses = self._site, clauses_of(self._book, sentence.plain)
        deny(clauses, self._book)
        self.ruled_out = bool(clauses) and rules_out(clauses)
        aged = _MENOPAUSE.search(self._text) is not None or any(
            one.word in _AGED for clause in clauses for one in clause.tokens
        )
        reach = [self._reach(clauses, k) for k in range(len(clauses))]
        calmed = [_before_doubt(clauses, k) for k in range(len(clauses))]
        for clause, beside, before in zip(clauses, reach, calmed, strict=True):
            self._read(clause, sentence, beside, before, aged=aged)
        _take_back_usual(clauses, self._book)
        _go_on_as_operated(clauses)
        understood = self._is_understood(clauses)
        grades = self._grades(",".join(clause.words for clause in clauses if not clause.has("formerly")))
        give_sizes([made for clause in clauses for made in clause.mentions], sizes_in(sentence.plain))
        stated = ",".join(map(_stated, clauses))
        found = [
            self._weighed(replace(made.mention, grades=grades), sentence.plain, beside, stated, before)
            for clause, beside, before in zip(clauses, reach, calmed, strict=True)
            for made in clause.mentions
        ]
        if _is_only_said_before(clauses):
            understood = False
        found += self._graded(grades, sentence) if _LOWERED not in stated else []
        open_at = {one.at for clause in clauses for one in clause.tokens if one.undecided}
        undecided = any(
            made.at in open_at and made.mention.stands and made.mention.known
            for clause in clauses
            for made in clause.mentions
        )
        understood = understood and not undecided and not _is_only_unseen(clauses)
        figures, named = self._figured(clauses, site, sentence)
        found += figures
        if not any(one.grave and one.stands for one in found):
            usual = _usual_clauses(clauses, self._book)
            understood = (
                understood
                and named
                and not any(_is_urgent(clause) for i, clause in enumerate(clauses) if i not in usual)
            )
        return found, understood

    def _reach(self, clauses: Sequence[Clause], at: int) -> str:
        """Return the words that may say more of what a clause names: its own and those behind it, up to another organ or what is said beside."""
        own = {one.site for one in clauses[at].tokens if one.site}
        said = clauses[at].words
        for clause in clauses[at + 1 :]:
            sites = {one.site for one in clause.tokens if one.site and one.site not in self._book.vague}
            if not sites <= own or clause.tokens[0].word.startswith(_BESIDE):
                break
            said += "," + clause.words
        return said

    def _read(self, clause: Clause, sentence: Sentence, beside: str, before: str, *, aged: bool) -> None:
        """Make the mentions of a clause; `beside` are the words that may say more of them, `before` those in the same doubt before it."""
        compared = clause.has("compared")
        for i, assertion in assertions_of(clause).items():
            token = clause.tokens[i]
            site = self._site_of(clause.tokens, i)
            concept = (
                self._book.meant(token.word, token.concept, site)
                if token.concept
                else self._book.concept_of(token.lesion, site)
            )
            if concept.weak or concept.usual:
                continue
            if assertion in STANDING and self._is_few(concept, clause.tokens, i):
                assertion = "absent"  # noqa: PLW2901 - as rare as in anybody
            grave = concept.grave and not self._is_calmed(
                concept, token, clause.tokens, i, (before if concept.known else "") + beside
            )
            mention = Mention(
                concept.code, self._name(concept, site), site, "absent" if aged and token.lesion in _OF_AGE else assertion,
                _words(sentence, token), sentence.said, grave, concept.known, compared,
            )  # fmt: skip
            soft = bool(token.lesion) and self._book.lesions[token.lesion].soft
            clause.mentions.append(Made(token.at, mention, soft))
        if not clause.names:
            # 子宫内膜厚16mm,回声不均: what is said next is of the part that was measured.
            parts = (one.site for one in reversed(clause.tokens) if self._book.whole_of.get(one.site) == self._site)
            self._site = next(parts, self._site)
        if (missed := self._missed(clause, sentence)) is not None:
            clause.mentions.append(missed)

    def _missed(self, clause: Clause, sentence: Sentence) -> Made | None:
        """Return what is there because something is not that its site never lacks: no flow in a carotid artery."""
        denial = clause.first("denies")
        if denial is None or any(
            one.names and not self._book.named(one.concept or one.lesion).weak for one in clause.tokens
        ):
            return None
        own, behind = clause.tokens[:denial], [one for one in clause.tokens[denial + 1 :] if not one.filler]
        site = next((one.site for one in reversed(own) if one.site and one.site not in self._book.vague), self._site)
        concept = self._book.concepts.get(self._book.missing_at.get(site, ""))
        if (
            concept is None
            or not behind
            or not all(one.word.startswith(concept.misses) or one.word == "信号" for one in behind)
        ):
            return None
        token = clause.tokens[denial]
        words = sentence.plain[token.at : behind[-1].at + len(behind[-1].word)]
        return Made(token.at, Mention(concept.code, concept.name, site, "present", words, sentence.said, concept.grave))

    def _is_calmed(self, concept: Concept, token: Token, tokens: Sequence[Token], at: int, beside: str) -> bool:
        """Say whether what would be grave is getting better, or stands beside words by which its mere word of harm is not."""
        of_lesion = self._book.lesions[token.lesion].calm if token.lesion else ()
        return (concept.eases and _eases(tokens, at)) or any(word in beside for word in (*of_lesion, *concept.calm))

    def _is_few(self, concept: Concept, tokens: Sequence[Token], at: int) -> bool:
        """Say whether what a token names was counted, over a time that the text tells, no oftener than in anybody."""
        if not concept.few or not any(word in self._text for word in concept.few_in):
            return False
        for i, one in enumerate(tokens[at + 1 :], at + 1):
            if one.roles is MEASURED:
                unit = one.word.lstrip("0123456789约<") or "".join(token.word for token in tokens[i + 1 : i + 2])
                number = one.word.strip("约<次个枚")
                return number.isdigit() and int(number) <= concept.few and unit[:1] in ("次", "个", "枚")
            if one.names or not (one.filler or one.roles & {"aspects", "states"}):
                return False
        return False

    def _name(self, concept: Concept, site: str) -> str:
        return concept.name if concept.known or not site else f"{self._book.sites[site]}{concept.name}"

    def _site_of(self, tokens: Sequence[Token], at: int) -> str:
        """Return the site of what a token names: the last before it in its clause, the next behind it, or that of which was spoken last."""
        near = [*(one.site for one in reversed(tokens[: at + 1]) if one.site), *(one.site for one in tokens[at + 1 :] if one.site)]  # fmt: skip
        own = next((site for site in near if site not in self._book.vague), "")
        self._site = own or self._site
        return self._site or next(iter(near), "")

    # --- grades, sizes and figures ---

    def _grades(self, plain: str) -> frozenset[str]:
        found = {schemed(one) for one in SCHEMED.finditer(_NOT_GRADED.sub("", plain))}
        plain = _NOT_GRADED.sub("", plain)
        if not found and self._scheme:
            found = {(self._scheme, schemed(one)[1]) for one in PLAIN.finditer(plain)}
        if not found and self._scheme in _LETTERED:
            found = {(self._scheme, one[0]) for one in BARE.finditer(plain)}
        return frozenset(f"{scheme}:{grade}" for scheme, grade in found)

    def _graded(self, grades: Iterable[str], sentence: Sentence) -> list[Mention]:
        """Return what the grave categories of a sentence are by themselves."""
        made = []
        for said in sorted(filter(self._is_grave_grade, grades)):
            name, _, grade = said.partition(":")
            of = self._book.schemes[name]
            words = f"{name.upper()}-RADS {grade}类"
            made.append(Mention(of.concept.code, of.concept.name, of.site, "present", words, sentence.said, True, grades=frozenset({said})))  # fmt: skip
        for name, concept in self._book.lacking.items():
            said = f"{name}:{LACKING}"
            if said in grades:
                site, words = self._book.schemes[name].site, f"{name.upper()}-RADS {LACKING}类"
                made.append(
                    Mention(concept.code, concept.name, site, "present", words, sentence.said, grades=frozenset({said}))
                )
        return made

    def _is_grave_grade(self, said: str) -> bool:
        scheme, _, grade = said.partition(":")
        return scheme in self._book.schemes and grade[:1] in self._book.schemes[scheme].grave

    def _figured(self, clauses: Sequence[Clause], site: str, sentence: Sentence) -> tuple[list[Mention], bool]:
        """Return what the figures of a sentence say, and whether all of it has a name."""
        made, named = [], True
        tokens = [token for clause in clauses for token in clause.tokens]
        operated = any(clause.has("operated") for clause in clauses)
        usual = [(clauses[i].tokens[0].at, clauses[i].tokens[-1].at + 1) for i in _usual_clauses(clauses, self._book)]
        for one in figured(self._book, tokens, site, sentence.plain, self._text):
            of = one.figure
            concept = self._book.concepts.get(of.concept)
            if not one.grave and not of.told and any(first <= one.at < last for first, last in usual):
                continue
            named = named and (concept is not None or one.grave or of.is_usual(one.number))
            if concept is None and not one.grave:
                continue
            known = concept is not None and (one.grave or not of.is_usual(one.number))
            code, name = (concept.code, concept.name) if concept is not None else ("FIGURE", of.name)
            assertion: Assertion = "postoperative" if operated else "present"
            size = one.number if of.unit == "mm" else None
            made.append(
                Mention(code, name, one.site, assertion, one.words, sentence.said, one.grave, known, size_mm=size)
            )
        return made, named

    def _weighed(self, one: Mention, plain: str, beside: str, stated: str, before: str = "") -> Mention:
        """Return a mention, grave or not by its size, its grade and the words `beside` it; `stated` is what its sentence does not deny.

        `before`: what was said in the same doubt before it, 血管瘤?12mm高回声.
        """
        concept = self._book.named(one.concept)
        large = concept.from_mm is not None and one.size_mm is not None and one.size_mm >= concept.from_mm
        grave = (one.grave or large) and not any(
            word in (before if concept.known else "") + beside for word in concept.calm
        )
        grave = grave or any(word in stated for word in concept.worse)
        if concept.from_percent is not None and (shares := [Decimal(share) for share in _SHARE.findall(plain)]):
            grave = max(shares) >= concept.from_percent or (grave and max(shares) >= _HALF)
        if concept.by_grade and one.grades and not _SAYS_CANCER.search(one.words):
            grave = any(map(self._is_grave_grade, one.grades))
        if concept.small_mm is not None and one.words.lower() in concept.small and (sizes := sizes_in(plain)):
            grave = grave and max(size for _, size in sizes) >= concept.small_mm
        settled = any(word in beside for word in concept.settled)
        grave = grave and not settled
        usual = (
            settled or any(word in beside for word in concept.unless) or any(word in plain for word in concept.usual_in)
        )
        if not grave and one.stands and usual:
            return replace(one, assertion="absent")
        return replace(one, grave=grave)

    # --- whether it is understood ---

    def _is_understood(self, clauses: Sequence[Clause]) -> bool:
        """Say whether no clause of a sentence needs a reader."""
        if any(clause.has("doubts") for clause in clauses) and not any(clause.standing for clause in clauses):
            return False  # What is not excluded was said a sentence before.
        among_well = any(
            clause.calls_well or clause.has("denies") or "advises" in clause.tokens[0].roles for clause in clauses
        )
        named = False
        usual = _usual_clauses(clauses, self._book)
        for i, clause in enumerate(clauses):
            if (i not in usual or clause.standing) and not self._needs_none(clause, named=named, among_well=among_well):
                return False
            named = named or any(one.known for one in clause.standing)
        return True

    def _needs_none(self, clause: Clause, *, named: bool, among_well: bool) -> bool:
        """Say whether a clause needs no reader: what stands in it is a concept, or nothing does and its words are known. `named`: a concept stands before it."""
        standing = clause.standing
        if standing:
            hazardous = any(
                "unknown" in one.roles and any(char in self._book.strong for char in one.word) for one in clause.tokens
            )
            return any(one.known for one in standing) and not hazardous
        denial = clause.first("denies")
        wrong = self._is_weak(clause) or (denial is not None and _is_missed(clause, denial))
        if wrong:
            return named and not (denial is not None and _misses_needed(clause, denial))
        unknown = [
            one
            for i, one in enumerate(clause.tokens[:denial])
            if "unknown" in one.roles and not (i and "denies_next" in clause.tokens[i - 1].roles)
        ]
        if not unknown or "advises" in clause.tokens[0].roles or denies_all(clause):
            return True
        if clause.has("possible") and not clause.names:
            return False
        if denial is None and _sees_something(clause):
            return False
        well = denial is not None or clause.calls_well or clause.has("operated")
        return not any(self._is_strange(one.word, well=well, among_well=among_well) for one in unknown)

    def _is_weak(self, clause: Clause) -> bool:
        """Say whether a clause only describes something that is not as it should be: 边界不清, 不清晰."""
        return any(
            (one.lesion and self._book.lesions[one.lesion].weak and not one.denied)
            or (
                "denies_next" in one.roles and i + 1 < len(clause.tokens) and "predicates" in clause.tokens[i + 1].roles
            )
            for i, one in enumerate(clause.tokens)
        )

    def _is_strange(self, word: str, *, well: bool, among_well: bool) -> bool:
        """Say whether a word that nobody knows might be harm; where its clause calls things well, only one that surely is."""
        if len(word) > _MOST_UNKNOWN:
            return True
        if well:
            return any(char in self._book.strong for char in word)
        return (len(word) > 1 and not among_well) or any(char in self._book.hazards for char in word)


def _before_doubt(clauses: Sequence[Clause], at: int) -> str:
    """Return the words of the clause before, where one of the two is in doubt and the later one speaks of no organ of its own."""
    if not at or any(one.site for one in clauses[at].tokens) or clauses[at].tokens[0].word.startswith(_BESIDE):
        return ""
    return clauses[at - 1].words + "," if clauses[at - 1].has("possible") or clauses[at].has("possible") else ""


_SEES = ("见", "可见", "探及", "探见", "示", "显示", "触及", "扪及", "可及")


def _sees_something(clause: Clause) -> bool:
    """Say whether a clause sees something that nobody knows and tells how large it is: 宫角外侧见环状回声2.1cm."""
    at = next((i for i, one in enumerate(clause.tokens) if one.word in _SEES), None)
    if at is None or any("predicates" in one.roles for one in clause.tokens):
        return False
    behind = clause.tokens[at + 1 :]
    return any("unknown" in one.roles and len(one.word) > 1 for one in behind) and any(
        one.roles is MEASURED and one.word.endswith(("mm", "cm")) for one in behind
    )


def _eases(tokens: Sequence[Token], at: int) -> bool:
    """Say whether what stands at a place is said to be less than before."""
    for one in tokens[at + 1 :]:
        if "easing" in one.roles:
            return not one.denied
        if not (one.names or one.filler or one.roles & {"compared", "between", "site", "aspects"}):
            return False
    return False


def _usual_chains(clauses: Sequence[Clause], book: Dictionary) -> list[tuple[int, int]]:
    """Return which clauses are called physiological: the first and last of each run that ends with such a word and speaks of one organ.

    椎动脉稍细,内径2.6mm,考虑先天发育 is one run; 均属生理性 is of all that was said.
    """
    found = []
    for i, clause in enumerate(clauses):
        if not (i and _calls_usual(clause)) and not _has_variant(clause):
            continue
        first = i
        of_all = any(one.word in ("均", "皆", "都") for one in clause.tokens)
        while (
            first
            and not clauses[first - 1].has("physiological")
            and (of_all or _goes_on(clauses[first - 1 : i + 1], book))
        ):
            first -= 1
        found.append((first, i))
    return found


_LOST = ("消失", "紊乱", "破坏", "不清", "欠清", "丧失", "扭曲", "中断", "异常", "失常")
_LOSES = ("失去", "丧失", "未见", "无", "未显示", "缺乏", "不见", "失")
"""Beside a word of what is as it should be these say that it is not: 正常结构消失."""
_IS = ("为", "系", "属", "即", "是", "考虑", "符合", "考虑为", "考虑系", "属于", "(", "示", "提示", "呈")
"""What stands before the name of a variant that explains what was described: 系Riedel叶."""


def _has_variant(clause: Clause) -> bool:
    """Say whether a clause calls what is spoken of physiological, or by the name of a variant."""
    return any(
        (
            "physiological" in one.roles
            and not one.names
            and not one.denied
            and not (i + 1 < len(clause.tokens) and clause.tokens[i + 1].word.startswith(_LOST))
            and not (i > 0 and clause.tokens[i - 1].word.endswith(_LOSES))
        )
        or (one.concept == "VARIANT" and i > 0 and clause.tokens[i - 1].word in _IS)
        for i, one in enumerate(clause.tokens)
    )


def _usual_clauses(clauses: Sequence[Clause], book: Dictionary) -> set[int]:
    """Return the places of the clauses of which all is called physiological."""
    return {i for first, last in _usual_chains(clauses, book) for i in range(first, last + 1)}


def _calls_usual(clause: Clause) -> bool:
    """Say whether a clause only says that what stands before it is as it should be: U波可见,正常."""
    said = [one for one in clause.tokens if not one.filler or len(one.word) > 1]
    return bool(said) and all(one.word in _USUAL for one in said)


def _goes_on(clauses: Sequence[Clause], book: Dictionary) -> bool:
    """Say whether clauses speak of one organ: none behind the first names another site, and no finding stands behind a finding."""
    first, rest = clauses[0], clauses[1:]
    own = {book.region_of.get(one.site, one.site) for one in first.tokens if one.site}
    others = {one.site for clause in rest for one in clause.tokens if one.site} - book.vague - {"NODE"}
    return (not own or all(book.region_of.get(site, site) in own for site in others)) and not any(
        {one.concept for one in clause.standing} - {one.concept for one in first.standing}
        for clause in (rest[:-1] if rest[-1].tokens[0].word.startswith(_IS) else rest)
        if first.standing
    )


def _take_back_usual(clauses: Sequence[Clause], book: Dictionary) -> None:
    """Take back what a run of clauses calls physiological, 导管增宽,为生理性; what was named last where the run names nothing.

    What is grave stays, but for what is soft, where nobody is in doubt.
    """
    for first, last in _usual_chains(clauses, book):
        run = clauses[first : last + 1]
        if not any(clause.standing for clause in run):
            run = [next((near for near in reversed(clauses[:first]) if near.standing), clauses[first])]
        sure = not any(_is_unsure(clause) for clause in clauses) and not any(
            made.mention.grave and made.mention.stands and not made.soft
            for clause in clauses
            for made in clause.mentions
        )
        for clause in run:
            for made in clause.mentions:
                if made.mention.stands and (not made.mention.grave or (made.soft and sure)):
                    made.mention = replace(made.mention, assertion="absent")


_UNSEEN = re.compile(
    "显示(?:不清|不满意|欠清|不佳|欠佳|不理想|困难)|(?:未能|不能|无法|未予?)(?:清晰)?(?:显示|评价|评估|观察|检查)|未检(?!出|见|测)"
)


_PART = re.compile("部分|局部|切面|[段叶尾头体极]部?(?:显示|因|受|被)|余|可见部")
"""A part that was not to be seen says nothing of the rest."""


def _is_only_unseen(clauses: Sequence[Clause]) -> bool:
    """Say whether all that a sentence says of an organ is that it was not to be seen: whoever concludes should know that it was not judged."""
    organ = any(one.site in _ORGANS for one in clauses[0].tokens) if clauses else False
    told = any(
        _PART.search(clause.words) or clause.mentions or clause.calls_well or clause.has("denies") for clause in clauses
    )
    return organ and not told and _UNSEEN.search(",".join(clause.words for clause in clauses)) is not None


_ORGANS = frozenset(
    (
        "LIVER",
        "GB",
        "PANC",
        "SPLEEN",
        "KIDNEY",
        "BLADDER",
        "PROSTATE",
        "UTERUS",
        "THYROID",
        "BREAST",
        "HEART",
        "LUNG",
        "BRAIN",
    )
)
"""Organs of which somebody ordered the examination; an ovary or a duct need not be seen."""


def _is_only_said_before(clauses: Sequence[Clause]) -> bool:
    """Say whether something grave was said another time, and nothing of it now: 去年提示肺癌."""
    said = any(
        made.mention.grave and made.mention.assertion == "historical"
        for clause in clauses
        if clause.has("formerly")
        for made in clause.mentions
    )
    return said and not any(
        clause.calls_well or clause.has("denies") or clause.has("denied_after") for clause in clauses
    )


_SURE = frozenset(("考虑", "考虑为", "考虑系", "符合", "多考虑", "多为", "多系"))


def _is_unsure(clause: Clause) -> bool:
    """Say whether a clause leaves open what is there, or asks somebody to see to it."""
    return any(
        ("possible" in one.roles and one.word not in _SURE and not one.denied) or "doubts" in one.roles
        for one in clause.tokens
    ) or any("urges" in one.roles and not one.names for one in clause.tokens[: clause.first("denies")])


def _go_on_as_operated(clauses: Sequence[Clause]) -> None:
    """Let what was operated on, or was, be no new finding where a clause behind it says that it is well: 裂孔激光术后,裂孔周围激光斑良好."""
    was: list[Mention] = []
    for clause in clauses:
        if clause.calls_well and not clause.has("returned") and not _is_urgent(clause):
            for made in clause.mentions:
                before = next((one for one in was if made.mention.words in one.words), None)
                if made.mention.stands and before is not None:
                    made.mention = replace(made.mention, assertion=before.assertion)
        was += [made.mention for made in clause.mentions if made.mention.assertion in ("postoperative", "historical")]


def _misses_needed(clause: Clause, denial: int) -> bool:
    """Say whether what is denied is nothing of harm, and is missed: 未探及血流信号."""
    behind = clause.tokens[denial + 1 :]
    return not any(one.names for one in behind) and _NEEDED.search("".join(one.word for one in behind)) is not None


def _is_missed(clause: Clause, denial: int) -> bool:
    """Say whether something is denied that should be there; an organ that is not felt, or a node that is not seen, need not be."""
    tokens = clause.tokens
    if _misses_needed(clause, denial):
        return True
    if "predicates" in tokens[denial].roles:
        return False
    if clause.names or any(not one.filler or len(one.word) > 1 for one in tokens[denial + 1 :]):
        return False
    listed = denial > 0 and tokens[denial - 1].word == ":" and not any(one.site for one in tokens[:denial])
    felt = _FELT.search(tokens[denial].word) is not None
    unseen = any(one.site in _MAY_BE_MISSING or one.word in _MAY_BE_UNSEEN for one in tokens[:denial])
    return not (listed or felt or unseen or _LIMITS.search(clause.words))


def _stated(clause: Clause) -> str:
    """Return the words of a clause before whatever it denies and behind what was operated on; none where it denies at its end, 眩晕无."""
    if "denied_after" in clause.tokens[-1].roles:
        return ""
    operated = max((i + 1 for i, one in enumerate(clause.tokens) if "operated" in one.roles), default=0)
    return "".join(one.word for one in clause.tokens[operated : clause.first("denies")])


def _is_urgent(clause: Clause) -> bool:
    """Say whether something makes of what is there more than it is, or asks somebody to see to it: 大量, 固定, 立即."""
    return any("urges" in one.roles for one in clause.tokens[: clause.first("denies")])


def _words(sentence: Sentence, token: Token) -> str:
    """Return the words of a token as they stand in its sentence, as far as blanks did not part them."""
    if len(sentence.plain) != len(sentence.said):
        return token.word
    return sentence.said[token.at : token.at + len(token.word)]
