"""Reads a published report as a person would, line by line, against the rows it was made of. Shares no code with the product.

What is printed comes from the PDF through Poppler's `pdftotext`, from the phone page and the verification page as HTML, from the API as
JSON; what is true comes by plain SQL, as the administrator. Flags, arrows, ranges, units and ages are worked out here once more.
"""

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import asyncpg

ARROWS = {"": "", "H": "↑", "L": "↓", "HH": "↑危急", "LL": "↓危急", "A": "异常", "C": "危急"}
_TODAY = re.compile(r"请[^。；;，,]{0,6}(?:今天|今日|当日|当天|次日前|立即|立刻|马上|24)")
PHONE = {"": "", "H": "↑偏高", "L": "↓偏低", "HH": "↑危急", "LL": "↓危急", "A": "异常", "C": "危急"}
ENGLISH = {"": "", "H": "↑high", "L": "↓low", "HH": "↑critical", "LL": "↓critical", "A": "abnormal", "C": "critical"}
UNJUDGED = {"zh": "未判定", "en": "notjudged"}
FLAGS = {
    "": "",
    "high": "H",
    "low": "L",
    "critical_high": "HH",
    "critical_low": "LL",
    "critical": "C",
    "abnormal": "A",
    "undetermined": "?",
}
SAME_UNIT = {"/min": "次/分", "Cel": "℃", "1": "", "[pH]": ""}
SECTIONS = ("主检结论与健康建议", "异常结果汇总", "关键指标历次趋势", "各科室检查结果", "未检项目", "初审医师")
HEADS = {"项目结果提示单位参考范围", "项目检查所见", "科室项目结果提示单位参考范围", "科室项目原因", "演示"}
CALM = re.compile(
    r"(?:本次|此次|目前|健康|体检|查体|身体|所检|所查|各项|全部|一切|项目|检查|检验|结果|指标|情况|状况|基本|大致|均|都|暂|在|:)*"
    r"(?:(?:未见|未发现|未检出|无|没有)(?:明显|任何|显著)?(?:异常|问题|阳性体征|病变)(?:发现|情况)?|(?:参考|正常)范围内?|正常|良好|健康|合格)"
)
HEALTHY = "没有需要处理的发现"
UNEXAMINED = ("拒检", "未检", "弃检")
USUAL_WORDS = re.compile(
    r"(?:[^,。;]*(?:正常|未见|未闻|未触|未及|未引出|无|清|清晰|清楚|光滑|均匀|对称|居中|柔软|腹软|平软|软|齐|整齐|规则|通畅|存在|自如|良好|红润|活跃)[^,。;]*[,。;]?)+"
)
"""Of a description each part says that something is as it is with the healthy."""
NOTATION = re.compile(r"[≥≤<>]|\b(?:finding|line):|[(][^()]*[(]|（[^（）]*（|[\u4e00-\u9fff],|,[\u4e00-\u9fff]|;")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹μµ", "0123456789uu")


def squeezed(text: str) -> str:
    """Return a text without blanks, marks of multiplication and raised digits: what two printings of one thing have in common."""
    return re.sub(r"[\s×*^\[\]\u200b]", "", text.translate(_RAISED))


