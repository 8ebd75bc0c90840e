"""The handbook: pages of `docs/` served offline with a search, and those of its pages that are written by the code they tell of.

`generate` returns the written pages; a test holds them against what lies in `docs/`. Nothing here asks another host for anything.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from markdown_it import MarkdownIt

from adapters.lis import hl7_mllp
from adapters.lis.contract import LabGroup, LabOrder, LabPatient, LabReport, LabTube, UnparsableReport
from tjapi.appointment.rules import MOVES as APPOINTMENT
from tjapi.appointment.rules import WAIT_MOVES
from tjapi.conclusion.rules import MOVES as CONCLUSION
from tjapi.critical_value.rules import MOVES as CRITICAL
from tjapi.employer.rules.campaigns import CAMPAIGN_MOVES, IMPORT_MOVES, MEMBER_MOVES
from tjapi.exam.rules import EXAM_MOVES, LINE_MOVES
from tjapi.guidance.rules import TICKET_MOVES
from tjapi.kernel import problem
from tjapi.kernel.docs import html_page
from tjapi.kernel.settings import PACKAGE, Settings, project_file
from tjapi.operations.rules import DICTIONARIES
from tjapi.report.rules import MOVES as REPORT
from tjapi.requisition.rules import HANDOVER_MOVES, TUBE_MOVES

FOLDER = "docs"
WRITTEN = "本页由程序生成,请勿手改(`tjapi docs write`)。\n"
MACHINES: tuple[tuple[str, str, Mapping[str, frozenset[str]]], ...] = (
    ("体检", "exam_state", EXAM_MOVES), ("组合项目", "line_state", LINE_MOVES), ("试管", "tube_state", TUBE_MOVES),
    ("交接单", "handover_state", HANDOVER_MOVES), ("排队号", "ticket_state", TICKET_MOVES),
    ("预约", "appointment_state", APPOINTMENT), ("候补", "wait_state", WAIT_MOVES),
    ("危急值", "critical_state", CRITICAL), ("主检结论", "conclusion_state", CONCLUSION),
    ("报告", "report_state", REPORT), ("团检任务", "campaign_state", CAMPAIGN_MOVES), ("名单成员", "member_state", MEMBER_MOVES),
    ("名单导入", "member_import_state", IMPORT_MOVES),
)  # fmt: skip
# What a client does about a refusal, by its status: the same for every problem of that status, beside what its own text says.
REMEDIES = {
    400: "请求格式不对:按接口文档核对后重发;原样重发没有用。",
    401: "令牌缺失或过期:用刷新令牌换新,换不到就重新登录。",
    403: "没有权限,或须先做一步(改密码、重新验证身份):见 code;原样重发没有用。",
    404: "对象不存在,或不在本账号的院区、科室之内:核对编号。",
    405: "此地址没有这个方法:见答复头 Allow。",
    406: "给不出所要的媒体类型:核对 Accept。",
    409: "与当前状态冲突:重新读取对象,按其状态决定下一步,再提交。",
    410: "已经过期或用过:重新取一个。",
    412: "别人先改了:重新读取取得新的 ETag,让人看过差异,再带 If-Match 提交。",
    413: "正文太大:分批提交。",
    415: "媒体类型不对:核对 Content-Type。",
    422: "内容不合要求:errors 逐个指出字段,改后重发。",
    428: "须带前提:补上 If-Match 或 Idempotency-Key。",
    429: "太频繁:等待答复头 Retry-After 所说的秒数再试。",
    500: "服务端错误:记下 request_id 报给运维;可用同一 Idempotency-Key 重试。",
    503: "暂时不可用:稍后用同一 Idempotency-Key 重试,间隔逐次加长。",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A message of a laboratory, and what is read of it."""

    name: str
    about: str
    text: str
    answered: str


def samples(folder: Path | None = None) -> list[Sample]:
    """Return the sample reports of `docs/hl7/*.hl7`: `#` lines say what each shows; segments end with a line feed there, a CR on the wire."""
    found = []
    for path in sorted((folder or project_file(FOLDER) / "hl7").glob("*.hl7")):
        lines = path.read_text(encoding="utf-8").splitlines()
        remarks = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
        about = " ".join(line for line in remarks if not line.startswith("ack:"))
        answered = next((line.removeprefix("ack:").strip() for line in remarks if line.startswith("ack:")), "AA")
        text = "\n".join(line for line in lines if line and not line.startswith("#"))
        found.append(Sample(path.stem, about, text, answered))
    return found


def on_the_wire(sample: Sample) -> bytes:
    """Return a sample as it is sent, without the MLLP frame."""
    return (sample.text.replace("\n", "\r") + "\r").encode()


