"""Reports of random journeys, read line by line against their results; and a reader that notices what is not so."""

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.reading.__main__ import read
from tests.reading.reader import Reading, stored
from tests.tjapi.world import API, House, Visit, house, until
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.security.tokens import LinkMint

pytestmark = [
    pytest.mark.requirement("E6.1", "E3.3", "E3.4"),
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext: `make pdfsig` installs Poppler"),
]
JOURNEYS = int(os.environ.get("TJ_READ_REPORTS", "3"))
GROUPS = ("GENERAL", "GLU", "RENAL", "CBC")
# Low, ordinary, high, critical, and what no machine can judge.
VALUES = {
    "GLU": ("4.8", "6.6", "7.3", "25.0"), "UA": ("300", "455"), "CREA": ("60", "130"), "UREA": ("5", "9.2"), "HGB": ("140", "101"),
    "PLT": ("200", "95"), "WBC": ("6", "11.2", "3.1"), "RBC": ("4.5",), "HCT": ("0.45",),
}  # fmt: skip
BODY = {"SBP": ("118", "142", "186"), "DBP": ("76", "95"), "HEIGHT": ("170",), "WEIGHT": ("62", "85"), "PULSE": ("72",)}


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"reading_{worker_name}") as built:
        yield built


async def _examined(place: House, luck: random.Random) -> Visit:
    """Somebody goes through the departments and the laboratory; what is found is a matter of luck."""
    visit = await place.world.checked_in(*GROUPS)
    doctor = await place.sign_in("doctor")
    desk = f"{visit.place}/departments/{visit.departments['GENERAL']}"
    sheet = (await doctor.get(f"{desk}/sheet")).json()
    given = [
        {"item_id": i["item_id"], "value": luck.choice(BODY[i["item_code"]])}
        for i in sheet["items"]
        if i["item_code"] in BODY
    ]
    entered = await doctor.put(f"{desk}/results", json={"results": given}, headers={"If-Match": '"0"'})
    signed = await doctor.post(
        f"{desk}/sheet:sign", json={"fill_defaults": True}, headers={"If-Match": entered.headers["etag"]}
    )
    assert signed.status_code == 200, signed.text
    await place.world.file(visit, **{code: luck.choice(values) for code, values in VALUES.items()})
    return visit


async def _published(place: House, visit: Visit) -> str:
    """Two doctors sign what was generated; the report is rendered, sealed, published."""
    reviewer, chief = await place.sign_in("reviewer"), await place.sign_in("chief")
    for alert_id in await place.admin.fetch("select id from critical_value where exam_id = $1", visit.exam_id):
        answer = await reviewer.get(f"{API}/critical-values/{alert_id[0]}")
        told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "马上去急诊"}
        for verb, body in (("confirm", None), ("notify", told)):
            asked = {"If-Match": answer.headers["etag"]}
            answer = await reviewer.post(f"{API}/critical-values/{alert_id[0]}:{verb}", json=body, headers=asked)
            assert answer.status_code == 200, answer.text
    tag = '"0"'
    for client, verb in ((reviewer, "generate"), (reviewer, "sign"), (chief, "finalize")):
        answer = await client.post(f"{visit.place}/conclusion:{verb}", headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        tag = answer.headers["etag"]
    await place.admin.execute("delete from job where name <> 'report.render'")
    report = (await chief.post(f"{visit.place}/reports")).json()
    held = place.runtime
    runner, stop = Runner(held.units, held.jobs, held.services, slots=2, lease=30, sweep=60), asyncio.Event()
    task = asyncio.create_task(runner.run(stop))

    async def sealed() -> bool:
        return bool((await chief.get(f"{API}/reports/{report['id']}")).json()["state"] == "sealed")

    await until(sealed, seconds=120)
    stop.set()
    await task
    published = await chief.post(f"{API}/reports/{report['id']}:publish")
    assert published.status_code == 200, published.text
    return str(report["id"])


async def _read(place: House, report_id: str) -> Reading:
    chief = await place.sign_in("chief")
    headers = {"Authorization": chief.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=place.base_url, timeout=30, trust_env=False) as http:
        return await read(http, headers, place.admin, LinkMint(place.runtime.keys), report_id)


async def test_published_reports_of_random_journeys_say_what_is_stored_line_by_line(place: House) -> None:
    seed = random.SystemRandom().randrange(10**6)
    luck = random.Random(seed)
    for _ in range(JOURNEYS):
        visit = await _examined(place, luck)
        reading = await _read(place, await _published(place, visit))
        assert len(reading.true.rows) > 10
        assert reading.faults == [], f"seed {seed}"


@pytest.fixture(scope="module")
async def report(place: House) -> str:
    """A report of somebody with a critical glucose, high pressure, and a uric acid."""
    worst = type("Worst", (), {"choice": staticmethod(lambda values: values[-1])})()
    return await _published(place, await _examined(place, worst))


_ROW = "(select r.current_revision_id from result r where r.exam_id = (select exam_id from report where id = $1::uuid) and r.item_code = 'GLU')"
TAMPERED = {
    "a value": f"update result_revision set raw_value = '24.0', text = '24.0', numeric = 24.0 where id = {_ROW}",
    "a flag": f"update result_revision set flag = '' where id = {_ROW}",
    "a unit": f"update result_revision set unit = 'mg/dL' where id = {_ROW}",
    "a range": f"update result_revision set range_snapshot = jsonb_set(range_snapshot, '{{high}}', '\"7.7\"') where id = {_ROW}",
    "a name": "update exam set name = '别的人' where id = (select exam_id from report where id = $1::uuid)",
    "a date": "update exam set exam_date = exam_date - 1 where id = (select exam_id from report where id = $1::uuid)",
    "a conclusion": "update conclusion_entry set title = '另一个结论' where exam_id = (select exam_id from report where id = $1::uuid) and sort = 0",
    "what a conclusion rests on": "update conclusion_entry set result_ids = '{}' where exam_id = (select exam_id from report where id = $1::uuid)",
    "the check code": 'update report set proof = proof || \'{"digest": "0000 0000 0000 0000"}\' where id = $1::uuid',
    "an alert that was dismissed": "update critical_value set state = 'dismissed' where exam_id = (select exam_id from report where id = $1::uuid)",
    "an alert that stands": "update critical_value set result_ids = array(select id from result where exam_id = (select exam_id from report where id = $1::uuid))"
    " where exam_id = (select exam_id from report where id = $1::uuid)",
    "a calm overview": "update conclusion set overview = '本次体检所检项目未见明显异常。' where exam_id = (select exam_id from report where id = $1::uuid)",
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_the_reader_notices_when_the_paper_and_the_rows_part(place: House, report: str, what: str) -> None:
    assert (await _read(place, report)).faults == []
    await place.admin.execute("set session_replication_role = replica")
    change = place.admin.transaction()
    await change.start()
    await place.admin.execute(TAMPERED[what], report)
    true = await stored(place.admin, report)
    chief = await place.sign_in("chief")
    reading = Reading(true)
    reading.flags()
    reading.paper((await chief.get(f"{API}/reports/{report}/pdf")).content)
    await change.rollback()
    await place.admin.execute("set session_replication_role = origin")
    assert reading.faults, f"{what} was changed, and nobody noticed"


def test_the_reader_shares_no_code_with_the_product() -> None:
    text = (Path(__file__).parent / "reader.py").read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.startswith(("import tjapi", "from tjapi", "import adapters", "from adapters"))]  # fmt: skip