@dataclass
class Row:
    """A result as it is stored."""

    id: UUID
    department: str
    name: str
    value: str
    flag: str | None
    unit: str
    low: str | None
    high: str | None
    critical_low: str | None
    critical_high: str | None
    words: str
    number: Decimal | None
    comparator: str
    judged_by_nature: bool
    remarks: list[str]
    alert: str | None
    described: bool
    choices: list[str]
    still: bool
    """Whether what the report was made of is the current value still."""
    theirs: list[str]
    """The laboratory's own flags."""
    alerts: list[UUID]
    """The alerts of class A that stand and name it."""

    @property
    def range(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low}–{self.high}"
        if self.high is not None:
            return f"≤ {self.high}"
        if self.low is not None:
            return f"≥ {self.low}"
        return "、".join(self.choices) if 1 < len(self.choices) <= 4 else self.words

    @property
    def ranges(self) -> list[str]:
        """How the range may be printed: bounds as bounds; of words the normal choices, or the range's own words."""
        return [self.range] if self.low is not None or self.high is not None else [self.range, self.words]

    @property
    def shown(self) -> str | None:
        """The flag as a report must show it: critical while an alert stands, never once somebody dismissed it."""
        if self.alert == "standing":
            return {"H": "HH", "HH": "HH", "L": "LL", "LL": "LL"}.get(self.flag or "", "C")
        return {"HH": "H", "LL": "L"}.get(self.flag or "", self.flag) if self.alert == "dismissed" else self.flag

    @property
    def critical(self) -> bool:
        return self.shown in ("HH", "LL", "C")

    @property
    def unjudged(self) -> bool:
        return self.shown is None and (self.judged_by_nature or self.described)

    @property
    def printed_unit(self) -> str:
        return SAME_UNIT.get(self.unit, self.unit)

    def mark(self, arrows: dict[str, str] = ARROWS, lang: str = "zh") -> str:
        """What stands beside the value."""
        if self.shown is not None:
            return arrows[self.shown]
        return UNJUDGED[lang] if self.judged_by_nature else ""

    def own_flag(self) -> str | None:
        """Work the flag of a plain number out again; None where it cannot be."""
        if self.number is None or self.comparator or not (self.low or self.high):
            return None
        for bound, name in ((self.critical_low, "LL"), (self.low, "L")):
            if bound is not None and (self.number <= Decimal(bound) if name == "LL" else self.number < Decimal(bound)):
                return name
        for bound, name in ((self.critical_high, "HH"), (self.high, "H")):
            if bound is not None and (self.number >= Decimal(bound) if name == "HH" else self.number > Decimal(bound)):
                return "HH" if name == "HH" else "L" if name == "L" else "H"
        return ""


@dataclass
class Stored:
    """What the database holds of an exam and one version of its report."""

    head: dict[str, Any]
    rows: list[Row]
    entries: list[dict[str, Any]]
    sheets: list[dict[str, Any]]
    report: dict[str, Any]
    outdated: bool
    left_out: int = 0
    """How many items of its lines nobody examined, or nobody will say."""

    @property
    def flagged(self) -> list[Row]:
        return [row for row in self.rows if row.shown]

    @property
    def alarmed(self) -> list[list[Row]]:
        """Critical results of which no entry speaks: those that one alert names have one card, the alert that names most first."""
        told = {i for entry in self.entries for i in entry["result_ids"]}
        critical = [row for row in self.rows if row.critical]
        named = {a: [row for row in critical if a in row.alerts] for row in critical for a in row.alerts}
        cards = []
        for rows in sorted(named.values(), key=len, reverse=True):
            if not told & {row.id for row in rows}:
                cards.append(rows)
                told |= {row.id for row in rows}
        return cards + [[row] for row in critical if not row.alerts and row.id not in told]