def read(sample: Sample) -> LabReport | UnparsableReport:
    """Return what the product reads of a sample, or its refusal."""
    try:
        return hl7_mllp.parse(on_the_wire(sample))
    except UnparsableReport as refusal:
        return refusal


def generate() -> dict[str, str]:
    """Return the written pages by their path under `docs/`."""
    return {
        "zh/reference/states.md": _states(), "zh/reference/events.md": _events(), "zh/reference/errors.md": _errors(),
        "zh/reference/hl7.md": _hl7(), "zh/reference/settings.md": _settings(), "zh/samples.md": _samples(),
    }  # fmt: skip


def _states() -> str:
    out = ["# 状态与流转", WRITTEN, "每个状态机都由程序和数据库两处看守;图与表出自同一份定义。没有出边的状态是终态。"]
    for title, dictionary, moves in MACHINES:
        labels = DICTIONARIES[dictionary]
        out.append(f"## {title}")
        graph = [f"    {state}: {labels[state][0] if state in labels else state}" for state in moves]
        graph += [f"    {state} --> {to}" for state in moves for to in sorted(moves[state])]
        out.append("```mermaid\nstateDiagram-v2\n" + "\n".join(graph) + "\n```")
        rows = ["| 状态 | 含义 | 可以变为 |", "|---|---|---|"]
        for state, following in moves.items():
            zh, en = labels.get(state, (state, state))
            rows.append(f"| `{state}` | {zh} · {en} | {'、'.join(f'`{to}`' for to in sorted(following)) or '(终态)'} |")
        out.append("\n".join(rows))
    return "\n\n".join(out) + "\n"


