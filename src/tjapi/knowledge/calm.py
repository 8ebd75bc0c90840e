"""Whether a text calls everything normal: what nobody may say beside a flag, in whatever words. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.names import OF_A_PART, is_glued, names_of, stands_alone
from tjapi.knowledge.words import HAN

_WHOLE = (
    "本次|此次|这次|本年度|今年|年度|健康(?=体检|检查|状况|状态|情况)|体格检查|体检|查体|检查|检验|化验|身体|全身|总体|整体|各系统|各脏器|各器官|各科室|各科|受检者|受检|"
    "本人|您|的|所有|全部|各项|各指标|各|项目|所检|所查|所测|内容|指标|结果|数据|情况|状况|状态|常规|以上|上述|上列|结论|小结|综述|总结|意见|印象|诊断|提示|显示|示|为|报告|项|主检|总检|初检|终检|综合|评估|评价|评定|判断|分析|健康(?=评估|评价)|"
    "经|后|目前|暂时|暂|尚|今|均|都|全都|全|皆|俱|挺|蛮|并|基本上|基本|大致|大体|一切|完全|非常|十分|很|较|总的来说|看来|在|亦|也|仍然|仍|依然|还|一直|始终|总|属于|属|尚属|算|内外科|:|是|[1-9]\\d*(?=项)|共计?|合计"
)
_NONE_OF = "未能?(?:见到?|发现|查见|查出|检出|检见|检测到|检测出|看到|看出|及|触及|闻及|提示|显示|示|有)|没有?(?:见到?|发现|查出|检出|看到|显示|提示)?|不见|暂?无|查无|(?:0|零|〇)(?:个|项|处)"
_WORTH = "(?:需要?|须|必须|应|值得|亟需|急需)(?:特别|进一步|立即|临床|医学|特殊)*(?:干预|处理|治疗|处置|关注|注意|警惕|重视|随访|复查|就医|就诊)"
_PREDICATE = (
    rf"(?:{_NONE_OF})(?:明显|明确|确切|确定|肯定|任何|显著|特殊|特别|严重|重大|重要|啥|什么|大|器质性|病理性|急性|临床意义的?|有临床意义的?|可疑|的|其他|其它|有|{_WORTH})*"
    r"(?:异常|问题|病变|疾病|病理|阳性|毛病|大?碍|不正常)(?:发现|情况|改变|表现|所见|体征|征象|结果|指标|变化|之处|项目|项|的?地方)*"
    r"|异常(?:项目|指标|结果|项|数)*:?(?:0|零|〇|无|没有)(?:项|个|处)?"
    r"|(?:处于|处在|位于|落在|在|于)?(?:参考|正常|合格|理想|标准|安全|健康|可接受)(?:值|参考|的)*(?:(?:区间|范围|水平|界限|限|线|状态)(?:之?内|以内|之中|里)?|之内|以内|之中)"
    r"|正常|良好|好|健康|合格|达标|理想|满意|安好|安康|康健|不错|无虞|无恙|没有?问题|无殊|无特殊|阴性|(?<=[全均都皆])阴|\([-—–−]\)?|\(阴性?\)?|ok|符合(?:健康|正常|入职|上岗|从业|录用|录取|招聘|公务员|教师|入学|征兵|岗位|体检)*(?:标准|要求|条件)|没事"
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
_STEADY = re.compile(
    rf"(?:属于?|处于|为|算|均|都|也|亦|还|仍|基本|尚|较|很|比较|一直|保持|目前|现)*(?:平稳|稳定|(?:尚|还)?可(?:以)?|适中|匀称|还好|尚好|不错|平和|理想){_TAIL}"
)
"""What is said of one thing with which one is content: 血压平稳, 血压尚可."""
_NOT_BEYOND = re.compile(
    r"(?:均|都|也|亦|并|尚|均亦|全部|目前|现)*(?:(?:未见|未提示|未显示|未出现|未有|未|没有?|无|不)(?:明显|显著|任何|病理性|异常|有)*"
    rf"(?:升高|增高|偏高|过高|超高|高|降低|减低|减少|偏低|过低|低|增多|超标|超限|异常|偏离|增快|减慢|过速|过缓)|不(?:高|低)也?不(?:高|低)){_TAIL}"
)
"""What is said of one thing that is beyond its range: 无升高, 不高."""
_DEPARTMENT = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:(?:科|室|门诊)|检查(?=:))")
_REST = re.compile(r"(?:除(?:此|上述|以上)(?:之?外|以外)?|其余|其他|其它|余者?|另外|剩余)+")
_ENGLISH = re.compile(
    r"(?:(?:congratulations|you|perfectly|totally|absolutely|entirely|fully|quite|very|so|well|in|all|everything|every|the|your|overall|results?|examination|exam|findings?|tests?|values?|items?|health|check|up|checkup|is|are|was|were|looks?|of|"
    r"this|other|within|in|medical|physical|completely|essentially|basically|generally|grossly|and|an?)\s+)*+"
    r"(?:normal(?:\s+(?:limits?|range|results?|findings?|examination|exam))*|unremarkable|healthy|good(?:\s+(?:health|condition|shape))?|excellent(?:\s+health)?|great|perfect|fine|ok|okay|nad|wnl|"
    r"(?:no|nothing|without|not?\s+any|nil)\s+(?:(?:obvious|acute|significant|remarkable|major|other|clear|apparent|particular|specific|any|positive|out|of|the)\s+)*+"
    r"(?:abnormal(?:ity|ities)?|abnormal\s+findings?|ordinary|problems?|issues?|findings?|signs?|remarkable)"
    r"(?:\s+(?:was|were|is|are|been|has|have|found|detected|seen|noted|identified|observed|findings?|results?|signs?))*)"
)
_MOST_SAID = 60


def says_all_normal(text: str, *, department: bool = False, flagged: Collection[tuple[str, str]] = ()) -> bool:
    """Say whether any sentence of a text calls everything normal, in Chinese of either writing or in English: 未见异常, 一切正常, 身体健康, All normal.

    `department`: a department's name stands for the whole (内科：未见异常). `flagged` are the items that are not normal, by name and code:
    a sentence that calls one of these normal, or not too high, does so as well (血压正常, 胆固醇不高). 「余未见异常」 may stand beside what is named, and only there; a sentence about
    another thing (心肺未见异常) is none.
    """
    calm = rest = False
    named = False
    for clauses in _sentences(text):
        names = names_of(_of_a_side(flagged, clauses))
        spoken = [said for place, said in enumerate(clauses) if not _is_of_the_rest(clauses[:place], said, flagged)]
        if _calls_these_normal(spoken, names):
            calm = True
        for place, said in enumerate(clauses):
            if names and (of := _said_of(clauses[:place], said)) and not _names_any(of, names):
                named = True  # 肌酐82，正常: of that, and of nothing that is flagged
            elif _calls_normal(said, department=department):
                calm = True
            elif (others := _REST.match(said)) is not None and _calls_normal(said[others.end() :], department=False):
                rest = True
            elif HAN.search(said) or re.search("[a-z]", said):
                named = True
    return calm or (rest and not named)


_SIDES = {"左": "右", "右": "左"}


def _of_a_side(items: Collection[tuple[str, str]], clauses: Sequence[str]) -> Collection[tuple[str, str]]:
    """Return the items of which a sentence may call one normal: that of the left side is none of 右眼眼压正常, whatever else is said of the left one."""
    said_so = [(place, said) for place, said in enumerate(clauses) if _is_calm_at_its_end(said)]
    calm = [one for place, said in said_so for one in (said, *_said_of(clauses[:place], said)[-1:])]
    side = {one for said in calm for one in "左右双两" if one in said}
    if not calm or len(side) != 1 or not (other := _SIDES.get(side.pop())):
        return items
    return [
        (name, code) for name, code in items if not name.rstrip(")）").endswith(other) and not name.startswith(other)
    ]


def _is_calm_at_its_end(said: str) -> bool:
    plain = re.sub(r"\s", "", said)
    return len(plain) <= _MOST_SAID and any(_is_right(plain[at:]) for at in range(len(plain)))


def _is_of_the_rest(before: Sequence[str], said: str, flagged: Collection[tuple[str, str]]) -> bool:
    """Say whether a clause speaks of the rest of what several are called, and whatever of these is flagged was named before it: ALT 78↑，余肝功能正常."""
    found = _REST.match(said) if before else None
    if found is None:
        return False
    rest = said[found.end() :]
    named = [names_of([item]) for item in flagged]
    concerned = [own for own in named if any(name in rest for name in own)]
    return bool(concerned) and all(_names_any(before, own) for own in concerned)


_PLAIN_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_NUMBERED = re.compile(r"\s*(?:[\d①-⑳]|[一二三四五六七八九十]+、)")
_NUMBERING = re.compile(r"\s*+[\d①-⑳一二三四五六七八九十]*+\s*+(?![项个处])[、):]?\s*")


def _sentences(text: str) -> Iterable[list[str]]:
    """Yield the sentences of a text, each in its clauses: in the simplified writing, plain widths and small letters, without their numbers."""
    for sentence in re.split(r"[\n。;!?|]", simplified(text).translate(_PLAIN_WIDTHS).lower()):
        clauses = [
            said
            for part in _CLAUSES.split(_UNIT.sub("", _BRACKETED.sub(_opened, sentence)))
            if (said := _stripped(part))
        ]
        if clauses:
            yield clauses


_CLAUSES = re.compile(r"[,，]|(?<!\d)[./]|[./](?!\d)")
_UNIT = re.compile(r"(?<=\d)\s?(?:[×*]10\^?\d{1,2}/l|[a-zμ]{1,5}/[a-z]{1,4}(?![a-z]))")
_BRACKETED = re.compile(r"\(([^()]*)\)")


def _opened(found: re.Match[str]) -> str:
    """Return what is said in brackets of what stands before them without these: 血压152/96(正常)."""
    plain = re.sub(r"\s", "", found[1])
    return plain if HAN.search(plain) and (_SUBJECTLESS.fullmatch(plain) or _STEADY.fullmatch(plain)) else found[0]


_ROUND_IT = " \t:【】[]“”\"'*-—·「」『』"


def _stripped(part: str) -> str:
    said = part
    if _NUMBERED.match(part) and (number := _NUMBERING.match(part)) is not None:
        said = part[number.end() :]
    said = said.strip(_ROUND_IT)
    if said[:1] == "(" and said.find(")") in (-1, len(said) - 1):
        said = said[1:].removesuffix(")")
    if "(" not in said:
        said = said.removesuffix(")")
    return said.strip(_ROUND_IT)


_SUBJECTLESS = re.compile(rf"(?:均|都|也|亦|皆|全部|全)*(?:{_PREDICATE}){_TAIL}")
_NOTHING_BUT_THE_WHOLE = re.compile(rf"(?:{_WHOLE})*+")


_DEVIATES = re.compile("[升增偏过]高|降低|减低|偏低|增多|减少|异常|阳性|超标|[↑↓]")


def _said_of(before: Sequence[str], said: str) -> Sequence[str]:
    """Return the clauses of which one without a subject is said: those before it in its sentence, back to one that deviates.

    None where it has a subject, or where these tell of nothing in particular.
    """
    if _SUBJECTLESS.fullmatch(re.sub(r"\s", "", said)) is None:
        return ()
    first = max((i for i, one in enumerate(before[:-1], 1) if _DEVIATES.search(one)), default=0)
    own = before[first:]
    particular = any(_NOTHING_BUT_THE_WHOLE.fullmatch(re.sub(r"\s", "", one)) is None for one in own)
    return own if particular else ()


def _names_any(clauses: Iterable[str], names: Collection[str]) -> bool:
    return any(_names_it(said, name) for said in clauses for name in names)


def _names_it(said: str, name: str) -> bool:
    """Say whether a clause speaks of an item by a name: 非高密度脂蛋白 is no 高密度脂蛋白."""
    plain = re.sub(r"\s", "", said)
    at = plain.find(name)
    while at >= 0:
        if (stands_alone(plain, at, name) or is_glued(plain, at, name)) and not OF_A_PART.search(plain[:at]):
            return True
        at = plain.find(name, at + 1)
    at = said.find(name)
    return at >= 0 and (" " in name or (stands_alone(said, at, name) and not OF_A_PART.search(said[:at])))


def _calls_normal(said: str, *, department: bool) -> bool:
    if len(said) > _MOST_SAID:
        return False
    if not HAN.search(said):
        return _ENGLISH.fullmatch(_spaced(said)) is not None
    plain = re.sub(r"\s", "", said)
    if department and (own := _DEPARTMENT.match(plain)) is not None:
        plain = plain[own.end() :].lstrip(":")
    return _is_calm(plain)


def _is_calm(plain: str) -> bool:
    return bool(plain) and _CALM.fullmatch(plain) is not None


def _is_right(plain: str) -> bool:
    return _is_calm(plain) or any(form.fullmatch(plain) for form in (_RIGHT_AGAIN, _NOT_BEYOND, _STEADY))


def _calls_these_normal(clauses: Iterable[str], names: Collection[str]) -> bool:
    """Say whether a sentence calls something normal by one of these names; a clause that is nothing but a name is of an enumeration: TC/TG 正常."""
    listed = ""
    for said in clauses:
        plain = re.sub(r"\s", "", said)
        if plain in names:
            listed += f"{plain}、"
            continue
        if any(_calls_it_normal(one, name) for one in {listed + plain, said} for name in names if name in one):
            return True
        listed = ""
    return False


_WISHED = re.compile(
    "建议|请|应|须|宜|将|使|把|保持|维持|控制|力争|争取|尽量|目标|直至|复查至|若|如|待|既往|去年|上次|上年|往年|平时|平素|自测|家庭|家测|曾"
)
"""What stands before a name that is to be normal, or was at another time: 建议将血压控制在正常范围, 去年血压正常."""


def _calls_it_normal(said: str, name: str) -> bool:
    if len(said) > _MOST_SAID:
        return False
    at = said.find(name)
    while at >= 0:
        alone = stands_alone(said, at, name) or is_glued(said, at, name)
        if alone and not OF_A_PART.search(said[:at]) and not _WISHED.search(said[:at]):
            rest = said[at + len(name) :]
            plain = re.sub(r"\s", "", rest)
            if not HAN.search(rest) and _ENGLISH.fullmatch(_spaced(rest)):
                return True
            if any(_is_right(plain[start:]) and _only_names(plain[:start]) for start in range(len(plain))):
                return True
        at = said.find(name, at + 1)
    return False


_BESIDE_A_NAME = frozenset(
    ("", "值", "均值", "平均值", "水平", "测量", "测量值", "检查", "检测", "检验", "控制", "结果", "指标", "数值", "计数", "浓度", "含量", "情况", "方面", "项目", "各项", "全套", "三项", "四项", "五项", "六项", "七项")
)  # fmt: skip


_BESIDE_IT = re.compile("^(?:血压|心率|脉搏|体温|呼吸|血脂|血糖|尿酸|肝功能?|肾功能?|体重|身高)+")
"""Names that stand beside another without a mark: 血压心率均正常."""
_VALUE = re.compile(
    r"^(?:测?值)?(?:\([a-z-]{1,8}\))?[:=为是约]{0,2}\d[\d./]*(?:[×*]10\^?\d{1,2})?(?:%|℃|次/分|[a-zμ]{1,5}(?:/[a-zμ0-9.²]{1,8})?)?"
)
"""The figure between a name and what is said of it: 血压152/96mmHg正常."""


def _only_names(between: str) -> bool:
    """Say whether what stands between a name and 正常 are other names of an enumeration, and nothing that is said of the first."""
    if not between:
        return True
    names = re.split("[、和及与:]", _VALUE.sub("", _BESIDE_IT.sub("", between.strip("()"))))
    if between[0] == ":" and len(between) > 1 and names[-1] != "":
        return False  # 尿常规：蛋白正常 is said of the part that it names
    return names[0] in _BESIDE_A_NAME and not re.search("[高低升降增减异阳不未非欠没无]", between)


def _spaced(said: str) -> str:
    return re.sub(r"[\s\-:]+", " ", said).strip()


def called_normal(text: str) -> Iterable[tuple[str, str]]:
    """Yield what a text calls normal in particular, with its clause, in plain writing: (左耳听力, 左耳听力正常). What is wished or was so once is none.

    A clause without a subject (肌酐82，正常) is said of those before it in its sentence; 余 and what calls everything normal are no subject.
    """
    for clauses in _sentences(text):
        for place, said in enumerate(clauses):
            plain = re.sub(r"\s", "", said)
            if len(plain) > _MOST_SAID or not HAN.search(plain) or _is_calm(plain):
                of = _said_of(clauses[:place], said)
                if of:
                    yield ",".join(of), said
                continue
            start = next((at for at in range(1, len(plain)) if _is_right(plain[at:])), None)
            subject = _as_written(said, start) if start is not None else ""
            if not subject or _REST.match(subject) or _WISHED.search(subject) or subject[-1] in "未不没非欠":
                continue
            yield subject, said


def _as_written(said: str, length: int) -> str:
    """Return the beginning of a clause that has so many characters without its blanks."""
    places = [at for at, char in enumerate(said, 1) if not char.isspace()]
    return said[: places[length - 1]]


def is_unjudged_text(kind: str, flag: str | None, text: str) -> bool:
    """Say whether a value is a description that nobody judged: no normal text, no person said what it is, and more than 未见异常."""
    said = [one for clauses in _sentences(text) for one in clauses]
    return (
        kind == "text"
        and flag is None
        and bool(text.strip())
        and not (said and all(_calls_normal(one, department=False) for one in said))
    )


_PART_OF_THE_BODY = (
    "(?:双|左|右|侧|上|下|前|后|内|外|全|各|及|和|与|、|均|都|皆|的|之|部|区|处|段|叶|缘|"
    "心脏|心界|心率|心律|心音|心|肺|肝|胆囊|胆道|胆|胰腺|胰|脾脏|脾|肾脏|肾|输尿管|膀胱|前列腺|子宫|附件|卵巢|宫颈|阴道|外阴|乳腺|乳房|甲状腺|腮腺|"
    "腹部|腹壁|腹|胸廓|胸部|胸|颈部|颈|颈动脉|动脉|静脉|血管|弹性|头颅|头|面|五官|脊柱|脊椎|四肢|关节|肢|手|足|脚|皮肤|黏膜|粘膜|巩膜|结膜|角膜|虹膜|晶状体|晶体|眼底|眼压|眼睑|眼球|眼|瞳孔|视盘|"
    "外耳道|耳道|鼓膜|耳|鼻腔|鼻中隔|鼻咽|鼻窦|鼻甲|鼻|咽喉|咽|喉|声带|扁桃体|口腔|口|唇|舌|牙龈|牙周|牙齿|牙列|牙|齿|颞颌|"
    "淋巴结|浅表|神经|系统|反射|生理|肛门|直肠|外生殖器|生殖器|睾丸|肌力|肌张力|呼吸音|呼吸|肠鸣音|听力|嗅觉|色觉|视野|发育|营养|神志|精神|步态|皮疹|肋|"
    "听诊|触诊|叩诊|视诊|指诊|查体|体检|检查|超声|彩超|心电图|形态|大小|位置|结构|功能|活动度|活动|运动|状况|情况|测定)*"
)
_NO_MORE_THAN = (
    "(?:压痛|反跳痛|叩击痛|叩痛|触痛|肌紧张|包块|肿块|肿物|结节|肿大|肿胀|干湿性?啰音|[干湿]性?啰音|啰音|杂音|额外心音|胸膜摩擦音|水肿|浮肿|畸形|黄染|皮疹|出血点|瘀斑|充血|红肿|异常分泌物|分泌物|渗出|溃疡|"
    "静脉曲张|疝|占位|积液|斑块|狭窄|病理征|病理反射|震颤|偏斜|偏曲|异常搏动|异常|疼痛|不适)"
)
_AS_USUAL = re.compile(
    rf"{_PART_OF_THE_BODY}(?:(?:未见|未触及|未扪及|未及|未闻及|未查及|未引出|未发现|无|没有)(?:明显|明确|病理性|异常)*{_PART_OF_THE_BODY}{_NO_MORE_THAN}(?:[、及和或与]{_NO_MORE_THAN})*"
    rf"|(?:{_PREDICATE}){_TAIL}|平软|柔软|(?<=腹)软|清晰|对称|居中|(?<=心律)齐|(?<=心率)齐|(?<=呼吸音)清|(?<=活动)自如|(?<=活动)自由|(?<=反射)存在|(?<=肋)下?(?:未触及|未及|未扪及))"
)


def says_only_normal(text: str) -> bool:
    """Say whether every clause of a text calls what it is about normal, and nothing else: 心肺听诊未见异常; 腹部平软，无压痛.

    Such a line is no finding. What is said of anything that is no part of the body (甲状腺结节大小正常), and what nobody can be sure of, is one.
    """
    clauses = [re.sub(r"\s", "", said) for said in (one for clauses in _sentences(text) for one in clauses)]
    return bool(clauses) and all(
        len(said) <= _MOST_SAID and (_calls_normal(said, department=True) or _AS_USUAL.fullmatch(said) is not None)
        for said in clauses
    )


_SAYS_ITSELF = 2


def calls_unexamined_normal(
    text: str, unexamined: Collection[tuple[str, str]], examined: Collection[tuple[str, str]], told: str = ""
) -> bool:
    """Say whether a text calls something normal by the name of items that nobody examined, each given by name and code: 双耳听力正常.

    A name that an item has which was examined is that one's: 肝脏 of its ultrasound beside a palpation that was refused; so is one of which
    that tells, in the words `told`: 附件 of an ultrasound.
    """
    names = {name for name in names_of(unexamined) - names_of(examined) if len(name) < _SAYS_ITSELF or name not in told}
    if not names:
        return False
    return any(
        _calls_these_normal(clauses, names)
        or any(_AS_USUAL.fullmatch(re.sub(r"\s", "", said)) and _names_any((said,), names) for said in clauses)
        for clauses in _sentences(text)
    )
