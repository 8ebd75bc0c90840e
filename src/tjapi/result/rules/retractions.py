"""What words beside a value do to it: they take it back, or name another one in its place. Tables, and how one clause is read. Pure."""

import re
from collections.abc import Iterator

# Between what is spoken of and what is said of it nothing may stand that says the opposite.
_GAP = "[^,未不无非没]"
_SPECIMEN = "(?:标本|样本|样品|血样|送检物|血液标本)"
_NAMING = "(?:标签|条形?码|试管|采血管|容器|管型|管子|抗凝剂|申请单|编号|号码|病人|患者|受检者|采集|采样|采血|抽血|登记|录入|加样|稀释|操作|仪器|试剂)"
_AGAIN = "(?:重新?(?:再)?[采抽留送取测做检查]|再次?(?:采血|抽血|采集|送检)|补采|复采)"
# By kind: the report is void; wrong patient, label, tube; entered or sent in error; cancelled; not to be used; the specimen is unsuitable,
# clotted, contaminated; another one is asked for; it is being measured again; nobody has verified it, or it is none at all.
_CHINESE = re.compile(
    "|".join(
        [
            r"作废|(?:检测|检验|测定|测量|本次|该项|此项|数值|质控|定标)GAP{0,4}(?:无效|失败|失控|有误(?!差)|错误(?!率)|不可[靠信用]|不准|存疑)",
            rf"(?:结果|数据|报告单?)GAP{{0,4}}(?:无效|失败|失控|不可[靠信用]|存疑|撤[销回])|{_SPECIMEN}GAP{{0,4}}(?:无效|有误(?!差)|错误|不可[靠信用])",
            rf"(?:{_SPECIMEN}|{_NAMING})GAP{{0,4}}(?:错误|有误(?!差)|不正确|使用不当|错了|错$|失败|故障)",
            rf"(?:{_SPECIMEN}|{_NAMING}|姓名|信息|身份|性别)[^,]{{0,12}}(?:不相?符|不一致|不匹配|对不上)",
            rf"错误(?:的)?(?:{_SPECIMEN}|标签|条码|患者|病人|试管|报告|结果)|张冠李戴|[弄搞拿送采抽贴取打标写录输填编换放用发]错|错[管人报]|混淆",
            r"非本人|不是本人|(?:他人|别人|另一人|其他人|其他患者)的?(?:标本|样本|血|结果|报告)|冒名|替检",
            r"录入错|误[录报发填传采标用贴]|仪器(?:故障|报[警错])",
            r"^(?:已|被|现)?(?:取消|撤[销回])$|(?:检测|检验|检查|项目|申请|医嘱|报告|结果|标本)GAP{0,4}(?:取消|撤[销回])",
            r"弃用|不予(?:采[用信]|报告|检[测验])|勿(?:使用|采[用信]|参考)|勿用|不(?:可|能|宜)(?:使用|采[用信]|报告|解读)|不可用|不可报告|无法(?:报告|检[测验]|测定)|拒[收检]",
            r"(?<!合格)(?<!不是)不合格|(?:标本|样本|血|尿|便)(?:样)?量?不足|(?:标本|样本|血)量(?:过|太)少|(?:标本|样本)GAP{0,4}不(?:适[合宜用]|宜)|(?:标本|样本)GAP{0,4}(?:退[回检]|未收到|自溶|变质|丢失)",
            rf"(?:{_SPECIMEN}|血液|全血|血浆|血清|抗凝血|管内|试管|状态:)GAP{{0,6}}(?:凝固(?!酶|法|时间|因子|点)|凝块|凝集块|凝血块|凝$)",
            r"^(?:有|见|可见|已|部分|存在|轻度|严重)?(?:小|微|大)?(?:凝块|凝固|血凝块|凝血块|凝集块)$",
            rf"(?:{_SPECIMEN}|状态:)(?:被|受|有|存在|可能|疑似?|疑被)?(?:有|被|受)?污染|(?:输液|补液|静脉液|液体|edta[-k0-9]{{0,3}}|抗凝剂|肝素)(?:可能|疑似?|有)?污染|疑GAP{{0,6}}污染|不(?:能)?排除[^,]{{0,6}}污染|输液(?:同?侧|手臂)",
            rf"(?:[需请待应须]|通知|联系|要求)[^,]{{0,6}}{_AGAIN}|(?:建议|拟)GAP{{0,4}}{_AGAIN}|^{_AGAIN}(?!后)|(?:通知|联系|护士)[^,]{{0,8}}重新?[采抽]",
            r"(?:复[查测检核]|重[测检做])(?:正在)?(?:进行)?中(?!心)|(?:正在|尚在|仍在)(?:复[查测检核]|重[测检做])|(?<!如)待(?:复[查测检核]|重[测检做])(?!后(?:结果)?(?:一致|相符))|(?:复[查测检核]|重[测检做])(?:结果)?(?:后(?:再|另)?(?:行)?(?:报告?|发)|(?:尚)?未出|另(?:行)?(?:报告?|发))",
            r"以(?:复[查检测]|更正|修正|重[测新]|新)[^,]{0,6}为准|^(?:此|本|该)?(?:结果|报告)?(?:尚)?未(?:经)?(?:审核|复核)$|^(?:结果|数据)?(?:可疑|存疑)$|待审核|^(?:此|本|该|为|系)*(?:初步|临时|暂定)(?:结果|报告)$",
            r"(?:测试|模拟|演示|试验)(?:数据|样本|标本)|仅供测试|^(?:无效|失败|错误|演示|测试)$",
        ]
    ).replace("GAP", _GAP)
)
# What a form asks of its reader, or statements of the person, which may be wrong: excused where the reader is asked to call.
_SAID_LIGHTLY = re.compile(f"(?:结果|数据|报告单?|信息|姓名|性别|年龄|身份){_GAP}{{0,4}}(?:有误(?!差)|错误(?!率)|不准)")
_ANOTHER = re.compile(
    r"[如若]|(?<![抗病糖白酶胶支衣])原(?:报告|结果|单|标本|样本|值|数据|标签|条码|检|先|来|有)|^原(?!因)|旧|上次|前次|上一|此前|先前|前一|必要时|复印|复制|涂改|转载|转借|截图|[公盖印][章]|盖公章|签[字名]"
    r"|逾期|过期作废|遗失|伪造|未经[^,]{1,8}无效|后(?:结果)?(?:一致|相符)|复核一致|[非无]误"
)
_CALL_US = re.compile(r"请(?:及时)?(?:联系|与|来电|致电|咨询)")
_NOT_EXCLUDED = re.compile(r"(?:不能|不|未能?|无法|尚未|难以)(?:完全)?(?:排除|除外)$")
_DENIED = re.compile(
    r"(?:未|不|非|无|没有?|并非|不是|无[需须]|毋须|勿需|否认|以免|避免|防止|谨防|杜绝|是否|有无|排除)(?:有|见|发现|出现|被|予以?|再|存在|任何|明显|要|必|用|需要?|的)*$"
)
_DENIED_BEHIND = re.compile(
    r"(?:标[志识记注])?\s*[:=]?\s*(?:否|无|未见|阴性|-|n|no|none|nil|absent|negative|neg|not (?:seen|detected|found|present))\W*$"
)
_ENGLISH = re.compile(
    r"\b(?:"
    r"(?:reported|entered|issued|released|resulted|posted|filed|charted|sent|registered) in error|(?<!cause )(?<!produce )(?<!give )(?<!yield )erroneous\w*"
    r"|results? (?:(?:is|are|was|were|has been|have been) )?(?:in error|wrong|incorrect|invalid|void(?:ed)?|withdrawn|retracted|questionable|not to be used)"
    r"|(?:wrong|incorrect) (?:patient|specimen|blood|sample|label|tube|container|name|id|barcode|person|site|draw|collection|order)"
    r"|mis-?label\w*|mis-?identif\w*|mis-?match\w*|unlabel\w*|label\w* (?:error|wrong|incorrect)|wbit|mix(?:ed)?[- ]?up|(?:specimens?|samples?|labels?|tubes?) (?:were |was )?(?:swapped|switched)"
    r"|(?:name|label|identity|id) (?:does not|doesn't|did not|do not) match"
    r"|clot(?:ted|s)?(?![- ]*(?:time|retraction|factor|formation|lysis|rate|wave))|contaminat\w+"
    r"|(?:not suitable|unsuitable|unacceptable|unsatisfactory)|(?:specimen|sample|integrity)[^,]{0,20} compromised|qns|quantity not sufficient"
    r"|insufficient (?:quantity|specimen|sample|volume|blood|serum|plasma|amount|material)|(?:quantity|specimen|sample|volume) (?:is |was )?(?:insufficient|inadequate)"
    r"|not reportable|unreportable|(?:do|should|must|can) ?not be (?:used|interpreted|relied|reported)|(?:do not|don't) (?:use|interpret|report|rely)|not to be used|not (?:valid|reliable)"
    r"|invalid|void(?:ed)?|cancel+ed|withdrawn|retracted|revoked|rejected|discard(?:ed)?|disregard|ignore (?:this|these|result)"
    r"|unable to (?:report|perform|test|analy\w+)|could not be (?:performed|tested|reported)|(?:test|assay|analysis) not (?:performed|done)|^not (?:performed|tested|done)"
    r"|re-?collect\w*|re-?draw\w*|resubmit\w*|new (?:specimen|sample) (?:is )?(?:required|requested|needed)|repeat (?:(?:is|was) )?(?:requested|required|needed|collection|specimen|sample|draw)"
    r"|(?:please|pls) (?:repeat|send (?:a )?new)|(?:requires?|needs?) (?:repeat|recollection)|unverified|not (?:yet )?verified|test only|for test(?:ing)? only"
    r")\b",
    re.ASCII,
)
_ENGLISH_DENIED = re.compile(
    r"\b(?:no|not|non|without|never|free of|negative for|absence of|evidence of|signs? of|need (?:to|for)|is|was) (?:\w+ )?$|\b(?:no|not|non)-?$",
    re.ASCII,
)
_NO = re.compile(r"\b(?:no|not|non|without|never|free|negative|absence)\b", re.ASCII)
_ENGLISH_ANOTHER = re.compile(
    r"\b(?:if|unless|when|without|previous|previously|prior|earlier|old|original|originally|initial|first|photocop\w+|copied|altered|signature)\b",
    re.ASCII,
)


