"""The two pages that people open: what became of a printed report, and the owner's report on a phone. No script, nothing from elsewhere."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.knowledge.words import CALLED
from tjapi.report.schemas import VerificationOut

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}  # fmt: skip
_WORDS: Mapping[str, Mapping[str, Any]] = {
    "zh": {
        "title": "体检报告验证", "genuine": "真实有效", "superseded": "已有新版本", "recalled": "已撤回", "unknown": "查无此报告",
        "outdated": "有更新，报告修订中",
        "genuine_more": "此码由本院签发，对应下列报告的有效版本。", "superseded_more": "此码由本院签发，但报告已被新版本取代，请以新版本为准。",
        "outdated_more": "此码由本院签发。签发后有结果补充或更正，医院正在修订，请等待新版本。",
        "recalled_more": "此码由本院签发，报告后已撤回，请勿使用。", "unknown_more": "本院没有签发过带有此二维码的报告。",
        "compare": "请与手中的报告逐项核对", "name": "姓名", "digest": "校验码", "no_digest": "早期版本未印校验码",
        "compare_more": "二维码可以被复制到伪造的纸上。上列任何一项与纸面不符，手中的报告就不是本院签发的这一份。体检号与校验码印在报告每一页的页脚。",
        "compare_file": "各项相符而对纸上的数值仍有疑问，请本人在手机上打开报告核对，或向本院查询。手中若是 PDF 文件，其 SHA-256 应以下列字符开头：",
        "outdated_note": "有结果在签发后补充或更正，医院正在修订这份报告。新版本发布后请以新版本为准。",
        "undetermined": "未判定", "others": "其他异常", "others_more": "以下结果异常，未单独列出结论。请带本报告请医生一并判断，不要等到不适再就诊。",
        "undetermined_more": "“未判定”的结果既不表示正常，也不表示异常：没有适用的参考范围，或不能按参考范围判读。", "remark": "备注", "called": CALLED,
        "open_one": "已判定的项目未见明显异常，另有结果未判定，见各科室结果。", "open_all": "各项结果未判定，见各科室结果。",
        "described": "检查所见详见各科室结果。", "open_described": "有结果未判定，检查所见详见各科室结果。", "nothing": "本次体检未检查任何项目。", "stale": "已过期，待更新",
        "version": "版本", "published": "签发时间", "recalled_at": "撤回时间", "other": "English", "other_lang": "en",
        "report": "健康体检报告", "exam_no": "体检号", "date": "体检日期", "conclusions": "主检结论与建议", "none": "本次体检所检项目未见明显异常。", "usual": "",
        "examined_by": "检验者", "verified_by": "审核者", "reported_at": "报告时间",
        "abnormal": "异常结果", "trends": "历次趋势", "departments": "各科室结果", "summary": "小结", "lifestyle": "生活指导", "pdf": "下载盖章 PDF",
        "range": "参考", "gone": "报告已撤回", "gone_more": "医院已撤回这份报告。新的版本发布后可再次查看。", "expired": "链接已失效",
        "expired_more": "链接已过期或不完整，请在小程序中重新打开。", "note": "本页只供本人查看。", "high": "↑ 偏高", "low": "↓ 偏低", "abnormal_flag": "异常",
        "replaced": "已有新版本", "replaced_more": "这份报告已被新版本取代，请在小程序中打开新版本。", "chinese": "", "person": "受检者", "contents": "目录",
        "critical": "危急", "urgent": "须尽快处理", "critical_high": "↑ 危急", "critical_low": "↓ 危急", "change": "较上次", "results": "相关结果", "abnormal_count": "项异常",
        "unperformed": "未检项目", "see_abnormal": "主检未另列结论，请见其他异常。", "signed": "主检医师",
        "figure": {"检查项目": "检查项目", "异常结果": "异常结果", "主检结论": "主检结论", "危急值": "危急值", "须立即就医": "须立即就医", "未判定": "未判定", "须尽快处理": "须尽快处理", "未检项目": "未检项目"},
    },
    "en": {
        "title": "Report verification", "genuine": "Genuine", "superseded": "Superseded", "recalled": "Recalled", "unknown": "Unknown",
        "outdated": "Being amended", "genuine_more": "This hospital issued the code, for the report below; it is the version in force.",
        "superseded_more": "This hospital issued the code, but a later version has taken the report's place.",
        "outdated_more": "This hospital issued the code. Results came or were corrected afterwards; wait for the new version.",
        "recalled_more": "This hospital issued the code and has since recalled the report. Do not use it.",
        "compare": "Compare with the report in your hands", "name": "Name", "digest": "Check code", "no_digest": "not printed on early versions",
        "compare_more": "A code can be copied onto a forged paper. If anything above differs from the paper, it is not the report that this hospital issued. The exam number and the check code stand at the foot of every page.",
        "compare_file": "If everything agrees and you still doubt a figure, let its owner open the report on a phone, or ask the hospital. If you hold a PDF file, its SHA-256 must begin with:",
        "outdated_note": "Results came or were corrected after this report was issued, and the hospital is amending it. Go by the new version once it is published.",
        "undetermined": "not judged", "others": "Other abnormal results",
        "others_more": "These results are abnormal; no separate conclusion was drawn of them. Take this report to a doctor who judges them together; do not wait until you feel unwell.",
        "undetermined_more": "Results that are not judged are neither normal nor abnormal: no range applies, or they cannot be compared with it.",
        "remark": "Remark", "called": {"person": "called abnormal by a doctor", "laboratory": "flagged as abnormal by the laboratory"}, "open_one": "What could be judged is normal; some results are not judged, see the departments.",
        "open_all": "The results are not judged; see the departments.", "described": "See the departments for what was described.", "nothing": "Nothing was examined.",
        "open_described": "Some results are not judged; see the departments for these and for what was described.", "stale": "out of date, to be updated",
        "unknown_more": "This hospital has issued no report with this code.",
        "version": "Version", "published": "Issued", "recalled_at": "Recalled", "other": "中文", "other_lang": "zh",
        "report": "Health examination report", "exam_no": "Exam no.", "date": "Date", "conclusions": "Conclusions and advice",
        "none": "Nothing out of the ordinary was found.",
        "examined_by": "Examined by", "verified_by": "Verified by", "reported_at": "Reported",
        "usual": "None of the {} items examined was abnormal, and nothing that was found needs action. This speaks only of what was examined, as it was then; if you feel unwell, see a doctor.", "abnormal": "Abnormal results", "trends": "Trends", "departments": "Results by department",
        "summary": "Summary", "lifestyle": "Lifestyle", "pdf": "Download the sealed PDF", "range": "range", "gone": "Report recalled",
        "gone_more": "The hospital has recalled this report. It can be read again once a new version is published.", "expired": "Link expired",
        "expired_more": "The link has expired or is incomplete. Open the report in the mini-program again.",
        "note": "For the owner's eyes only.", "high": "↑ high", "low": "↓ low", "abnormal_flag": "abnormal", "replaced": "A later version exists",
        "replaced_more": "A later version has taken this report's place. Open it in the mini-program.",
        "chinese": "The medical content is shown in Chinese, as the hospital issued it.", "person": "Examinee", "contents": "Contents",
        "critical": "critical", "urgent": "see to it today", "critical_high": "↑ critical", "critical_low": "↓ critical", "change": "since the last exam", "results": "Based on",
        "abnormal_count": "abnormal", "unperformed": "Not examined", "see_abnormal": "No conclusion was drawn; see the other abnormal results.", "signed": "Signed by",
        "figure": {"检查项目": "items", "异常结果": "flagged", "主检结论": "findings", "危急值": "critical", "须立即就医": "see a doctor at once", "须尽快处理": "urgent", "未判定": "not judged", "未检项目": "not done"},
    },
}  # fmt: skip
_FLAG = {
    "high": "high",
    "critical_high": "critical_high",
    "low": "low",
    "critical_low": "critical_low",
    "critical": "critical",
    "abnormal": "abnormal_flag",
    "undetermined": "undetermined",
}
_LATER = {
    "others": [], "usual": False, "undetermined": 0, "described": 0, "all_judged_normal": None, "some_judged_normal": None, "digest": "", "overview_stale": False,
}  # fmt: skip
"""What the data of earlier releases did not say."""
_WIDE, _TALL, _EDGE = 320.0, 120.0, 12.0
_ROOF = 2 * _EDGE
"""Above the highest point there is room for its value."""


class _Pages(Environment):
    """Templates over plain data: `item.value` is the key of a dict at once, and not an attribute that is missed first."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a key of a dict, or what jinja finds."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_ENVIRONMENT = _Pages(
    loader=PackageLoader("tjapi.report", "pages"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def language(asked: str | None, accepted: str) -> str:
    """Return zh or en: what was asked for, else what the browser prefers, else zh."""
    if asked in _WORDS:
        return str(asked)
    first = accepted.split(",", 1)[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def verification(found: VerificationOut, hospital: str, lang: str) -> HTMLResponse:
    """Return the page that a QR code leads to: the verdict, and what to compare with the paper, and nothing else."""
    return _page(
        "verify.html.j2", lang, hospital=hospital, found=found, published=_moment(found.published_at), recalled=_moment(found.recalled_at)
    )  # fmt: skip


def report(data: Mapping[str, Any], lang: str, pdf_url: str, *, outdated: bool) -> HTMLResponse:
    """Return the owner's report for a phone, of the data that the document was made of; it says where that is being amended."""
    charts = [{**t, "svg": _chart(t), "bounds": _bounds(t)} for t in data["trends"]]
    return _page(
        "report.html.j2", lang, hospital=data["hospital"]["name"], data={**_LATER, **data}, charts=charts, pdf_url=pdf_url, outdated=outdated, words=_FLAG,
        calm=_calm({**_LATER, **data}), person=_person(data["person"], lang), page_lang="zh-CN" if lang == "zh" else "en",
    )  # fmt: skip


def _calm(data: Mapping[str, Any]) -> str:
    """Return which sentence may stand where nothing was concluded and nothing is flagged: calm only where everything was judged and normal."""
    if data["usual"]:
        return "usual"
    some = data["all_judged_normal"] if data["some_judged_normal"] is None else data["some_judged_normal"]
    if not any(department["groups"] for department in data["departments"]):
        return "nothing"
    if data["described"]:
        return "open_described" if data["undetermined"] else "described"
    if data["undetermined"]:
        return "open_one" if some else "open_all"
    return "described" if data["all_judged_normal"] is False else "none"


_SEX = {"男": "male", "女": "female", "未知": "sex unknown"}
_AGE = {"岁": "year", "个月": "month", "天": "day"}


def _person(person: Mapping[str, Any], lang: str) -> str:
    """Return sex and age in the language of the page."""
    if lang == "zh":
        return f"{person['sex']}　{person['age']}"
    found = re.fullmatch(r"(\d+)(岁|个月|天)", person["age"])
    age = f"{found[1]} {_AGE[found[2]]}{'s' if found[1] != '1' else ''}" if found is not None else person["age"]
    return f"{_SEX.get(person['sex'], person['sex'])}, {age}"


def notice(kind: str, hospital: str, lang: str, status: int) -> HTMLResponse:
    """Return a page that says why there is nothing to see: `gone`, `replaced` or `expired`."""
    return _page("notice.html.j2", lang, status=status, hospital=hospital, kind=kind)


def _page(template: str, lang: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    html = _ENVIRONMENT.get_template(template).render(t=_WORDS[lang], lang=lang, **values)
    return HTMLResponse(html, status_code=status, headers=_HEADERS)


def _bounds(trend: Mapping[str, Any]) -> str:
    low, high = trend["low"], trend["high"]
    if low is not None and high is not None:
        return f"{low}–{high}"
    return f"≤ {high}" if high is not None else f"≥ {low}" if low is not None else ""


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""


def _chart(trend: Mapping[str, Any]) -> dict[str, Any]:
    """Return the points of a line drawing, scaled to its box; the normal range as a band."""
    values = [float(p["value"]) for p in trend["points"]]
    bounds = [float(b) for b in (trend.get("low"), trend.get("high")) if b is not None]
    least, most = min([*values, *bounds]), max([*values, *bounds])
    span = (most - least) or 1.0

    def up(value: float) -> float:
        return round(_TALL - _EDGE - (value - least) / span * (_TALL - _EDGE - _ROOF), 1)

    step = (_WIDE - 6 * _EDGE) / max(len(values) - 1, 1)
    points = [
        {
            "x": round(3 * _EDGE + i * step, 1),
            "y": up(v),
            "value": p["value"],
            "label": p["label"],
            "short": p["label"][:7],
            "flag": bool(p["flag"]),
            "kind": p["flag"],
        }
        for i, (v, p) in enumerate(zip(values, trend["points"], strict=True))
    ]
    top = up(float(trend["high"])) if trend.get("high") is not None else 0.0
    bottom = up(float(trend["low"])) if trend.get("low") is not None else _TALL
    line = " ".join(f"{p['x']},{p['y']}" for p in points)
    return {
        "points": points,
        "line": line,
        "top": top,
        "band": round(max(bottom - top, 0.0), 1),
        "wide": _WIDE,
        "tall": _TALL,
    }
