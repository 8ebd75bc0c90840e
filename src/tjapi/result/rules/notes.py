"""Notes of a laboratory beside a value and on a whole report: what they do to it, and of which values they speak. Pure."""

import re
from collections.abc import Sequence

from tjapi.knowledge.descriptions import MOST_READ, read
from tjapi.knowledge.lexicon import dictionary, plain_writing
from tjapi.result.rules.flags import Flag, calls_critical
from tjapi.result.rules.reading import NUMBERS
from tjapi.result.rules.values import amended, contradicted, disputes, plain, together, voids

_EITHER_WORD = ("阴性", "阳性")
_READ_WITH_ITS_NOTES: frozenset[str] = frozenset({"qualitative", "enumerated"})
"""Kinds whose words and notes are read together: what a note disputes is no word that anybody understands."""
_OF_ALL = re.compile(
    r"报告|标本|样本|血样|标签|条码|病人|患者|非本人|report|specimen|sample|label|patient", re.IGNORECASE
)


def weighs(note: str) -> bool:
    """Say whether a note changes what a value means: takes it back, puts another in its place, speaks against a word, calls it critical."""
    return (
        voids(note)
        or calls_critical(note)
        or bool(amended((), note))
        or any(disputes((word,), note) for word in _EITHER_WORD)
    )


def denied(kind: str, flag: Flag | None, words: Sequence[str], notes: Sequence[str]) -> bool:
    """Say whether notes beside a value take it back, or put another one in its place (`words`: as it was said, and as it is kept).

    Nor is a number normal that a note calls positive.
    """
    if kind in _READ_WITH_ITS_NOTES:
        return False
    positive = kind in NUMBERS and flag == ""
    return any(
        voids(note) or amended(words, note) or (positive and contradicted(("阴性",), note)) for note in together(notes)
    )


_SENTENCE = re.compile(r"[^。;；!！\n]+")
_ILL = r"(?:病|癌|炎|症|瘤|染|征|患者|人群|等)"
# What a laboratory says of a method, or of whoever has such a value, and of nobody in particular.
_LEGEND = re.compile(
    r"(?:升高|增高|增加|降低|减低|减少|阳性|阴性|异常|可|常|多|主要|也|亦)见于.*" + _ILL
    + r"|^(?:临床意义|参考(?:值|范围|区间)?|检测方法|方法|检测限|检出限|判读标准|结果解释|结果说明|结果判断)[:：]"
    r"|本(?:检测|检查|方法|法|试验|实验|项目|试剂|产品|报告|结果)(?:结果)?(?:仅|只|不能|不可|不作|用于|适用|可用于|阴性|阳性)"
    r"|(?:可|作为|用于|辅助|有助于).{0,20}(?:诊断|筛查|监测|判断|评估|观察).{0,6}(?:指标|参考|依据|手段|标志物|之用|检测)"
    r"|(?:[<>≤≥＜＞]|大于|小于|高于|低于|超过)\s*\d[^,，]*[,，:：]?(?:提示|考虑|表示|意味|为|应|需)"
    r"|^(?:如|若|当|凡|一旦)|阴性(?:结果)?(?:并)?不能(?:完全)?(?:排除|除外)"
)  # fmt: skip
# That a laboratory calls something critical alarms by itself (`criticals`), whatever words it takes for it.
_CALLED = re.compile(r"危急值?(?:报告|结果|通知)?|critical(?: value)?", re.IGNORECASE)

_SPECIMEN = re.compile(r"((?:标本|样[本品]|血[清浆样])[^,，。;；]{0,6})(?:黄疸|黄染)")
"""The colour of a specimen is not the person's."""


def told(note: str) -> str:
    """Return what a note says of this person: without its sentences on methods and on what such values may mean, and without 危急值."""
    spoken = (one[0].strip() for one in _SENTENCE.finditer(note))
    return "。".join(_SPECIMEN.sub(r"\1", _CALLED.sub("", one)) for one in spoken if one and not _LEGEND.search(one))


def is_grave(words: str, item_code: str = "", item_name: str = "") -> bool:
    """Say whether words that a laboratory wrote anywhere may ask for a person at once."""
    return bool(read(told(words), item_code, item_name).grave)


def grave_sentence(texts: Sequence[str], notes: Sequence[str] = ()) -> str:
    """Return the first sentence of what was said of somebody that asks for a person at once, "" if none does; of whatever item it may be.

    `texts` are read as they stand; of `notes` beside them what is said of a method, or of whoever has such a value, is none. Each is read by
    itself and all together: who writes one in several lines sends it in several. What is longer than a report is looked through no further.
    """
    left = _MOST_READ
    for text in (*together(texts), *(told(note) for note in together(notes))):
        for part in _parts(text[:left]):
            if _WORDS.search(part) and (found := read(part).grave):
                return found[0].said or found[0].words
        left = max(0, left - len(text))
    return ""


def _parts(text: str) -> list[str]:
    """Return a text in parts that are read whole; a sentence on the edge of one stands in the next as well."""
    return [text[max(0, at - _OVERLAP) : at + MOST_READ - _OVERLAP] for at in range(0, len(text), MOST_READ - _OVERLAP)]


_WORDS = re.compile(r"[\u3400-\u9fff]{2,}|[A-Za-z]{2,}")
_MOST_READ, _OVERLAP = 40_000, 300