def takes_away(clause: str) -> bool:
    """Say whether a clause takes back the value that it stands beside. `clause`: plain, in lower case, with single blanks."""
    bare = clause.replace(" ", "")
    if not _ANOTHER.search(bare):
        if any(_stands(bare, found) for found in _CHINESE.finditer(bare)):
            return True
        lightly = _SAID_LIGHTLY.search(bare)
        if lightly is not None and not _CALL_US.search(bare) and _stands(bare, lightly):
            return True
    if _ENGLISH_ANOTHER.search(clause):
        return False
    return any(_stands_in_english(clause, found) for found in _ENGLISH.finditer(clause))


def not_excluded(before: str) -> bool:
    """Say whether what stands before words says that they cannot be excluded."""
    return _NOT_EXCLUDED.search(before) is not None


def _stands(clause: str, found: re.Match[str]) -> bool:
    before, behind = clause[: found.start()], clause[found.end() :]
    if not_excluded(before):
        return True
    return _DENIED.search(before) is None and _DENIED_BEHIND.match(behind) is None


def _stands_in_english(clause: str, found: re.Match[str]) -> bool:
    before = clause[: found.start()]
    denied = _ENGLISH_DENIED.search(before)
    if denied is not None and _NO.search(before[max(0, denied.start() - 20) :]):
        return False
    return _DENIED_BEHIND.match(clause[found.end() :]) is None


