"""A Chinese message is Chinese and an English one English: no state's code, no word of the other language, in whatever way it was put together.

Read from the sources themselves: every pair of sentences, every `{name}` and every expression that is filled in. Whatever is filled in is
a name, a number, a day, or what a dictionary calls a code; a new kind of expression is classified here before it passes.
"""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tjapi
from tests.contract.test_problems import told
from tests.tjapi.world import API, SignIn, World, key
from tjapi import app
from tjapi.exam.service import standing
from tjapi.kernel import problem
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.validation import _SENTENCES
from tjapi.operations.rules import DICTIONARIES

assert app, "every module that has problems is imported"
problem.speak(DICTIONARIES)
SOURCES = Path(inspect.getfile(tjapi)).parent
HAN = re.compile(r"[㐀-鿿\U00020000-\U0003ffff]")
FILLED = re.compile(r"\{(\w*)\}")
WORD = re.compile(r"[A-Za-z][A-Za-z_\-]*")
ALLOWED = {
    "API", "Base", "CSV", "ECG", "ETag", "Event-ID", "Excel", "GB", "HIS", "ISO", "Idempotency-Key", "If-Match", "JPEG", "JSON", "Last-Event-ID",
    "LIS", "MB", "PDF", "PNG", "RFC", "TSC", "TSPL", "UTF-", "UUID", "XLS", "XLSX", "ZPL", "xlsx", "client_id", "page_token", "false", "null",
    "true", "A", "B", "CT", "HK", "SMS", "SM", "FHIR", "DICOM", "PR", "QRS", "QT",
}  # fmt: skip
"""Names of formats, headers and fields, which have no other."""
NAMES = {
    "name", "item_name", "rule_name", "normal_default", "code", "day", "reason", "begin", "free", "waiting", "list_no", "mine", "theirs", "most", "horizon_days", "MOST_PAPERS",
    "len(members)", "choose", "within", "wrong", "group", "other", "item", "shared", "both", "both_en", "further", "few", "beyond", "one",
    "codes", "_ADULT", "_FIB4_FROM",
    "permission",  # which is granted by that very word
}  # fmt: skip
"""What an expression that is filled in ends with: names, numbers and days, or sentences that were made so themselves."""


WHOLE = {
    "shown_name(uow, line)", "plain_name(line)", "called[line_id]", "called[line.id]",
    "zh.format(day=day)", "en.format(day=day)", "', '.join(known)", "'、'.join(known)", "_say(a)[0]", "_say(a)[1]", "_say(b)[0]", "_say(b)[1]", "_yuan(row['amount_fen'])", "meant[0]",
    "names[a.item_id]", "bound", "unit", "limits.delta_percent", "sides[0]", "sides[1]", "row['rate_bp'] / 100", "len(members)", "zh", "en", "low", "high", "method",
    "len(found)", "why", "named", "come", "_SEXES[sex][0]", "_SEXES[sex][1]", "agreed.valid_from", "agreed.valid_to", "places", "places.replace('、', ', ')", "given['unit']", "own or '无'", "own or 'no unit'", "listed", "now.age", "names[kept]", "names[new]",
}  # fmt: skip
"""Expressions that are looked through as a whole: made of such, of fields' own names, or of what a dictionary calls a code."""


@dataclass(frozen=True)
class Text:
    """A literal of the sources: its words, `{}` for what is filled in, and those expressions."""

    where: str
    words: str
    filled: tuple[str, ...]


def _text(where: str, node: ast.expr) -> Text | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Text(where, node.value, ())
    if isinstance(node, ast.JoinedStr):
        words = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
        return Text(where, words, tuple(ast.unparse(v.value) for v in node.values if isinstance(v, ast.FormattedValue)))
    return None


def _pairs() -> Iterator[tuple[Text, Text]]:
    """Every Chinese text that has an English one beside it, in whatever call, tuple or pair of assignments."""
    for path in sorted(SOURCES.rglob("*.py")):
        # What checks content speaks to whoever edits it, of codes and fields.
        if "demo" in path.parts or path.relative_to(SOURCES).as_posix() in (
            "content/checking.py",
            "catalog/coverage.py",
            "handbook.py",  # pages for programmers, in Chinese alone
            "starting.py",  # to whoever starts it: settings and programs by name
            "supply.py",
        ):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
            row = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
            texts = [_text(where, one) for one in row]
            if isinstance(node, ast.Call):
                said = {k.arg: _text(where, k.value) for k in node.keywords if k.arg in ("zh", "en")}
                texts += [said.get("zh"), said.get("en")]
            for zh, en in itertools.pairwise(texts):
                if zh is None or en is None or not HAN.search(zh.words):
                    continue
                if isinstance(node, ast.Tuple) and HAN.search(en.words) and set(WORD.findall(en.words)) <= ALLOWED:
                    continue  # a row of Chinese words, as a vocabulary has them
                yield zh, en


