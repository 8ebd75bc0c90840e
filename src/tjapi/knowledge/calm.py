"""Whether a text calls everything normal: what nobody may say beside a flag, in whatever words. Pure."""

import re
from collections.abc import Collection, Iterable

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.names import names_of
from tjapi.knowledge.words import HAN

_WHOLE = (
    "本次|此次|这次|本年度|今年|年度|健康(?=体检|检查|状况|状态|情况)|体格检查|体检|查体|检查|检验|化验|身体|全身|总体|整体|各系统|各脏器|各器官|各科室|各科|受检者|受检|"
    "本人|您|的|所有|全部|各项|各指标|各|项目|所检|所查|所测|内容|指标|结果|数据|情况|状况|状态|常规|以上|上述|上列|结论|小结|综述|总结|意见|印象|诊断|提示|显示|示|为|报告|项|"
    "经|后|目前|暂时|暂|尚|今|均|都|全都|全|皆|俱|挺|蛮|并|基本上|基本|大致|大体|一切|完全|非常|十分|很|较|总的来说|看来|在|内外科|:|是|\\d+(?=项)"
)
_NONE_OF = "未能?(?:见到?|发现|查见|查出|检出|及|触及|闻及|提示|有)|没有?(?:见到?|发现|查出)?|不见|暂?无|查无"
_PREDICATE = (
    rf"(?:{_NONE_OF})(?:明显|明确|任何|显著|特殊|严重|重大|重要|啥|什么|大|器质性|临床意义的?|有临床意义的?|可疑|的|其他|其它|有)*"
    r"(?:异常|问题|病变|疾病|病理|不适|阳性|毛病|大?碍|不正常)(?:发现|情况|改变|表现|所见|体征|征象|结果|指标|变化|之处|项目|的?地方)*"
    r"|(?:在|于)?(?:参考|正常|合格)(?:值|参考)?(?:区间|范围|水平)(?:之?内|以内)?|正常|良好|好|健康|合格|达标|无殊|无特殊|阴性|(?<=[全均都皆])阴|\(-\)|ok|符合(?:健康|正常|入职|上岗|从业|录用|录取|招聘|公务员|教师|入学|征兵|岗位|体检)*(?:标准|要求|条件)|没事"
)
_TAIL = r"(?:状态|水平|范围内?|的|了|哦|啊|请(?:您)?(?:放心|保持|继续保持)|继续保持|无需担心|勿虑)*"
_AGAIN = r"(?:恢复|降低?|下降|回落|回)(?:到|至|了)?正常(?:值|参考)?(?:区间|范围|水平)?(?:之?内|以内)?"
_CALM = re.compile(
    rf"(?:(?:{_WHOLE})*+(?:{_PREDICATE}))+?{_TAIL}"
    rf"|(?=.*(?:均|都|皆|全|各|一切|所有|指标|结果|项目|检查|身体))(?:{_WHOLE})++(?:已经?|现已)?(?:均|都|全部)?{_AGAIN}{_TAIL}"
)
_RIGHT_AGAIN = re.compile(
    r"(?:现|目前|均|都|也|已经?|基本|完全|逐渐)*"
    rf"(?:控制(?:得|情况|尚|还|较|很|比较|非常|基本)*(?:可以?|佳|理想|满意|平稳|稳定|良好|好|达标|正常)|{_AGAIN}){_TAIL}"
)
"""What is said of one thing that was not normal: 控制可, 已恢复正常."""
_DEPARTMENT = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:(?:科|室|门诊)|检查(?=:))")
_REST = re.compile(r"(?:除(?:此|上述|以上)(?:之?外|以外)?|其余|其他|其它|余者?|另外|剩余)+")
_ENGLISH = re.compile(
    r"(?:(?:all|everything|every|the|your|overall|results?|examination|exam|findings?|tests?|values?|items?|health|check|up|checkup|is|are|was|were|looks?|of|"
    r"this|other|within|in|medical|physical|completely|essentially|basically|generally|grossly|and|an?)\s+)*+"
    r"(?:normal(?:\s+(?:limits?|range|results?|findings?|examination|exam))*|unremarkable|healthy|good|fine|nad|wnl|"
    r"(?:no|nothing|without|not?\s+any|nil)\s+(?:(?:obvious|acute|significant|remarkable|major|other|clear|apparent|particular|specific|any|positive|out|of|the)\s+)*+"
    r"(?:abnormal(?:ity|ities)?|abnormal\s+findings?|ordinary|problems?|issues?|findings?|signs?|remarkable)"
    r"(?:\s+(?:was|were|is|are|been|has|have|found|detected|seen|noted|identified|observed|findings?|results?|signs?))*)"
)
_MOST_SAID = 60


