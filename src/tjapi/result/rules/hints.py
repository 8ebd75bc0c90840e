"""What results say of their person that decides what else may be done with them: that she may be pregnant, that she had no intercourse. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal

from tjapi.exam.rules import NO_INTERCOURSE, PREGNANT
from tjapi.knowledge.descriptions import read
from tjapi.knowledge.rules import Known

_TESTS = {"UHCG": frozenset({"阳性", "弱阳性"})}
_AMOUNTS = {"BHCG": (Decimal(25), frozenset({"mIU/mL", "IU/L"}))}
"""From which amount a woman may be pregnant; below it, and down to the bound of the normal, it is repeated (通用做法;未核原文)."""
_SAID = {"SEXUAL-HIST": {"无": NO_INTERCOURSE}}
_CLAUSE = re.compile(r"[^,，。;；!！\n]+")
_PREGNANCY = re.compile(
    r"早孕|中孕|晚孕|孕囊|妊娠囊|胎囊|胎芽|胎心|胎儿|胎盘|羊水|活胎|宫内妊娠|异位妊娠|宫外孕|输卵管妊娠|(?:妊娠|孕|停经)\s*约?\s*\d+\s*[+＋]?\s*\d*\s*(?:周|天|w)",
    re.IGNORECASE,
)
_CONCEPTS = frozenset(("PREGNANCY", "PREGNANCY-DANGER"))
_NOT_NOW = re.compile(
    r"未[见探查及发]|没有|无|否认|(?<!不)(?<!不能)(?:排除|除外)|既往|曾|史|术后|产后|流产后|去年|年前|非妊娠|排卵"
)


def _says_pregnant(text: str, item_code: str) -> bool:
    """Say whether a description tells of a pregnancy as the dictionary reads it, or of a sign of one that is no concept by itself."""
    if any(
        one.concept in _CONCEPTS and one.stands and "末次" not in one.said for one in read(text, item_code).mentions
    ):
        return True
    return any(_PREGNANCY.search(one[0]) and not _NOT_NOW.search(one[0]) for one in _CLAUSE.finditer(text))


def hints_of(sex: str, values: Iterable[Known]) -> list[str]:
    """Return what values hint at of a woman, each with the item that says it ("pregnant:UHCG"), in order; of a man nothing.

    A positive or weakly positive test of pregnancy, an amount of hCG, and words of a pregnancy that is or may be there in any description.
    What is denied, long ago or over hints at nothing. A hint decides nothing: a person is asked.
    """
    if sex == "male":
        return []
    found: set[str] = set()
    for known in values:
        said = _SAID.get(known.item_code, {}).get(known.text.strip())
        if said is not None:
            found.add(f"{said}:{known.item_code}")
        least, units = _AMOUNTS.get(known.item_code, (None, frozenset()))
        much = least is not None and known.numeric is not None and known.numeric >= least and known.unit in units
        # Whatever the test says that is not its normal word asks a person.
        positive = known.text in _TESTS.get(known.item_code, ()) or (known.item_code in _TESTS and known.flag)
        described = (
            known.numeric is None and known.item_code not in _TESTS and _says_pregnant(known.text, known.item_code)
        )
        if much or positive or described:
            found.add(f"{PREGNANT}:{known.item_code}")
    return sorted(found)