PAIRS = list(_pairs())


def test_no_chinese_sentence_holds_an_english_word_or_a_code_and_no_english_one_a_chinese_character() -> None:
    assert len(PAIRS) > 1000
    for zh, en in PAIRS:
        assert not HAN.search(en.words), (en.where, en.words)
        words = set(WORD.findall(FILLED.sub(" ", zh.words)))
        assert words <= ALLOWED, (zh.where, zh.words, words - ALLOWED)


def test_what_is_filled_into_a_sentence_is_a_name_a_number_or_what_a_dictionary_calls_it() -> None:
    strange = {
        (text.where, expression)
        for pair in PAIRS
        for text in pair
        for expression in text.filled
        if expression not in WHOLE and re.split(r"[.\[]", expression)[-1].strip("]'\"") not in NAMES
    }
    assert strange == set()


def test_every_problem_and_every_label_speaks_both_languages() -> None:
    for entry in problem.catalogue():
        zh, en = entry["title"]["zh"], entry["title"]["en"]
        assert HAN.search(zh), entry["code"]
        assert set(WORD.findall(zh)) <= ALLOWED, (entry["code"], zh)
        assert not HAN.search(en), (entry["code"], en)
    for name, labels in DICTIONARIES.items():
        for code, (zh, en) in labels.items():
            assert set(WORD.findall(zh)) <= ALLOWED, (name, code, zh)
            assert not HAN.search(en), (name, code, en)
    tables = (standing._WAITS, standing._BLOCKS, standing._STANDING, _SENTENCES)
    for zh, en in (pair for table in tables for pair in table.values()):
        assert HAN.search(zh)
        assert not HAN.search(en)


def _kinds() -> Iterator[type[problem.Problem]]:
    waiting = [problem.Problem]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def test_a_refusal_says_what_each_state_is_called_in_its_language() -> None:
    """Of every problem that names states, every state: its code is in neither sentence."""
    kinds = [kind for kind in _kinds() if kind.states]
    assert len(kinds) >= 14
    for kind in kinds:
        labels = DICTIONARIES[kind.states]
        for code, (zh, _) in labels.items():
            said = kind("当前为「{current}」", "it is {current}", current=code)
            chinese, english = (problem.body(said, lang, "")["detail"] for lang in ("zh", "en"))
            assert chinese == f"当前为「{zh}」"
            assert WORD.findall(chinese) == []
            assert "_" not in english, (kind.__name__, code, english)
            assert not HAN.search(english)


def test_a_sentence_that_takes_a_state_belongs_to_a_problem_that_knows_what_states_are_called() -> None:
    """`{current}` and `{to}` are filled from a dictionary: whoever raises them has one."""
    states = {kind.__name__ for kind in _kinds() if kind.states}
    taken = 0
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and {k.arg for k in node.keywords} & {"current", "to"}:
                texts = [text for arg in node.args if (text := _text("", arg)) is not None]
                if any("{current}" in text.words for text in texts):
                    assert ast.unparse(node.func) in states, (path, node.lineno)
                    taken += 1
    assert taken > 20


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.requirement("P4")
async def test_a_line_in_the_way_is_said_to_be_what_it_is_called(world: World) -> None:
    visit, front = await world.checked_in("GLU", "GENERAL"), await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tube('空腹血糖')['id']}:collect")
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "受检者要求"}
    for language, message in (("zh", "空腹血糖:当前为「已采集」"), ("en", "空腹血糖: is collected")):
        answer = await front.post(f"{visit.place}/lines:refuse", json=body, headers={"Accept-Language": language})
        [error] = told(answer, 409, "line-state-conflict")["errors"]
        assert (error["code"], error["message"]) == ("line-collected", message)
    await front.post(f"{visit.place}:check-in", headers=key())
    again = await front.post(f"{visit.place}:check-in", headers={**key(), "Accept-Language": "en"})
    assert again.json()["detail"] == "The exam is in progress"