async def stored(db: asyncpg.Connection, report_id: str) -> Stored:
    """Read what is true of a report."""
    report = dict(await db.fetchrow("select * from report where id = $1::uuid", report_id))
    exam_id = report["exam_id"]
    head = await db.fetchrow(
        "select e.*, c.name campus, p.id_number_masked, p.phone_masked, k.overview, k.initial_name, k.final_name, k.knowledge_version_id"
        " from exam e join campus c on c.id = e.campus_id join examinee p on p.id = e.examinee_id join conclusion k on k.exam_id = e.id"
        " where e.id = $1", exam_id,
    )  # fmt: skip
    outdated = await db.fetchval("select exists (select 1 from amendment_task where exam_id = $1 and state = 'open')", exam_id)  # fmt: skip
    # Of a report that says it is outdated the results are read as they were when it was ordered.
    found = await db.fetch(
        "select r.id, d.name department, r.item_name, r.unit item_unit, l.performed_by, i.kind, to_jsonb(v) v, to_jsonb(r)->>'judged_flag' judged,"
        " i.judged expected, i.choices, v.id = r.current_revision_id still,"
        " (select case when bool_or(k.state <> 'dismissed') then 'standing' when bool_or(v.id = any(k.revision_ids)) then 'dismissed' end from critical_value k"
        "  where k.exam_id = r.exam_id and r.id = any(k.result_ids) and k.important_class = 'A' and k.state <> 'superseded' and k.detected_at <= $3"
        "  and (k.corrected_at is null or ($2 and k.corrected_at > $3))) alert,"
        " array(select k.id from critical_value k where k.exam_id = r.exam_id and r.id = any(k.result_ids) and k.important_class = 'A'"
        "  and k.state not in ('dismissed', 'superseded') and k.detected_at <= $3 and (k.corrected_at is null or ($2 and k.corrected_at > $3))) alerts"
        " from result r join lateral (select w.* from result_revision w where w.result_id = r.id and (w.id = r.current_revision_id or w.recorded_at <= $3)"
        "  order by ($2 and w.recorded_at > $3), (not $2 or w.recorded_at <= $3) and w.id = r.current_revision_id desc, w.seq desc limit 1) v on true join exam_line l on l.id = r.line_id"
        " join department d on d.id = r.department_id left join item i on i.id = r.item_id"
        " where r.exam_id = $1 and l.state in ('resulted', 'verified') order by d.sort, d.id, l.sort, i.sort, r.item_code", exam_id, outdated, report["requested_at"],
    )  # fmt: skip
    rows = []
    for one in found:
        v = json.loads(one["v"])
        if v["status"] == "entered_in_error" or not (outdated or one["still"]):
            continue  # nothing stands of it
        bounds = v["range_snapshot"] or {}
        rows.append(
            Row(
                one["id"], one["department"], one["item_name"], v["raw_value"] if v["numeric"] is None else v["text"], one["judged"] if v["flag"] is None else v["flag"], v["unit"] or one["item_unit"] or "",
                bounds.get("low"), bounds.get("high"), bounds.get("critical_low"), bounds.get("critical_high"),
                (bounds.get("text") or "") if bounds else v["lis_range_text"] or "",
                None if v["numeric"] is None else Decimal(str(v["numeric"])), v["comparator"] or "",
                one["kind"] != "text" and one["expected"], v.get("remarks") or [], one["alert"],
                one["kind"] == "text" and bool(v["raw_value"]) and not all(CALM.fullmatch(one) for one in _parts(v["raw_value"])),
                [c for c in _list(one["choices"]) if c in (bounds.get("normal_texts") or ()) and c not in ("拒检", "未检", "弃检")], bool(one["still"]),
                (v["lis_flags"] or "").split(), one["alerts"],
            )
        )  # fmt: skip
    entries = await db.fetch(
        "select n.*, (select min(f.important_class) from knowledge_rule k join finding f on f.version_id = k.version_id and f.code = k.finding_code"
        "  where k.version_id = $2 and k.code = any(n.rule_codes)) important_class, (select min(f.recheck_days) from knowledge_rule k"
        "  join finding f on f.version_id = k.version_id and f.code = k.finding_code where k.version_id = $2 and k.code = any(n.rule_codes)"
        "  and (f.important_class = 'B' or f.recheck_days <= 7)) days from conclusion_entry n"
        " where n.exam_id = $1 order by n.sort", exam_id, head["knowledge_version_id"],
    )  # fmt: skip
    sheets = await db.fetch(
        "select s.*, d.name department from department_sheet s join department d on d.id = s.department_id"
        " where s.exam_id = $1 and s.state = 'signed'", exam_id,
    )  # fmt: skip
    left_out = await db.fetchval(
        "select coalesce(sum(greatest((select count(*) from item_group_item g where g.item_group_id = l.item_group_id), 1)), 0)::int"
        " from exam_line l where l.exam_id = $1 and l.state in ('refused', 'waived', 'deferred') and not l.private", exam_id,
    )  # fmt: skip
    left_out += await db.fetchval(
        "select count(distinct (q.line_id, q.item_id))::int from result_question q join exam_line l on l.id = q.line_id"
        " where q.exam_id = $1 and q.gives_up and l.state in ('resulted', 'verified') and not l.private", exam_id,
    )  # fmt: skip
    return Stored(dict(head), rows, [dict(e) for e in entries], [dict(s) for s in sheets], report, outdated, left_out)


def _is_alarm(entry: dict[str, Any]) -> bool:
    """Whether an entry is about a critical value of which no finding tells: it alone is called critical then."""
    return any(key.startswith("critical:") for key in entry["keys"])


def _list(given: str | list[str] | None) -> list[str]:
    """Return a JSON list, as text or read already."""
    return json.loads(given) if isinstance(given, str) else list(given or ())