def announced(source: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what a source file announces: topic, permission (empty: to its owner alone), the fields of its data as far as they stand there."""
    for node in ast.walk(ast.parse(source)):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("announce", "announce_many")
        ):
            continue
        if not (node.args and isinstance(node.args[0], ast.Constant)):
            continue
        told = next((k.value for k in node.keywords if k.arg == "permission"), None)
        permission = str(told.value or "") if isinstance(told, ast.Constant) else "*"
        data = node.args[1] if len(node.args) > 1 else None
        fields = (
            tuple(str(k.value) for k in data.keys if isinstance(k, ast.Constant)) if isinstance(data, ast.Dict) else ()
        )
        yield str(node.args[0].value), permission, fields


def _events() -> str:
    topics: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for topic, permission, _ in announced(path.read_text(encoding="utf-8")):
            topics.setdefault(topic, set()).add(permission)
    rows = [
        f"| `{topic}` | {'、'.join(sorted(f'`{p}`' if p not in ('', '*') else '本人' if not p else '按内容' for p in permissions))} |"
        for topic, permissions in sorted(topics.items())
    ]
    return "\n\n".join((
        "# 实时事件", WRITTEN,
        ("`GET /api/v1/live-events` 是一条 SSE 流(`text/event-stream`)。事件只带编号,不带个人信息;收到后用普通接口读取对象。"
        "至少送达一次:断线后带 `Last-Event-ID` 重连,最后几秒的事件可能再来一次。令牌到期,流也结束;换新令牌后重连。"),
        '```\nid: 120\nevent: exam\ndata: {"topic": "exam", "at": "…", "campus_id": 1, "data": {"exam_id": "…"}}\n```',
        "\n".join(("| 主题 `event` | 需要的权限 |", "|---|---|", *rows)),
    )) + "\n"  # fmt: skip


def _errors() -> str:
    out = [
        "# 错误与处置", WRITTEN,
        ("答复体按 RFC 9457,程序只认 `code`;`title`、`detail` 随 `Accept-Language`(`zh`、`en`);`errors[]` 指出字段;`request_id` 用来查日志。"
        "先看本状态码的处置,再看该错误的含义。"),
    ]  # fmt: skip
    by_status: dict[int, list[str]] = {}
    for one in problem.catalogue():
        by_status.setdefault(one["status"], []).append(
            f"| `{one['code']}` | {_cell(one['title']['zh'])}<br>{_cell(one['title']['en'])} | {_cell(one['meaning'])} |"
        )
    for status, rows in sorted(by_status.items()):
        out.append(f"## {status}\n\n**处置**:{REMEDIES[status]}")
        out.append("\n".join(("| code | 说明 | 含义与办法 |", "|---|---|---|", *sorted(rows))))
    return "\n\n".join(out) + "\n"


def _settings() -> str:
    rows = [
        f"| `TJ_{name.upper()}` | {'' if field.default is None or name == 'hash_slots' else f'`{_cell(str(field.default))}`'} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n\n".join((
        "# 设置一览", WRITTEN, "现在的取值:`tjapi settings`(密码与密钥不显示)。网关自己的设置以 `TJ_GATEWAY_` 开头,见设备一页。",
        "\n".join(("| 设置 | 缺省 | 含义 |", "|---|---|---|", *rows)),
    )) + "\n"  # fmt: skip


LANGUAGES = (
    ("curl", "first.sh", "sh"),
    ("Python", "first.py", "python"),
    ("TypeScript", "first.ts", "ts"),
    ("Java", "First.java", "java"),
)


def _samples() -> str:
    folder = project_file(FOLDER) / "samples"
    out = ["# 代码样例", WRITTEN, "同一件事写四遍:登录,看自己是谁,列出体检。每个都能直接运行;文件在 `docs/samples/`。"]
    for language, name, fence in LANGUAGES:
        out += [f"## {language}", f"```{fence}\n{(folder / name).read_text(encoding='utf-8').rstrip()}\n```"]
    return "\n\n".join(out) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


ACKNOWLEDGED = """| 应答 | 含义 | 对方应当 |
|---|---|---|
| `AA` | 已写入网关日志并落盘,不会丢 | 不再重发 |
| `AE` | 已落盘,但不会自动归档,须人工处理:解不出字符集或消息头、没有可用的 MSH-10、标明非生产(MSH-11)、批次不完整、编号相同而内容不同 | 不再原样重发,通知接口工程师 |
| 无应答、断开 | 没有存下 | 稍后重发同样的字节 |

`AA` 只说“收下了”。内容不合(对不上体检、不认识的代码、不是结果消息)不改变应答:消息留在 `GET /api/v1/inbound-messages`,等人处理。"""


def order_sample() -> str:
    """Return the order that the product sends, made by the code that sends it."""
    at = datetime(2026, 8, 1, 0, 30, tzinfo=UTC)
    patient = LabPatient(
        examinee_no="P2608010001", name="韦小兰", sex="female", birth_date=datetime(1985, 3, 2, tzinfo=UTC).date()
    )
    tube = LabTube("10000017", "EDTA", "BLD", at, (LabGroup("A26080100017-1-1", "CBC", "血常规"),))
    order = LabOrder("A26080100017-1", "A26080100017", "A", patient, (tube,), at)
    config = hl7_mllp.Config(host="lis", port=2576)
    return hl7_mllp.order_message(order, "NW", "1-NW-0", at, config).decode("utf-8").strip("\r").replace("\r", "\n")


def _hl7() -> str:
    out = [
        "# HL7 符合性声明", WRITTEN,
        "HL7 v2.5.1,MLLP 成帧(`0x0B` … `0x1C 0x0D`)。我方发 `OML^O21`(申请),收 `ORU^R01`(结果)。字符集写在 MSH-18:`UNICODE UTF-8` 或 `GB 18030-2000`。",
        "## 应答",
        ACKNOWLEDGED,
        "同一来源、同一 MSH-3/4 与 MSH-10、同样的字节:视为重发,答复相同。编号相同而内容不同:不采用,留待两人放行。",
        "## 字段对应",
        "\n".join(("| 字段 | 方向 | 内容 |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in FIELDS))),
        "## 申请样例(由发送程序生成)", f"```\n{order_sample()}\n```", "## 结果样例",
        "每个样例都由接收程序读过,下面的“读作”是它的结果;测试逐个核对。",
    ]  # fmt: skip
    for sample in samples():
        out += [
            f"### {sample.name}",
            sample.about,
            f"```\n{sample.text}\n```",
            f"网关应答 `{sample.answered}`。",
            _told(read(sample)),
        ]
    return "\n\n".join(out) + "\n"


FIELDS = (
    ("MSH-10", "收、发", "消息编号,同一来源内唯一"), ("MSH-18", "收、发", "字符集;缺省时按内容判断,判断不了答 `AE`"),
    ("PID-3", "收、发", "受检者编号(类型 `PI`)、体检号(类型 `VN`);身份证号以类型说明"), ("PID-5", "收、发", "姓名;与体检不符则不归档"),
    ("PID-7", "收、发", "出生日期;不符则不归档"), ("PID-8", "收、发", "性别:HL7 表 0001、GB/T 2261.1 或中文;不符则不归档"),
    ("PV1-19", "收、发", "体检号,没有 `VN` 时读取"), ("ORC-1", "发", "`NW` 新申请,`CA` 取消"),
    ("ORC-2 = OBR-2", "收、发", "我方申请行号:一管内一个组合一个"), ("ORC-4", "发", "申请单号"),
    ("OBR-3", "收", "检验科样本号;没有 SPM 时为条码"), ("OBR-4", "收、发", "组合代码与名称"), ("OBR-25、OBX-11", "收", "`F` 最终,`C` 更正,`P` 初步,`D`、`W` 撤回"),
    ("OBX-3", "收", "项目代码;不认识的留待对照"), ("OBX-5", "收", "值:`NM`、`ST`、`TX`、`CE`、`SN` 等"), ("OBX-6", "收", "单位"),
    ("OBX-7", "收", "检验科参考区间"), ("OBX-8", "收", "标志;`AA`、`HH`、`LL` 一律报警,读不出值也报警"), ("OBX-14", "收", "观测时间"),
    ("SPM-2", "收、发", "试管条码"), ("SPM-4", "收、发", "标本种类"), ("SPM-11", "收", "标本角色;质控、定标不采用"),
    ("SPM-21", "收", "拒收原因(HL7 表 0490)"), ("SPM-24", "收", "标本状态(HL7 表 0493),作为备注"), ("SPM-27", "发", "容器"), ("NTE-3", "收", "备注,逐条读"),
)  # fmt: skip


def _told(seen: LabReport | UnparsableReport) -> str:
    if isinstance(seen, UnparsableReport):
        return f"读作:不归档,留待人工({_cell(str(seen))})。"
    rows = [
        f"| {result.barcode or ''} | `{one.code}` {_cell(one.name)} | {_cell(one.raw_value)} {one.unit} | {one.range_text} | {' '.join(one.abnormal_flags)} | `{one.status}` |"
        for result in seen.results
        for one in result.observations
    ]
    refused = [
        f"条码 {result.barcode}:标本被拒收(`{result.refused.reason}`)。" for result in seen.results if result.refused
    ]
    head = f"读作:{seen.patient_name},{DICTIONARIES['sex'][seen.patient_sex][0]},{seen.patient_birth_date},体检号 {seen.exam_no or '(无)'}。"
    table = (
        ["\n".join(("| 条码 | 项目 | 值 | 检验科区间 | 标志 | 状态 |", "|---|---|---|---|---|---|", *rows))]
        if rows
        else []
    )
    left = [f"未读:{_cell('; '.join(seen.left_out))}。"] if seen.left_out else []
    return "\n\n".join((head, *table, *refused, *left))


# --- served ----------------------------------------------------------------------------------------------------------------

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_LINK = re.compile(r'href="(?!https?:|/|#)([^"#]*?)\.md(#[^"]*)?"')
_SEARCH = """
<p><input id="q" type="search" placeholder="搜索手册 · search" style="width:100%;padding:8px 10px;font:inherit" autocomplete="off"></p><ul id="found"></ul>
<script>
const q=document.getElementById("q"),out=document.getElementById("found");let pages=null;
q.addEventListener("input",async()=>{pages=pages||await(await fetch("/guide/index.json")).json();
const words=q.value.toLowerCase().split(/\\s+/).filter(Boolean);out.replaceChildren();if(!words.length)return;
for(const p of pages.filter(p=>words.every(w=>(p.title+"\\n"+p.text).toLowerCase().includes(w))).slice(0,20)){
const li=document.createElement("li"),a=document.createElement("a"),s=document.createElement("span");a.href="/guide/"+p.path;a.textContent=p.title;
const at=Math.max(0,p.text.toLowerCase().indexOf(words[0])-40);s.textContent=p.text.slice(at,at+160);li.append(a,s);out.append(li)}});
</script>
"""


def pages(folder: Path) -> dict[str, str]:
    """Return the handbook's pages, Markdown by path without its ending."""
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.md"))
    }


def title_of(text: str) -> str:
    """Return the heading of a page."""
    found = _TITLE.search(text)
    return found[1] if found else ""


def html_of(text: str) -> str:
    """Return a page as HTML; raw HTML in it stays text, but for line breaks in tables, and links go to pages, not files."""
    return _LINK.sub(r'href="\1\2"', _MARKDOWN.render(text)).replace("&lt;br&gt;", "<br>")


def mount(app: FastAPI) -> None:
    """Add /guide to an application: the handbook and its search."""
    held = pages(project_file(FOLDER))
    index = [{"path": path, "title": title_of(text), "text": text} for path, text in held.items()]

    async def page(request: Request) -> Response:
        text = held.get(request.path_params.get("path", "zh/index"))
        if text is None:
            return problem.response(request, problem.NoSuchPath())
        return html_page(
            title_of(text), f'<p><a class="in" href="/guide/zh/index">手册首页</a></p>{_SEARCH}{html_of(text)}'
        )

    async def searched(_request: Request) -> Response:
        return JSONResponse(index)

    app.add_route("/guide/index.json", searched, include_in_schema=False)
    app.add_route("/guide", page, include_in_schema=False)
    app.add_route("/guide/{path:path}", page, include_in_schema=False)
