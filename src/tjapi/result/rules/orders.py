"""What an order says beside its values: that it is taken back, that there are none yet, and of which specimen they are. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tjapi.result.rules.revisions import ResultStatus


@dataclass(frozen=True, slots=True)
class Disowned:
    """Why what was reported of an order may not stand, as a person is asked; `status`: what answers it is of that status at least."""

    why: str
    status: ResultStatus


TAKEN_BACK = Disowned("申请或报告已取消", "corrected")
NOT_YET = Disowned("报告状态为尚无结果", "final")
_WORDS = frozenset({
    "CANCELED", "CANCELLED", "DISCONTINUED", "WITHDRAWN", "RETRACTED", "REVOKED", "取消", "已取消", "作废", "已作废", "撤销", "已撤销", "撤回", "已撤回", "终止",
    "已终止", "退回", "已退回", "拒绝", "已拒绝",
})  # fmt: skip
# OBR-25 (HL7 table 0123; W and D of 0085): no results and the order cancelled, no order or no such person on record, wrong, deleted.
_RESULT_STATUS = frozenset({"X", "Y", "Z", "W", "D"}) | _WORDS
_NO_RESULTS = frozenset({"O", "I", "S"})
# ORC-1 (table 0119): cancelled, discontinued, held or replaced, asked for or done, by whomever; and what could not be done or accepted.
_CONTROL = frozenset({
    "CA", "OC", "CR", "UC", "DC", "OD", "DR", "UD", "HD", "OH", "HR", "UH", "RU", "RQ", "UA", "DE",
}) | _WORDS  # fmt: skip
# ORC-5 (table 0038): cancelled, discontinued, order not found, on hold, replaced.
_ORDER_STATUS = frozenset({"CA", "DC", "ER", "HD", "RP"}) | _WORDS
_OTHER_RESULT_STATUS = frozenset("ABCFIMNOPRSUV")
_OTHER_ORDER_STATUS = frozenset({"A", "CM", "IP", "SC"}) | _OTHER_RESULT_STATUS


def disowned(result_status: str, control: str, order_status: str, *, withdraws: bool = False) -> Disowned | None:
    """Return why an order's values may not stand, by its status, its control code and the status of its request; None: they may.

    Of the rest the values say themselves what they are: a part may be final while the whole (P, A, R, IP) is not. `withdraws`: all that it
    holds are withdrawals of values, of which W and D say no more.
    """
    if withdraws and result_status in ("W", "D"):
        result_status = ""
    if result_status in _RESULT_STATUS or control in _CONTROL or order_status in _ORDER_STATUS:
        return TAKEN_BACK
    return NOT_YET if result_status in _NO_RESULTS else None


def statuses_unknown(result_status: str, order_status: str) -> list[str]:
    """Return the places of statuses that nobody understands: whether they take something back, nobody knows."""
    unknown = {
        "OBR-25": bool(result_status) and result_status not in _RESULT_STATUS | _OTHER_RESULT_STATUS,
        "ORC-5": bool(order_status) and order_status not in _ORDER_STATUS | _OTHER_ORDER_STATUS,
    }
    return [place for place, is_unknown in unknown.items() if is_unknown]


# --- the specimen ---

# Codes of HL7 tables 0070 and 0487. Blood as it is drawn (BLD, WB) is what serum and plasma are made of.
_CODES: Mapping[str, tuple[str, ...]] = {
    "blood": ("BLD", "BLDV", "BLDA", "BLDC", "WB"),
    "serum": ("SER",),
    "plasma": ("PLAS", "PLB", "PPP", "PRP"),
    "urine": ("UR", "URC", "URT", "URNS", "UMED", "USUB"),
    "stool": ("STL", "FEC"),
    "breath": ("BRTH", "EXG", "EXHLD"),
    "cervix": ("CVX", "CVM"),
    "secretion": ("GEN", "GENV", "VAG", "GENL", "SECRE"),
    "another": (
        "ABS", "AMN", "ASP", "BLDCO", "BIFL", "BON", "BRO", "CALC", "CSF", "CNJT", "DIAF", "DUFL", "EAR", "FLU", "GAST", "HAR", "MAR", "MEC",
        "MILK", "NAIL", "NOS", "PLC", "PLR", "PRT", "PUS", "SAL", "SEM", "SKN", "SNV", "SPRM", "SPT", "SWT", "TEAR", "THRT", "TISS", "WND",
    ),
}  # fmt: skip
_KIND_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}
# In this order: 脐带血 is no blood of the person's own, 痰中带血 is no blood, 宫颈分泌物 is of the cervix.
_KINDS_IN_WORDS = (
    ("another", (r"脐带?血|骨髓|脑脊液|胸水|胸腔|腹水|腹腔|积液|关节液|羊水|精液|胆汁|胃液|唾液|痰|咽拭|鼻拭|口腔|脓|组织|毛发|头发|指甲|乳汁|CORD|MARROW|CSF"
     r"|CEREBROSPINAL|PLEURAL|PERITONEAL|ASCITES|SYNOVIAL|AMNIOTIC|SEMEN|SALIVA|SPUTUM|THROAT|NASAL|ORAL|TISSUE|HAIR|NAIL|FLUID")),
    ("urine", r"尿|URINE"),
    ("stool", r"粪|大便|便标本|^便$|STOOL|FA?ECES|FA?ECAL"),
    ("breath", r"呼气|呼出气|BREATH|EXHALED"),
    ("cervix", r"宫颈|CERVI"),
    ("secretion", r"分泌物|白带|阴道|SECRETION|VAGINA"),
    ("serum", r"血清|SERUM"),
    ("plasma", r"血浆|PLASMA"),
    ("blood", r"血|BLOOD"),
)  # fmt: skip
_WORD_OF_KIND = tuple((kind, re.compile(words)) for kind, words in _KINDS_IN_WORDS)
# Of a line's specimen (catalog): what may be said of it. Laboratories report one order of chemistry as serum whatever tube each test needs.
_FITS: Mapping[str, frozenset[str]] = {
    "whole_blood": frozenset({"blood"}),
    "serum": frozenset({"serum", "plasma", "blood"}),
    "plasma": frozenset({"plasma", "serum", "blood"}),
    "urine": frozenset({"urine"}),
    "stool": frozenset({"stool"}),
    "breath": frozenset({"breath"}),
    "cervical_cells": frozenset({"cervix", "secretion"}),
    "secretion": frozenset({"secretion", "cervix"}),
}
_NAMES: Mapping[str, str] = {
    "whole_blood": "全血", "serum": "血清", "plasma": "血浆", "urine": "尿", "stool": "粪便", "breath": "呼气", "cervical_cells": "宫颈细胞",
    "secretion": "分泌物",
}  # fmt: skip


def _kind(word: str) -> str | None:
    said = " ".join(unicodedata.normalize("NFKC", word).upper().replace("_", " ").split())
    coded = _KIND_OF_CODE.get(said)
    return coded or next((kind for kind, words in _WORD_OF_KIND if words.search(said)), None)


def another_specimen(said: Iterable[Sequence[str]], ours: str | None) -> str | None:
    """Return what is asked of values whose specimen, as the message names it (`said`: the words of each field), is not that of their line.

    None: it is, or nothing that we understand is said of it, or we do not know of which the line is.
    """
    fits = _FITS.get(ours or "")
    if fits is None:
        return None
    for words in said:
        for word in words:
            kind = _kind(word)
            if kind is not None and kind not in fits:
                return f"标本不符(报告为{word[:40]},应为{_NAMES[ours or '']})"
    return None


def specimen_unknown(said: Iterable[Sequence[str]]) -> bool:
    """Say whether a field names a specimen in words of which we understand none."""
    return any(words and all(_kind(word) is None for word in words) for words in said)