# --- the three readings ---


def paper(pdf: bytes) -> list[str]:
    """Return the lines of each page, as `pdftotext` finds them."""
    done = subprocess.run(["pdftotext", "-raw", "-enc", "UTF-8", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().rstrip("\f\n").split("\f")


@dataclass
class Node:
    """A tag with what is in it."""

    tag: str
    attrs: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    def text(self) -> str:
        return "".join(c if isinstance(c, str) else ("\n" if c.tag == "br" else "") + c.text() for c in self.children)

    def all(self, tag: str, cls: str = "") -> list["Node"]:
        found = []
        for child in self.children:
            if isinstance(child, Node):
                if child.tag == tag and cls in child.attrs.get("class", ""):
                    found.append(child)
                found += child.all(tag, cls)
        return found


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {k: v or "" for k, v in attrs})
        self.open[-1].children.append(node)
        if tag not in {"br", "meta", "link", "rect", "polyline", "circle", "img"}:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) > 1 and self.open[-1].tag == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page(html: str) -> Node:
    """Return a page as a tree."""
    tree = _Tree()
    tree.feed(html)
    return tree.open[0]


# --- comparing ---


class Reading:
    """One report being read; `faults` are sentences."""

    def __init__(self, true: Stored) -> None:
        self.true = true
        self.faults: list[str] = []

    def ask(self, holds: object, fault: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.faults.append(f"{self.true.head['exam_no']}: {fault}")

    def flags(self) -> None:
        """Are the stored flags those of the numbers and the ranges?"""
        for row in self.true.rows:
            own = row.own_flag()
            self.ask(
                # What the laboratory calls critical beside a range of its own is.
                own is None or own == row.flag or (row.flag in ("HH", "LL") and row.flag in row.theirs),
                f"{row.name} {row.value} is flagged {row.flag!r}, its range says {own!r}",
            )

    def paper(self, pdf: bytes) -> None:
        """Read the PDF from its cover to its last line."""
        true, pages = self.true, paper(pdf)
        bodies = [squeezed("\n".join(_body(one))) for one in pages]
        cover, whole = squeezed(pages[0]), "".join(bodies[1:])
        head = true.head
        sex = {"male": "男", "female": "女"}.get(head["sex"], "未知")
        for what in (
            head["name"], f"性别{sex}", f"出生日期{head['birth_date']}", f"体检日期{head['exam_date']}", f"体检号{head['exam_no']}",
            f"年龄{_age(head['birth_date'], head['exam_date'])}", head["id_number_masked"] or "", head["phone_masked"] or "",
        ):  # fmt: skip
            self.ask(squeezed(what) in cover, f"the cover does not say {what}")
        words = {i for e in true.entries if _list(e["rule_codes"]) == ["TEXT-GRAVE"] for i in e["result_ids"]}
        unflagged = words & {row.id for row in true.rows} - {row.id for row in true.flagged}
        for number, label in (
            (len(true.rows), "检查项目"),
            (len(true.flagged) + len(unflagged), "异常结果"),
            (len(true.entries) + len(true.alarmed), "主检结论"),
            *[(n, "未检项目") for n in [true.left_out + sum(row.value in UNEXAMINED for row in true.rows)] if n],
            *[(n, "未判定") for n in [sum(row.shown is None and row.judged_by_nature for row in true.rows)] if n],
        ):
            self.ask(f"{number}{label}" in cover, f"the cover does not say {number} {label}")
        # What is critical is counted as it is concluded: no more cards than values.
        acute = re.search(r"(\d+)须立即就医", cover)
        values = sum(row.critical for row in true.rows)
        self.ask(bool(acute) or not values, f"the cover is silent of {values} critical values")
        self.ask(
            not acute or not values or int(acute[1]) <= len(true.entries) + len(true.alarmed),
            "more to be seen at once than is concluded",
        )
        if HEALTHY in whole:
            for row in true.rows:
                self.ask(
                    not row.shown
                    and not row.mark()
                    and not row.remarks
                    and (not row.described or USUAL_WORDS.fullmatch(_plain(row.value))),
                    f"nothing needs anything beside {row.name} {row.value}",
                )
            self.ask(not true.left_out, f"nothing needs anything beside {true.left_out} items that were not examined")
        proof = (
            json.loads(true.report["proof"]) if isinstance(true.report["proof"], str) else true.report["proof"] or {}
        )
        for at, one in enumerate(pages, 1):
            self.ask(
                proof.get("digest") and squeezed(f"校验码{proof['digest']}") in squeezed(one),
                f"page {at} lacks the check code",
            )
            self.ask(head["exam_no"] in one, f"page {at} lacks the exam number")
        self._results_on_paper(_section(whole, "各科室检查结果"))
        self._conclusions_on_paper(_section(whole, "主检结论与健康建议"))
        summary = _section(whole, "异常结果汇总")
        for row in true.flagged:
            self.ask(
                _plain(row.name) in _plain(summary) and _plain(row.value) in _plain(summary),
                f"{row.name} {row.value} is not in 异常结果汇总",
            )
        self._no_calm("the paper", "\n".join(pages))
        for name in (head["initial_name"], head["final_name"]):
            self.ask(squeezed(name) in bodies[-1], f"the last page lacks the signature of {name}")

    def _results_on_paper(self, text: str) -> None:
        at, marks = 0, Counter[str]()
        text = _plain(text)
        for row in self.true.rows:
            name, value, mark = _plain(row.name), _plain(row.value), row.mark()
            unit = _plain(row.printed_unit)
            lines = (
                *(name + value + mark + unit + _plain(bounds) for bounds in (*row.ranges, row.range.replace("~", "–"))),
                name + value + unit + mark,
            )
            places = [p for p in (text.find(line, at) for line in lines) if p >= 0]
            self.ask(
                places,
                f"the paper lacks the line {row.department} / {row.name} {row.value} {mark} {row.unit} {row.range}",
            )
            if places:
                at = min(places)
            for remark in row.remarks:
                self.ask(_plain(remark) in _plain(text), f"the remark beside {row.name} is not printed")
            marks[mark] += 1
        for mark in ("↑", "↓"):
            printed, stored_ = text.count(mark), sum(n for m, n in marks.items() if mark in m)
            # Values and summaries have arrows of their own now and then.
            own = sum(row.value.count(mark) for row in self.true.rows) + sum(
                (s["summary"] or "").count(mark) for s in self.true.sheets
            )
            self.ask(printed == stored_ + own, f"{printed} {mark} among the results, {stored_} are flagged so")

    def _conclusions_on_paper(self, text: str) -> None:
        true = self.true
        main, _, others = text.partition("其他异常")
        concluded = {i for entry in true.entries for i in entry["result_ids"]}
        for entry in true.entries:
            self.ask(_plain(entry["title"]) in _plain(main), f"the conclusion {entry['title']} is not printed")
        for row in true.flagged:
            if row.id not in concluded and not row.critical:
                line = _plain(f"{row.name}{row.value}{row.printed_unit}{row.mark()}")
                self.ask(line in _plain(others), f"{row.name} {row.value} has no conclusion and is not under 其他异常")
        for rows in true.alarmed:
            title = "、".join(row.name for row in rows) + "危急值"
            self.ask(_plain(title) in _plain(main), f"{title} has no card")

    def _citations(self, text: str) -> None:
        """Is every figure that stands behind an item's name, in a detail or among what it rests on, the item's value?"""
        values: dict[str, set[str]] = {}
        for row in self.true.rows:
            values.setdefault(row.name, set()).add(row.value)
        plain = squeezed(text)
        for name in sorted(values, key=len, reverse=True):
            for said in re.findall(
                rf"(?:^|[；，果·\n]|[^\u4e00-\u9fffA-Za-z]){re.escape(squeezed(name))}(\d+(?:\.\d+)?)(?![\d.]*[项次])",
                plain,
            ):
                cited = {squeezed(v) for v in values[name]}
                ok = said in cited or any(said.startswith(v) or v.startswith(said) for v in cited if v)
                # A grade may be said without its word: 阳性(1+) is 1+.
                ok = ok or any(f"{said}+" in v for v in cited)
                self.ask(ok, f"a conclusion cites {name} {said}, the current value is {'/'.join(values[name])}")

    def phone(self, html: str, lang: str) -> None:
        """Read the owner's page."""
        true, tree = self.true, page(html)
        arrows = PHONE if lang == "zh" else ENGLISH
        said = [line for department in tree.all("details") for line in department.all("li")]
        self.ask(
            len(said) == len(true.rows), f"the phone page has {len(said)} lines, there are {len(true.rows)} results"
        )
        for row, line in zip(true.rows, said, strict=False):
            name, value = _plain(line.all("span", "name")[0].text()), _plain(line.all("b")[0].text())
            mark = "".join(squeezed(one.text()) for one in line.all("span", "flag"))
            rest = squeezed(line.text())
            self.ask(
                (name, value) == (_plain(row.name), _plain(row.value)),
                f"phone: {name} {value}, stored {row.name} {row.value}",
            )
            self.ask(
                mark == row.mark(arrows, lang),
                f"phone: {row.name} {row.value} is marked {mark!r}, not {row.mark(arrows, lang)!r}",
            )
            self.ask(
                squeezed(row.printed_unit) in rest and any(squeezed(bounds) in rest for bounds in row.ranges),
                f"phone: unit or range of {row.name}",
            )
            for remark in row.remarks:
                self.ask(_plain(remark) in _plain(rest), f"phone: the remark beside {row.name} is not shown")
        cards = [card for card in tree.all("section", "card") if card.attrs.get("aria-labelledby", " ")[0] == "c"]
        expected = len(true.entries) + len(true.alarmed)
        self.ask(len(cards) == expected, f"phone: {len(cards)} conclusions, {expected} stored")
        self._cards(cards, lang)
        if lang == "en":
            self.ask(
                "Nothing out of the ordinary" not in html or not any(row.shown or row.unjudged for row in true.rows),
                "the English page is calm beside what is flagged or not judged",
            )
            self.ask(not re.search("[男女]　", tree.text()), "the English page tells sex and age in Chinese")
        if lang == "zh":
            self._calm_by_part(tree)
            self._numbers(tree, cards)
            self._no_calm("the phone page", re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL), html=True)
        shown = tree.all("div", "outdated")
        self.ask(bool(shown) == self.true.outdated, f"phone: says {'outdated' if shown else 'nothing of an amendment'}")
        for what in (true.head["name"], true.head["exam_no"], str(true.head["exam_date"])):
            self.ask(what in tree.text(), f"phone: lacks {what}")

    def _cards(self, cards: list[Node], lang: str) -> None:
        entries = {_plain(e["title"]): e for e in self.true.entries}
        rows = {row.id: row for row in self.true.rows}
        order, details = [], Counter[str]()
        for card in cards:
            title = _plain(card.all("h3")[0].all("span")[1].text())
            if title in {_plain("、".join(row.name for row in own) + "危急值") for own in self.true.alarmed}:
                self.ask(
                    "alert" in card.attrs["class"] and "立即" in card.text(),
                    f"{title}: not shown as critical, or without what to do",
                )
                order.append((0, 1))
                continue
            entry = entries.get(title)
            self.ask(entry, f"phone: nobody concluded {title}")
            if entry is None:
                continue
            own = [rows[i] for i in entry["result_ids"] if i in rows]
            urgent = "须尽快处理" in card.text() or "see to it today" in card.text()
            self.ask(
                not urgent or _TODAY.search(entry["advice"] or ""),
                f"{title} is to be seen to today, and nobody asks for it",
            )
            alarmed = "alert" in card.attrs["class"] and not urgent
            self.ask(
                not alarmed
                or any(r.critical for r in own)
                or (entry["important_class"] == "A" and "dismissed" not in {r.alert for r in own}),
                f"{title} is called critical, nothing of it is",
            )
            only = [r for r in own if r.critical]
            by_alarms = {i for e in self.true.entries if _is_alarm(e) for i in e["result_ids"]}
            if only and len(own) == 1 and (_is_alarm(entry) or only[0].id not in by_alarms):
                self.ask(alarmed, f"{title} rests on a critical value alone and is not called critical")
            if alarmed and entry["important_class"] != "A" and len(own) > 1 and not _is_alarm(entry):
                closer = [
                    e["title"]
                    for e in self.true.entries
                    if e is not entry
                    and len(e["result_ids"]) < len(own)
                    and {r.id for r in only} & set(e["result_ids"])
                ]
                self.ask(not closer, f"{title} inherits the critical value of {closer}")
            kind = ("disease", "finding", "risk").index(entry["kind"])
            soon = entry["days"] is not None and not alarmed and not urgent
            order.append((2, entry["days"]) if soon else (0 if alarmed else 1 if urgent else 3, kind))
            text = card.text()
            if lang == "zh":
                told = re.split("[；\n]", card.all("p", "soft")[0].text() if card.all("p", "soft") else "")
                details.update(part for part in told if re.search(r"\d.*于参考", part))
                self._citations("\n".join(part.text() for part in card.all("p", "soft")))
                if not entry["edited"]:
                    for part in card.all("p", "soft")[:1]:
                        rest = part.text().replace("\xa0", " ")
                        for value in sorted({row.value for row in self.true.rows}, key=len, reverse=True):
                            # A value's own sign is no notation of ours: 白蛋白 <20.0.
                            rest = rest.replace(f" {value}", " ") if value else rest
                        self.ask(
                            not NOTATION.search(rest) or not entry["detail"],
                            f"{title}: notation in {part.text()!r}",
                        )
            for row in own:
                if row.shown:
                    self.ask(squeezed(row.name) in squeezed(text), f"{title} rests on {row.name}, and does not say so")
        self.ask(order == sorted(order), "criticals do not come first, or kinds are out of order")
        for sentence, times in details.items():
            self.ask(times == 1, f"{sentence!r} is told {times} times word for word")

    def _calm_by_part(self, tree: Node) -> None:
        """Neither the overview, nor what stands in its place, nor a department's summary calls everything normal where something is not."""
        rows = self.true.rows
        parts = [("the overview", "\n".join(p.text() for p in tree.all("p", "said")[:1]), rows)]
        for department in tree.all("details"):
            name = department.all("summary")[0].all("span")[0].text()
            said = "\n".join(one.text() for one in department.all("span", "said"))
            parts.append((f"the summary of {name}", said, [row for row in rows if row.department == name]))
        for where, said, own in parts:
            usual = [row for row in own if row.described and USUAL_WORDS.fullmatch(_plain(row.value))]
            spoken_against = [
                row for row in own if (row.shown or row.unjudged) and not (row.shown is None and row in usual)
            ]
            calm = [part for part in _parts(said) if CALM.fullmatch(part)]
            self.ask(
                not calm or not spoken_against,
                f"{where} says {calm} beside {len(spoken_against)} results that are flagged or not judged",
            )

    def _numbers(self, tree: Node, cards: list[Node]) -> None:
        """Does a number in the overview mean the card of that number?"""
        titles = [card.all("h3")[0].all("span")[1].text() for card in cards]
        for number, said in re.findall(r"(?m)^(\d+)\. (.+)$", "\n".join(p.text() for p in tree.all("p", "said")[:1])):
            place = int(number) - 1
            self.ask(
                place < len(titles) and _plain(titles[place]) in _plain(said),
                f"the overview says {number}. {said}, the card of this number says something else",
            )

    def _no_calm(self, where: str, text: str, *, html: bool = False) -> None:
        """Nowhere is everything called normal beside a flag: not in the overview, nor on the cover, nor in a department that has one."""
        plain = re.sub(r"<[^>]+>", "\n", text) if html else text
        if self.true.flagged:
            for calm in ("本次体检所检项目未见明显异常", "本次体检未见异常"):
                self.ask(
                    calm not in squeezed(plain), f"{where} says {calm} beside {len(self.true.flagged)} flagged results"
                )
        by_department = Counter(row.department for row in self.true.flagged)
        for sheet in self.true.sheets:
            if by_department[sheet["department"]]:
                self.ask(
                    not any(CALM.fullmatch(part) for part in _parts(sheet["summary"] or "")) or not html,
                    f"the stored summary of {sheet['department']} says normal beside a flag",
                )
        if self.true.flagged:
            said = [part for part in _parts(self.true.head["overview"]) if CALM.fullmatch(part)]
            self.ask(not said, "the stored overview says normal beside a flag")

    def verification(self, html: str, told: dict[str, Any]) -> None:
        """Read what a stranger sees who holds the paper."""
        report, head, text = self.true.report, self.true.head, page(html).all("main")[0].text()
        proof = json.loads(report["proof"]) if isinstance(report["proof"], str) else report["proof"] or {}
        state = {"published": "outdated" if self.true.outdated else "genuine"}.get(report["state"], report["state"])
        self.ask(
            told["verdict"] == state and f'data-verdict="{state}"' in html,
            f"verification says {told['verdict']}, it is {state}",
        )
        for what in (head["exam_no"], str(head["exam_date"]), proof.get("digest", "-"), head["name"][0] + "*"):
            self.ask(what in text, f"verification lacks {what}")
        for secret in (head["name"], str(head["birth_date"]), head["id_number_masked"], head["phone_masked"]):
            self.ask(not secret or len(secret) < 2 or secret not in html, "verification tells more than a masked name")

    def api(self, results: dict[str, Any], conclusion: dict[str, Any], content: dict[str, Any]) -> None:
        """Compare the JSON that doctors see, and the JSON that a mini-program shows."""
        lines = [item for d in content["departments"] for group in d["groups"] for item in group["items"]]
        for row, line in zip(self.true.rows, lines, strict=False):
            told = (line["name"], _plain(line["value"]), squeezed(line["unit"]), FLAGS[line["flag"]])
            true = (row.name, _plain(row.value), squeezed(row.printed_unit), row.shown or ("?" if row.mark() else ""))
            self.ask(
                squeezed(line["range"]) in {squeezed(bounds) for bounds in row.ranges},
                f"content: range {line['range']} of {row.name}",
            )
            self.ask(told == true, f"content: {told}, stored {true}")
        self.ask(len(lines) == len(self.true.rows), f"content: {len(lines)} lines, {len(self.true.rows)} results")
        concluded = {i for entry in self.true.entries for i in entry["result_ids"]}
        left = sorted(
            (row.name, _plain(row.value)) for row in self.true.flagged if row.id not in concluded and not row.critical
        )
        self.ask(
            sorted((o["name"], _plain(o["value"])) for o in content["others"]) == left,
            "content: others are not what was flagged and not concluded",
        )
        self.ask(content["outdated"] == self.true.outdated, "content: outdated or not")
        said = {r["id"]: r for d in results["departments"] for r in d["results"] if r["current"]}
        for row in self.true.rows:
            if not row.still:
                continue
            now = said.get(str(row.id), {}).get("current") or {}
            self.ask(
                (now.get("value"), now.get("flag")) == (row.value, row.flag),
                f"JSON: {row.name} {now.get('value')} {now.get('flag')}, stored {row.value} {row.flag}",
            )
        self.ask(
            [e["title"] for e in conclusion["entries"]] == [e["title"] for e in self.true.entries],
            "JSON: other conclusions",
        )