# Words of the trade: of specimens, methods, reports, and of how somebody was measured. What is left without them is to be understood, or read.
_TRADE_WORDS = """
溶血 脂血 乳糜血 乳糜 黄疸指数 黄疸标本 凝血 凝块 凝集 采血 抽血 输液 静脉血 末梢血 指尖血 指血 血样 血浆 血清 全血 空腹血 空腹 餐后
进食 饮食 血小板聚集成团 血小板聚集 血小板 血红蛋白 红细胞 白细胞 中性粒细胞 淋巴细胞 单核细胞 中毒颗粒 缗钱状 大小不一 中心淡染区扩大
巨大血小板 散在可见 散在 偶见 分类正常 抗凝剂 抗凝 枸橼酸钠 肝素 edta 依赖性 血糖 血脂 血型 病人 患者 受检者 受检人 本人 客人 自述
病历 病区 门诊 住院 临床症状 临床医生 临床 影像学 症状 试剂 污染 干扰 量不足 标本量 标本类型 标本状态 标本 样本 合格 不合格 混浊 浑浊
离心 稀释 复查后 复查 复检 复测 复核 重复 重测 手工计数 手工 计数 镜检 显微镜 沉渣 涂片 染色 检测 检查 检验 测定 测量 方法 化学发光法
化学发光 免疫比浊 干化学 仪器 机器 自动判读 自动分析 自动 判读 结果 报告 数值 数据 参考值 参考区间 参考范围 参考 区间 范围 下限 上限
灰区 弱阳性 阳性者 阳性 阴性 初筛 确证试验 确证 待确证 确认 历史 前次 上次 变化较大 变化 一致 相符 差异 电话 通知 联系 告知 接收人
接收 医生 医师 护士 老师 检验科 实验室 第三方 外送 外院 提供 负责 仅供 综合判断 综合 判断 联合 建议 必要时 定期 随访 观察 动态 高危型
阴道镜 超声 心电图机 心电图 孕妇 孕期 妊娠 绝经后 月经期 经期 黄体期 卵泡期 哺乳期 男性 女性 成人 儿童 老年 服用 药物 避孕药 降压药
疫苗 接种后 接种 体位 坐位 卧位 左臂 右臂 左侧 右侧 上臂 袖带 偏紧 偏松 佩戴 眼镜 赤脚 穿鞋 穿衣 脱鞋 休息 分钟 小时 紧张 激动
配合欠佳 配合 欠佳 已处理 语音 清晰 时间 日期 隐血试验 隐血 试验 留尿 尿液 尿 大便 粪便 痰 寄生虫卵 管型 急诊 急查 急送 异常值
异常结果 暂停 停止 丢弃 已 未 请 经 由 为 系 因 故 及 与 做 行 后 前 再 仅 有 无 可 次 并 等 其他 其它 备注 附注 说明 轻度
中度 重度 正常 排列 本次 此 待 乙肝 丙肝 梅毒 抗体 抗原 定量 吸烟者 凝固 黏液丝 结晶 电极脱落 脱落 报警 正在 两次 一次 比较 较大 成熟 形态
"""
_TRADE = re.compile("|".join(sorted(_TRADE_WORDS.split(), key=len, reverse=True)))


def listed(note: str, item_code: str = "", item_name: str = "") -> tuple[str, ...]:
    """Return the sentences of a note that a reviewer reads: neither understood nor known as normal, and more than words of the trade."""
    unread = read(told(note), item_code, item_name).unread
    return tuple(one for one in unread if _is_strange(_TRADE.sub("，", plain_writing(one)), item_code, item_name))


_STRANGE = re.compile(r"[\u3400-\u9fff]{2,}|[a-z]{4,}")
_FOUND = re.compile("[可查镜]?见|找到|发现|检出|触及|扪及|[自主]?诉|突然|突发|大量|多处|疑|考虑")


def _is_strange(left: str, item_code: str, item_name: str) -> bool:
    """Say whether what is left of a sentence tells of something found, or holds a sign of harm, that nobody understands."""
    harm = dictionary().hazards
    return any(
        _STRANGE.search(one) and (_FOUND.search(one) or any(sign in harm for sign in one))
        for one in read(left, item_code, item_name).unread
    )


def meant(note: str, said: Sequence[tuple[str, str, bool]]) -> list[int]:
    """Return the places of the values that a note on their whole report speaks of; `said`: name, code and whether it is flagged, of each.

    Those that it names, unless it takes back the report or the specimen. Names it none, a note that calls something critical means those
    that are flagged, and any other note all of them: nobody knows which.
    """
    if voids(note) and _OF_ALL.search(note):
        return list(range(len(said)))
    words = plain(note)
    named = [
        i for i, (name, code, _) in enumerate(said) if _names(words, name) or (len(code) > 1 and _names(words, code))
    ]
    flagged = [i for i, (_, _, flagged) in enumerate(said) if flagged] if calls_critical(note) else []
    return named or flagged or list(range(len(said)))


def _names(note: str, name: str) -> bool:
    """Say whether a note holds a name; one in letters as a word of its own: CL is not in CLOTTED."""
    name = plain(name)
    if not name:
        return False
    if not name.isascii():
        return name in note
    at = note.lower().find(name.lower())
    while at >= 0:
        around = note[max(0, at - 1) : at] + note[at + len(name) : at + len(name) + 1]
        if not any(sign.isascii() and sign.isalnum() for sign in around):
            return True
        at = note.lower().find(name.lower(), at + 1)
    return False