# --- another value in its place ---

_PUT = re.compile(
    r"(?:(?:更正|修正|订正|改正|更改|修改|纠正|改写|改判|修订|改)后?的?(?:结果|数值|值|报告|报告结果)?应?(?:为|成|至|到)"
    r"|\b(?:corrected|amended|revised|changed)(?: (?:result|value|report))?(?: from [^ ]{1,20}(?: [a-z/%]{1,10})?)? to(?: read)?)\s*:?\s*",
    re.ASCII,
)
"""Whatever follows it is put in the place of the value."""
_MAY_PUT = re.compile(
    r"(?:(?:更正|修正|订正|改正|更改|修改|纠正|修订)后?的?(?:结果|数值|值|报告)?[:=]?|(?:应|实)(?:该)?[为是]|实际(?:结果|数值|值|测定值)?应?[为是:]"
    r"|(?:(?:复|再)[查测检核]|重[测检做]|重新[测检][测定验查]?|实测|手工(?:法|计数|分类)?|稀释后|第[二三23]次(?:测定|检测|结果)?)(?:的?(?:结果|数值|值))?[为是:=]*(?! ?(?:\d{6,}|\d{1,3} ?(?:[次遍倍天日周月年个台管份号点时分]|小时|min\b|h\b|hours?\b|days?\b)))"
    r"|正确的?(?:结果|数值|值)应?[为是:=]|\b(?:corrected|amended|revised|correct|actual|true)\b(?: (?:result|value|report))?(?: is|:|=)?|\bcorrection:?"
    r"|\b(?:repeat(?:ed)?|re-?check(?:ed)?|re-?test(?:ed)?|re-?run|manual)(?: (?:result|value|count|analysis))?(?: is|:|=)?(?! ?(?:\d{6,}|\d{1,3} ?(?:x\b|times?|min\b|h\b|hours?|days?|weeks?|months?|years?)))"
    r"|\bshould (?:be|read))\s*",
    re.ASCII,
)
"""What follows it, if it is a number or a finding, is put in the place of the value."""
_MEANT_OTHERWISE = re.compile(r"^(?:最终|终审|正式|本报告|本次|急诊|普通|final|the final)")
_OF_WHAT_SHOULD_BE = re.compile(
    r"参考|标准|正常|范围|区间|一般|单位|方法|时间|日期|试剂|地址|电话|科室|reference|normal|unit|method|time|date"
)
_MOST_PUT = 60


def put_in_place(clause: str) -> Iterator[tuple[str, bool]]:
    """Return what a clause puts in the place of a value, and whether it says so whatever it is: 更正为阳性; 更正：7.2, where it is a value."""
    for form, surely in ((_PUT, True), (_MAY_PUT, False)):
        for found in form.finditer(clause):
            said = clause[found.end() : found.end() + _MOST_PUT].strip()
            if not said or _MEANT_OTHERWISE.match(said) or _OF_WHAT_SHOULD_BE.search(clause[: found.start()]):
                continue
            yield said, surely
