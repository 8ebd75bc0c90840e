"""The pages an API needs: a start page, Swagger UI and Redoc from the package (hospitals have no internet), the problem catalogue."""

from html import escape
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from tjapi.kernel import problem
from tjapi.kernel.contract import AUDIENCES, for_audience

_STATIC = Path(fastapi_offline.__file__).parent / "static"
_REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
# No script, style, font or image but our own: what a docs page wants from elsewhere is refused by the browser.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; worker-src blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_STYLE = """
:root{--ink:#1d2b2a;--soft:#5b6b69;--line:#dbe4e2;--accent:#0f6b62;--paper:#fbfcfb}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.65 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:860px;margin:0 auto;padding:56px 24px}h1{font-size:30px;margin:0 0 4px;letter-spacing:.5px}h1 span{color:var(--accent)}
p.lead{color:var(--soft);margin:0 0 36px}h2{font-size:15px;color:var(--accent);margin:36px 0 8px;font-weight:600}
ul{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}li{border-bottom:1px solid var(--line);padding:11px 0;display:flex;gap:18px;flex-wrap:wrap}
a{color:var(--accent);text-decoration:none;font-weight:600;min-width:240px}a:hover{text-decoration:underline}a.in{min-width:0;font-weight:400}
li span{color:var(--soft);flex:1;min-width:260px}li:hover{background:#f3f7f6}footer{color:var(--soft);font-size:13px;margin-top:40px}
code{font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;background:#eef3f2;padding:1px 5px;border-radius:4px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:8px 10px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}
"""


def html_page(title: str, body: str) -> HTMLResponse:
    """Return a page that asks nothing of any other host: `body` is HTML, `title` is text."""
    html = (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style><main>{body}</main></html>'
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


_START = """
<h1>tj<span>api</span> 体检系统</h1><p class="lead">体检科后端接口 · The back end of a hospital's health-examination department</p>
<h2>接口文档 · Contract</h2><ul>
<li><a href="/docs">Swagger UI</a><span>试用每个操作 · try each operation</span></li>
<li><a href="/redoc">Redoc</a><span>通读 · read it through</span></li>
<li><a href="/openapi.json">/openapi.json</a><span>OpenAPI 3.1 {audiences}</span></li>
<li><a href="/problems">/problems</a><span>全部错误代码 · every problem, zh / en</span></li></ul>
<h2>手册 · Handbook</h2><ul>
<li><a href="/guide">/guide</a><span>按角色开始、HL7 符合性、状态、事件、错误与处置 · where to start, by role</span></li></ul>
<h2>运行 · Health</h2><ul>
<li><a href="/healthz">/healthz</a><span>存活 · liveness</span></li>
<li><a href="/readyz">/readyz</a><span>就绪 · readiness</span></li>
<li><a href="/metrics">/metrics</a><span>Prometheus</span></li></ul>
<h2>第一步 · First steps</h2><ul>
<li><a href="/docs#/auth/login">POST /api/v1/auth/token</a><span>用 <code>STATE/demo.json</code> 里的演示账号登录 · sign in with a demo login</span></li>
<li><a href="/docs#/exams/createExam">POST /api/v1/exams</a><span>登记一次体检 · register an exam</span></li>
<li><a href="/docs#/exams/getExamCompleteness">GET …/completeness</a><span>为什么还不能终审 · why it cannot be finalized</span></li></ul>
<footer>本页与接口文档全部来自本机,不访问外网 · these pages ask nothing of any other host</footer>
"""
_BARE = """
<h1>tj<span>api</span> 体检系统</h1><p class="lead">接口文档在此安装未开放(TJ_DOCS) · the reference is not served here (TJ_DOCS)</p>
<ul><li><a href="/healthz">/healthz</a><span>存活 · liveness</span></li>
<li><a href="/readyz">/readyz</a><span>就绪 · readiness</span></li>
<li><a href="/problems">/problems</a><span>全部错误代码 · every problem, zh / en</span></li></ul>
"""


def mount(app: FastAPI, *, reference: bool = True) -> None:
    """Add the pages to an application. Its contract is built once.

    Without `reference` there is no contract and no page of it: a start page that names the health checks, and the problems, to which
    every refusal links.
    """
    if reference:
        _mount_reference(app)
    else:
        app.add_route("/", _bare_start, include_in_schema=False)
    _mount_problems(app)


async def _bare_start(_request: Request) -> Response:
    return html_page("tjapi 体检系统", _BARE)


def _mount_reference(app: FastAPI) -> None:
    # Redoc fetches one picture from its maker's site, with no setting against it.
    offline = (_STATIC / "redoc.standalone.js").read_bytes().replace(_REDOC_LOGO, b"data:,")

    async def start(_request: Request) -> Response:
        views = " · ".join(
            f'<a class="in" href="/openapi/{name}.json" title="{escape(who)}">{name}</a>'
            for name, who in AUDIENCES.items()
        )
        return html_page("tjapi 体检系统", _START.replace("{audiences}", f"· {views}"))

    async def contract(_request: Request) -> Response:
        return JSONResponse(_built(app))

    async def contract_of_audience(request: Request) -> Response:
        audience = request.path_params["audience"]
        if audience not in AUDIENCES:
            return problem.response(request, problem.NoSuchPath())
        return JSONResponse(for_audience(_built(app), audience))

    async def swagger(_request: Request) -> Response:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json", title="tjapi · Swagger UI", swagger_js_url="/static/swagger-ui-bundle.js",
            swagger_css_url="/static/swagger-ui.css", swagger_favicon_url="/static/favicon.png",
            swagger_ui_parameters={"docExpansion": "none", "filter": True, "persistAuthorization": False, "validatorUrl": None},
        )  # fmt: skip
        page.headers["Content-Security-Policy"] = _POLICY
        return page

    async def redoc(_request: Request) -> Response:
        page = get_redoc_html(
            openapi_url="/openapi.json", title="tjapi · Redoc", redoc_js_url="/redoc.js",
            redoc_favicon_url="/static/favicon.png", with_google_fonts=False,
        )  # fmt: skip
        page.headers["Content-Security-Policy"] = _POLICY
        return page

    async def redoc_script(_request: Request) -> Response:
        return Response(offline, media_type="text/javascript", headers={"Cache-Control": "public, max-age=86400"})

    for path, endpoint in (
        ("/", start), ("/openapi.json", contract), ("/openapi/{audience}.json", contract_of_audience), ("/docs", swagger),
        ("/redoc", redoc), ("/redoc.js", redoc_script),
    ):  # fmt: skip
        app.add_route(path, endpoint, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")


def _mount_problems(app: FastAPI) -> None:
    async def problems(request: Request) -> Response:
        if "json" in request.headers.get("accept", ""):
            return JSONResponse(problem.catalogue())
        return html_page("tjapi problems", _problem_table(problem.catalogue()))

    async def one_problem(request: Request) -> Response:
        found = [p for p in problem.catalogue() if p["code"] == request.path_params["code"]]
        if not found:
            return problem.response(request, problem.NoSuchPath())
        return html_page(found[0]["code"], _problem_table(found))

    app.add_route("/problems", problems, include_in_schema=False)
    app.add_route("/problems/{code}", one_problem, include_in_schema=False)


def _built(app: FastAPI) -> dict[str, Any]:
    if not hasattr(app.state, "contract"):
        app.state.contract = app.openapi()
    built: dict[str, Any] = app.state.contract
    return built


def _problem_table(entries: list[dict[str, Any]]) -> str:
    rows = "".join(
        f'<tr id="{p["code"]}"><td><code>{p["code"]}</code></td><td>{p["status"]}</td>'
        f"<td>{escape(p['title']['zh'])}<br><small>{escape(p['title']['en'])}</small></td><td><small>{escape(p['meaning'])}</small></td></tr>"
        for p in entries
    )
    return f'<h1>错误代码</h1><p class="lead">Problems (RFC 9457)</p><table><tr><th>code<th>status<th>title<th>meaning</tr>{rows}</table>'
