"""`python -m tests.reading STATE [REPORTS]`: read published reports of a running system (`make run`), line by line, against its rows.

Five visits are played for it (`tjapi visit`), the rest are exams of the demo hospital. Exit 1: a contradiction, each named.
"""

import asyncio
import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.reading.reader import Reading, stored

# Only to open the owner's page as somebody who was sent a link: nothing that is read comes from here.
from tjapi.kernel.security.keys import KeyRing, load_master_key
from tjapi.kernel.security.tokens import LinkClaims, LinkMint

VISITS, PATIENCE = 5, 240.0


async def connected(state: Path) -> asyncpg.Connection:
    """Connect to the embedded database as its administrator."""
    secret = (state / "postgres" / "superuser.password").read_text(encoding="utf-8").strip()
    place = str(state / "postgres" / "run")
    return await asyncpg.connect(host=place, port=5432, user="postgres", password=secret, database="tjapi")


async def signed_in(http: httpx.AsyncClient, told: dict[str, Any], role: str) -> dict[str, str]:
    """Return the header of a demo login."""
    login = {name: told["logins"][role][name] for name in ("username", "password")}
    token = (await http.post("/api/v1/auth/token", json=login)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def published(http: httpx.AsyncClient, chief: dict[str, str], db: asyncpg.Connection, wanted: int) -> list[str]:
    """Have reports published until there are so many; return their ids, newest first."""
    query = "select id::text from report where state = 'published' and proof->>'digest' is not null order by published_at desc limit $1"
    rest = await db.fetch(
        "select id from exam e where state = 'finalized' and campus_id = 1"
        " and not exists (select 1 from report r where r.exam_id = e.id) order by random() limit 60"
    )
    for (exam_id,) in rest:
        if len(await db.fetch(query, wanted)) >= wanted:
            break
        asked = await http.post(f"/api/v1/exams/{exam_id}/reports", headers=chief)
        if asked.status_code != httpx.codes.ACCEPTED:
            continue
        report, waited = asked.json(), 0.0
        while report["state"] in ("rendering", "generated") and waited < PATIENCE:
            await asyncio.sleep(0.3)
            waited += 0.3
            report = (await http.get(f"/api/v1/reports/{report['id']}", headers=chief)).json()
        await http.post(f"/api/v1/reports/{report['id']}:publish", headers=chief)
    return [row[0] for row in await db.fetch(query, wanted)]


async def read(
    http: httpx.AsyncClient, chief: dict[str, str], db: asyncpg.Connection, mint: LinkMint, report_id: str
) -> Reading:
    """Read a report on paper, on a phone in both languages, on the verification page, and as data."""
    true = await stored(db, report_id)
    reading, report = Reading(true), true.report
    reading.flags()
    reading.paper((await http.get(f"/api/v1/reports/{report_id}/pdf", headers=chief)).content)
    claims = LinkClaims(report["examinee_id"], UUID(report_id), report["version"])
    link = "/r/" + mint.issue(claims, expires_at=datetime.now(UTC) + timedelta(minutes=9))
    for lang in ("zh", "en"):
        reading.phone((await http.get(link, params={"lang": lang})).text, lang)
    told = (await http.get(f"/api/v1/report-verifications/{report['verify_code']}")).json()
    reading.verification((await http.get(f"/verify/{report['verify_code']}")).text, told)
    place = f"/api/v1/exams/{report['exam_id']}"
    results = (await http.get(f"{place}/results", headers=chief)).json()
    conclusion = (await http.get(f"{place}/conclusion", headers=chief)).json()
    reading.api(results, conclusion, (await http.get(f"/api/v1/reports/{report_id}/content", headers=chief)).json())
    return reading


async def main(state: Path, wanted: int) -> int:
    """Play, publish, read; return how many contradictions there were."""
    told = json.loads((state / "demo.json").read_text(encoding="utf-8"))
    for _ in range(min(VISITS, wanted)):
        visit = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tjapi.cli", "visit", "--state", str(state),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await visit.wait()
    db = await connected(state)
    mint = LinkMint(KeyRing(load_master_key(None, state)))
    faults = lines = 0
    async with httpx.AsyncClient(base_url=told["base_url"], timeout=60, trust_env=False) as http:
        chief = await signed_in(http, told, "chief")
        reports = await published(http, chief, db, wanted)
        random.shuffle(reports)
        for report_id in reports:
            reading = await read(http, chief, db, mint, report_id)
            true = reading.true
            lines += len(true.rows)
            faults += len(reading.faults)
            print(
                f"{true.head['exam_no']} v{true.report['version']}: {len(true.rows)} results, {len(true.flagged)} flagged, {len(true.entries)} conclusions, {len(reading.faults)} contradictions"
            )
            for fault in reading.faults:
                print(f"  {fault}")
    await db.close()
    print(f"{len(reports)} reports, {lines} results, {faults} contradictions")
    return faults + (wanted - len(reports))


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else ".state").absolute()
    sys.exit(min(asyncio.run(main(place, int(sys.argv[2]) if len(sys.argv) > 2 else 20)), 1))
