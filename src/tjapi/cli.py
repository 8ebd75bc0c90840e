"""`tjapi …`: start, migrate, examine and mend an installation."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tjapi import app as application
from tjapi import content, demo, doctor, handbook, installation, starting, supply, up, visit, wiring, worker
from tjapi.catalog import service as catalog
from tjapi.kernel import logs
from tjapi.kernel.audit import AuditChain
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.kernel.contract import contract_text, problems_text
from tjapi.kernel.db import DATABASE_TROUBLE, is_passing
from tjapi.kernel.documents import render
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import migrate as migrate_schema
from tjapi.kernel.security.keys import (
    MASTER_KEY_BYTES,
    KeyMissingError,
    KeyRing,
    fingerprint,
    load_master_key,
    make_master_key,
)
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.settings import PACKAGE, Settings, project_file, shown
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.schemas import ContentIn
from tjapi.result import service as results

app = typer.Typer(
    help="tjapi: 体检系统后端 · the back end of a health-examination department",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
audit_app = typer.Typer(help="审计 · the audit trail", no_args_is_help=True)
contract_app = typer.Typer(help="接口文档 · the OpenAPI contract", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
app.add_typer(contract_app, name="contract")
content_app = typer.Typer(help="医学内容 · ranges, rules, findings and advice", no_args_is_help=True)
app.add_typer(content_app, name="content")
docs_app = typer.Typer(help="手册 · the handbook", no_args_is_help=True)
app.add_typer(docs_app, name="docs")
key_app = typer.Typer(help="主密钥 · the master key", no_args_is_help=True)
app.add_typer(key_app, name="key")
StateOption = Annotated[Path, typer.Option(help="数据目录 · folder of everything that must survive", envvar="TJ_STATE")]
DEFAULT_STATE = Path(".state")


@app.command("up")
def up_command(
    port: Annotated[int, typer.Option(help="API 端口 · port of the API", envvar="TJ_PORT")] = 8000,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """启动全部 · Start everything: embedded databases, API, worker, gateway, sandbox peers."""
    logs.configure("WARNING")
    raise typer.Exit(asyncio.run(up.run(state.absolute(), port)))


@app.command()
def serve() -> None:
    """启动 API · Run the API on TJ_HOST:TJ_PORT."""
    settings = Settings()
    logs.configure(settings.log_level)
    starting.refuse_or_go_on(settings)
    uvicorn.run(
        "tjapi.app:from_environment", factory=True, host=settings.host, port=settings.port, log_config=None, access_log=False,
        loop="uvloop", http="httptools", server_header=False, proxy_headers=False, timeout_graceful_shutdown=5, timeout_keep_alive=application.KEEP_ALIVE_SECONDS,
    )  # fmt: skip


@app.command("worker")
def worker_command() -> None:
    """启动后台任务 · Run a worker."""
    worker.main()


@app.command()
def migrate() -> None:
    """升级数据库 · Make the roles and bring TJ_DATABASE_URL to the newest schema."""
    settings = Settings()
    if settings.master_key is None:
        make_master_key(settings.state)
    _refuse(starting.of_settings(settings))
    keys = KeyRing(
        load_master_key(settings.master_key.get_secret_value() if settings.master_key else None, settings.state)
    )
    with _spoken():
        asyncio.run(migrate_schema(settings, keys))


@app.command("load")
def load_command() -> None:
    """装入基础数据 · Load campuses, roles and starter content (and the demo hospital where TJ_ENVIRONMENT=demo)."""
    _refuse(starting.of_settings(Settings()))

    async def run() -> None:
        runtime = wiring.build(Settings())
        await installation.load(runtime)
        if runtime.settings.environment == "demo":
            await demo.load(runtime)
            await demo.open_rooms(runtime)
            await demo.order(runtime, runtime.settings.demo_people)
        await wiring.close(runtime)

    with _spoken():
        asyncio.run(run())


@app.command("administrator")
def administrator_command(kind: Annotated[str, typer.Argument(help="admin | security_admin | auditor")]) -> None:
    """指定管理员 · Make one more administrator of a kind, for when the last one is gone; the file with the first password is printed."""
    if kind not in installation.ADMINISTRATORS:
        raise typer.BadParameter(" | ".join(installation.ADMINISTRATORS))

    async def run() -> None:
        runtime = wiring.build(Settings())
        print(await installation.name_administrator(runtime, kind, another=True))
        await wiring.close(runtime)

    with _spoken():
        asyncio.run(run())


@app.command("visit")
def visit_command(
    state: StateOption = DEFAULT_STATE,
    port: Annotated[int | None, typer.Option(help="API 端口 · port of the API")] = None,
) -> None:
    """走一次完整体检 · Play one whole visit against a running server, over HTTP and MLLP only."""
    raise typer.Exit(asyncio.run(visit.run(state.absolute(), port)))


@app.command("doctor")
def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="也检查医学内容(较慢) · check the medical content as well, which takes a while"),
    ] = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """体检自己 · Check this installation and say how to mend it."""
    raise typer.Exit(asyncio.run(doctor.run(state.absolute(), as_json=as_json, deep=deep)))


@app.command("settings")
def settings_command(as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> None:
    """列出全部设置 · List every TJ_… setting, what it holds (secrets masked), its default and meaning."""
    held = Settings()
    if as_json:
        told = {f"TJ_{n.upper()}": {"held": v, "told": n in held.model_fields_set} for n, v in shown(held).items()}
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    table = Table("TJ_…", "held", "default", "meaning", box=None, pad_edge=False)
    for name, value in shown(held).items():
        field = Settings.model_fields[name]
        default = "" if field.default is None else str(field.default)
        style = "bold" if name in held.model_fields_set else ""
        table.add_row(f"TJ_{name.upper()}", Text(value, style=style), Text(default), Text(field.description or ""))
    Console(width=None if sys.stdout.isatty() else 240).print(table)


@audit_app.command("verify")
def audit_verify() -> None:
    """校验审计链 · Verify the audit chain against its anchors; exit 1 on a fault."""

    async def run() -> int:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
        runtime = wiring.build(Settings())
        chain = AuditChain(runtime.keys, runtime.settings.state / "audit-anchor.jsonl")
        faults = 0
        async with runtime.database.session("worker", SYSTEM) as session:
            async for fault in chain.verify(session):
                faults += 1
                print(json.dumps({"n": fault.n, "event_id": fault.event_id, "fault": fault.kind}))
        await wiring.close(runtime)
        print(json.dumps({"faults": faults}))
        return 1 if faults else 0

    raise typer.Exit(asyncio.run(run()))


FileOption = Annotated[
    Path | None,
    typer.Option(
        help="知识库内容 (JSON, 同 createKnowledgeVersion)；缺省为随附内容 · a content as the API takes it; default: as shipped"
    ),
]


@content_app.command("check")
def content_check(
    file: FileOption = None, as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False
) -> None:
    """检查医学内容 · Hold ranges, rules, findings and advice against each other; exit 1 on a fault."""
    starter, known = catalog.read_starter(), _content_of(file)
    faults, unread = (
        content.check(starter, known, datetime.now(HOSPITAL_ZONE).date(), read=() if file else None),
        content.unverified(starter, known),
    )
    if as_json:
        shown = {
            "faults": [asdict(fault) for fault in faults],
            "unverified": unread,
            "read": content.graded(starter, known),
        }
        print(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        for fault in faults:
            print(f"✗ {fault.check:<12}{fault.at}: {fault.zh} · {fault.en}")
        for kind, (open_, total) in unread.items():
            print(f"{kind:<12}{total:>5} rows, {open_} of them not verified against their source")
        for kind, (primary, secondary, total) in content.graded(starter, known).items():
            print(f"{kind:<12}{primary:>5} read in the source, {secondary} as quoted, of {total}")
        print(f"{len(faults)} faults")
    raise typer.Exit(1 if faults else 0)


@content_app.command("report")
def content_report(
    out: Annotated[Path, typer.Option(help="PDF")] = Path("content-book.pdf"), file: FileOption = None
) -> None:
    """印内容册 · Print the content book, which the laboratory head and the chief physician sign page by page."""
    known, now = _content_of(file), datetime.now(HOSPITAL_ZONE)
    data = content.book(
        catalog.read_starter(), known, hospital=Settings().hospital_name, edition="草稿" if file else "随附内容",
        note=file.name if file else "随软件附带的起始内容", sha256=knowledge.sha256_of(known), printed=now.date(), signed={},
    )  # fmt: skip
    book = render("content_book", data, now=now, templates=project_file("report_templates"))
    out.write_bytes(book.pdf)
    print(f"{out}: {book.pages} pages")


@content_app.command("try")
def content_try(
    version: Annotated[int | None, typer.Option(help="版本号 · number of a version of this installation")] = None,
    file: FileOption = None,
    exams: Annotated[int, typer.Option(min=1, max=500, help="最近的体检数 · how many of the newest exams")] = 100,
    value: Annotated[
        list[str] | None,
        typer.Option(
            help="项目=结果,可多次 · ITEM=VALUE, again for each: the range chosen, the flag, what is found; no database"
        ),
    ] = None,
    sex: Annotated[str, typer.Option(help="male | female")] = "male",
    age: Annotated[str, typer.Option(help="年龄 · such as 10d, 6m, 45y")] = "45y",
    pregnant: Annotated[bool, typer.Option("--pregnant", help="孕期 · pregnant")] = False,
    method: Annotated[str, typer.Option(help="检验方法 · method, as a range names it")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """试算 · Try a version, or a content from a file, on the newest exams, or shipped ranges and a content on values (`--value`); nothing is changed."""
    if value:
        raise typer.Exit(
            _try_values(_content_of(file), value, content.Person(sex, age, pregnant, method), as_json=as_json)
        )

    async def run() -> int:
        runtime = wiring.build(Settings())
        try:
            async with runtime.units.read(SYSTEM) as uow:
                tried = knowledge.in_memory(_content_of(file))
                if version is not None:
                    found = await knowledge.of_number(uow, version)
                    if found is None:
                        print(f"没有版本 {version} · no version {version}", file=sys.stderr)
                        return 1
                    tried = await knowledge.edition(uow, found)
                said = await results.try_content(uow, tried, exams)
        finally:
            await wiring.close(runtime)
        if as_json:
            print(said.model_dump_json(indent=1))
            return 0
        for row in said.changes:
            print(f"{row.what:<9}{row.code:<28}+{row.more:<5}−{row.fewer:<5}{row.name}  {' '.join(row.exam_nos)}")
        print(f"{len(said.changes)} rows differ on {said.exams} exams")
        return 0

    raise typer.Exit(asyncio.run(run()))


def _try_values(known: ContentIn, given: list[str], person: content.Person, *, as_json: bool) -> int:
    """Print how values of one person are judged by the shipped ranges, and what a content says of them; 1 for what cannot be asked."""
    values = dict(part.split("=", 1) for part in given if "=" in part)
    known_ages = re.fullmatch(r"\d{1,5}[dwmy]", person.age) is not None
    if len(values) < len(given) or not known_ages or person.sex not in ("male", "female"):
        print(
            "应为 项目=结果、male|female、10d/6m/45y · ITEM=VALUE, male or female, an age such as 45y", file=sys.stderr
        )
        return 1
    try:
        judged, said = content.try_values(catalog.read_starter(), knowledge.in_memory(known), person, values)
    except content.NoSuchItemError as error:
        print(f"没有项目 {error} · no item {error}", file=sys.stderr)
        return 1
    if as_json:
        print(
            json.dumps(
                {"values": [asdict(one) for one in judged], "said": [asdict(one) for one in said]},
                ensure_ascii=False,
                indent=1,
            )
        )
        return 0
    for one in judged:
        flag = "未判定" if one.flag is None and one.judged else "不作判断" if one.flag is None else one.flag or "正常"
        print(f"{one.item} {one.name} {one.value} {one.unit}  → {flag}")
        print(
            f"    {one.range or '无参考区间 · no range'}  [{one.whom}]  {one.source}{'  (检验科区间优先)' if one.laboratory_first else ''}"
        )
    for row in said:
        when = f"  {row.days} d" if row.days else ""
        print(f"{row.what:<9}{row.code:<28}{row.important_class or '-'}{when}  {row.name}: {row.why}\n    {row.advice}")
    return 0


def _content_of(file: Path | None) -> ContentIn:
    if file is None:
        return knowledge.read_starter()
    given = json.loads(file.read_text(encoding="utf-8"))
    return ContentIn.model_validate({key: rows for key, rows in given.items() if key != "note"})


@contract_app.command("write")
def contract_write(folder: Annotated[Path, typer.Option()] = PACKAGE.parents[1] / "openapi") -> None:
    """生成 openapi/ · Regenerate v1.json and problems.json."""
    built = application.create(_offline_runtime())
    folder.mkdir(exist_ok=True)
    (folder / "v1.json").write_text(contract_text(built), encoding="utf-8")
    (folder / "problems.json").write_text(problems_text(), encoding="utf-8")


@docs_app.command("write")
def docs_write(folder: Annotated[Path, typer.Option()] = PACKAGE.parents[1] / handbook.FOLDER) -> None:
    """生成手册 · Regenerate those pages of docs/ that the code writes."""
    application.create(_offline_runtime())  # whoever may refuse something is loaded
    for name, text in handbook.generate().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _offline_runtime() -> Runtime:
    os.environ.setdefault("TJ_MASTER_KEY", "00" * 32)  # the contract depends on no key; nothing is opened with it
    return wiring.build(Settings(database_url="postgresql+asyncpg://localhost/none"))


@app.command("sbom")
def sbom_command(
    lock: Annotated[Path | None, typer.Option(help="requirements.lock; 缺省为随附的 · default: as shipped")] = None,
) -> None:
    """物料清单 · Print what this software is made of, as CycloneDX 1.6."""
    print(json.dumps(supply.bill(_parts(lock), metadata.version("tjapi")), ensure_ascii=False, indent=1))


@app.command("advisories")
def advisories_command(
    file: Annotated[Path | None, typer.Option(help="OSV 文件 · file of advisories; default: TJ_ADVISORIES")] = None,
    lock: Annotated[Path | None, typer.Option(help="requirements.lock")] = None,
) -> None:
    """漏洞核对 · Hold the libraries against a file of known vulnerabilities; exit 1 on a hit, 2 where no file is held."""
    path = file or Settings().advisories
    if path is None:
        print(
            "未持有漏洞库,什么都没有核对 · no advisory file is held: nothing was checked (TJ_ADVISORIES)",
            file=sys.stderr,
        )
        raise typer.Exit(2)
    try:
        known = supply.read_advisories(path)
    except (OSError, ValueError) as error:
        print(f"读不了漏洞库 · cannot read it: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    held = _parts(lock)
    hits = supply.held_against(held, known)
    for hit in hits:
        mend = f"≥ {' / '.join(hit.fixed)}" if hit.fixed else "无修复版本 · no fixed version known"
        print(f"{hit.part.name} {hit.part.version}  {hit.advisory} {' '.join(hit.aliases)}  → {mend}  {hit.summary}")
    age = known.newest or "unknown date"
    print(f"{len(hits)} hits in {len(held)} libraries · {len(known.entries)} advisories, the newest of {age}")
    raise typer.Exit(1 if hits else 0)


@key_app.command("make")
def key_make(path: Annotated[Path, typer.Argument(help="文件 · file that must not be there yet")]) -> None:
    """生成主密钥 · Draw a master key into a new file (0600)."""
    if path.exists():
        print(f"{path} 已存在,不覆盖 · is there already and stays as it is", file=sys.stderr)
        raise typer.Exit(1)
    drawn = secrets.token_bytes(MASTER_KEY_BYTES)
    installation.write_private(path, drawn.hex() + "\n")
    print(f"{path}  {fingerprint(drawn)}")


@key_app.command("fingerprint")
def key_fingerprint(
    file: Annotated[
        Path | None, typer.Argument(help="托管副本 · file of an escrowed copy; default: the key in use")
    ] = None,
) -> None:
    """主密钥指纹 · Print the fingerprint of the master key, or of a copy, to compare them without showing either."""
    settings = Settings()
    held = settings.master_key.get_secret_value() if settings.master_key else None
    try:
        print(fingerprint(load_master_key(file.read_text(encoding="ascii") if file else held, settings.state)))
    except (OSError, ValueError) as error:
        print(f"不是主密钥 · no master key: {type(error).__name__}", file=sys.stderr)
        raise typer.Exit(1) from None


def _parts(lock: Path | None) -> list[supply.Part]:
    return supply.parts((lock or project_file("requirements.lock")).read_text(encoding="utf-8"))


def _refuse(found: list[starting.Refusal]) -> None:
    for refusal in found:
        print(f"tjapi: {refusal}", file=sys.stderr)
    if found:
        raise typer.Exit(starting.EX_CONFIG)


@contextlib.contextmanager
def _spoken() -> Iterator[None]:
    """Say in a line what a database's refusal means, where the operator can mend it; a fault of ours keeps its traceback."""
    try:
        yield
    except DATABASE_TROUBLE as error:
        known = starting.of_trouble(error)
        if known is None and not is_passing(error):
            raise
        print(f"tjapi: {known or starting.AWAY}", file=sys.stderr)
        raise typer.Exit(starting.EX_CONFIG if known else 1) from None


def main() -> None:
    """Run the command line. What an operator got wrong is said in a line."""
    try:
        app()
    except KeyMissingError as error:
        sys.exit(str(error))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        # The value is not repeated: it may be a secret.
        told = [
            f"TJ_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors(include_input=False)
        ]
        print("\n".join(f"tjapi: {line}" for line in told), file=sys.stderr)
        sys.exit(starting.EX_CONFIG)


if __name__ == "__main__":
    main()