def says_all_normal(text: str, *, department: bool = False, flagged: Collection[str] = ()) -> bool:
    """Say whether any sentence of a text calls everything normal, in Chinese of either writing or in English: 未见异常, 一切正常, 身体健康, All normal.

    `department`: a department's name stands for the whole (内科：未见异常). `flagged` are the names of items that are not normal: a sentence
    that calls one of these normal does so as well (血压正常). 「余未见异常」 may stand beside what is named, and only there; a sentence about
    another thing (心肺未见异常) is none.
    """
    calm = rest = False
    named = False
    for said in _sentences(text):
        if _calls_normal(said, department=department) or _calls_these_normal(said, flagged):
            calm = True
        elif (others := _REST.match(said)) is not None and _calls_normal(said[others.end() :], department=False):
            rest = True
        elif HAN.search(said) or re.search("[a-z]", said):
            named = True
    return calm or (rest and not named)


_NUMBERING = re.compile(r"^\s*[\d①-⑳一二三四五六七八九十]*\s*[、)）:：]?\s*")


def _sentences(text: str) -> Iterable[str]:
    for part in re.split(r"[\n。;；.,，!！?？|/]", simplified(text).lower()):
        said = _NUMBERING.sub("", part) if re.match(r"\s*(?:[\d①-⑳]|[一二三四五六七八九十]+、)", part) else part
        said = said.replace("：", ":").strip(" \t\u3000:()（）【】[]“”\"'*-—·「」『』")
        if said:
            yield said


def _calls_normal(said: str, *, department: bool) -> bool:
    if len(said) > _MOST_SAID:
        return False
    if not HAN.search(said):
        return _ENGLISH.fullmatch(re.sub(r"[\s\-:]+", " ", said).strip()) is not None
    plain = re.sub(r"[\s\u3000]", "", said)
    if department and (own := _DEPARTMENT.match(plain)) is not None:
        plain = plain[own.end() :].lstrip(":")
    return _is_calm(plain)


def _is_calm(plain: str) -> bool:
    return bool(plain) and _CALM.fullmatch(plain) is not None


def _is_right(plain: str) -> bool:
    return _is_calm(plain) or _RIGHT_AGAIN.fullmatch(plain) is not None


def _calls_these_normal(said: str, flagged: Collection[str]) -> bool:
    """Say whether a sentence calls one of these items normal, by its name or by what several are called together."""
    plain = re.sub(r"[\s\u3000]", "", said)
    if len(plain) > _MOST_SAID:
        return False
    for name in names_of(flagged):
        at = plain.find(name)
        if at < 0 or (at and plain[at - 1] in "低高非"):
            continue
        rest = plain[at + len(name) :]
        if any(_is_right(rest[start:]) and _only_names(rest[:start]) for start in range(len(rest))):
            return True
    return False


def _only_names(between: str) -> bool:
    """Say whether what stands between a name and 正常 are other names of an enumeration, and nothing that is said of the first."""
    if not between:
        return True
    names = re.split("[、和及与:]", between)
    return names[0] in ("", "值", "水平", "测量", "检查", "检测", "控制") and not re.search(
        "[高低升降增减异阳]", between
    )


def is_unjudged_text(kind: str, flag: str | None, text: str) -> bool:
    """Say whether a value is a description that nobody judged: no normal text, no person said what it is, and more than 未见异常."""
    said = list(_sentences(text))
    return (
        kind == "text"
        and flag is None
        and bool(text.strip())
        and not (said and all(_calls_normal(one, department=False) for one in said))
    )