def _body(text: str) -> list[str]:
    """Return the lines of a page without its header, footer, watermark and repeated heads of tables."""
    return [
        line
        for line in text.splitlines()
        if not re.search(
            r"本报告仅反映本次体检当时的情况|^体检号 \S+ 第 \d+ 版 校验码|第 \d+ 页 / 共 \d+ 页|健康体检报告 .*体检号",
            line,
        )
        and squeezed(line) not in HEADS
    ]


def _section(text: str, name: str) -> str:
    start = text.find(name)
    if start < 0:
        return ""
    ends = [text.find(other, start + len(name)) for other in SECTIONS if other != name]
    # A heading's words may be a sentence's as well: 见各科室检查结果.
    return text[start : min((e for e in ends if e > 0 and text[e - 1] != "见"), default=len(text))]


def _parts(text: str) -> list[str]:
    """Return the sentences of a text without their numbers and blanks."""
    parts = (
        re.sub(r"^\d+[.、]", "", squeezed(part)).strip(":：") for part in re.split(r"[\n。；;，,]|(?<!\d)\.", text)
    )
    return [part for part in parts if part]


def _plain(text: str) -> str:
    """Return a text without blanks and without the difference between Chinese and other punctuation."""
    return squeezed(text).translate(str.maketrans("，；：（）。？！", ",;:().?!"))


def _age(born: date, day: date) -> str:
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return f"{years}岁" if years >= 7 else ""
