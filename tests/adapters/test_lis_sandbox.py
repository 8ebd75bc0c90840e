"""The sandbox laboratory: it measures, reports, insists, and misbehaves only when told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.lis import registry
from adapters.lis.contract import LabReport
from tests.adapters.lis_peers import Sandbox, answer, mllp_peer, order, sandbox


@dataclass
class Gateway:
    payloads: list[bytes] = field(default_factory=list)

    def reports(self) -> list[LabReport]:
        return [registry.parser("hl7_mllp")(payload) for payload in self.payloads]


@contextlib.asynccontextmanager
async def laboratory(*options: str) -> AsyncIterator[tuple[Sandbox, Gateway]]:
    gateway = Gateway()

    async def take(payload: bytes, writer: asyncio.StreamWriter) -> None:
        gateway.payloads.append(payload)
        writer.write(answer(payload))

    async with mllp_peer(take) as port, sandbox(port, *options) as lab:
        yield lab, gateway


async def send(lab: Sandbox, barcode: str) -> None:
    lis = registry.client("hl7_mllp", {"host": "127.0.0.1", "port": lab.mllp_port})
    await lis.send_order(order(barcode), message_id=f"T-{barcode}")
    await lis.close()


async def test_an_ordered_tube_comes_back_as_a_report_about_the_same_person() -> None:
    async with laboratory() as (lab, gateway):
        await send(lab, "B1")
        await lab.sent(1)
        report = gateway.reports()[0]
        assert (report.patient_name, report.exam_no, report.patient_id) == ("陈珅", "X0001", "E0001")
        assert [(each.barcode, each.placer_no) for each in report.results] == [("B1", "B1-1"), ("B1", "B1-2")]
        assert [len(each.observations) for each in report.results] == [4, 1]
        assert all(each.unit and each.range_text for result in report.results for each in result.observations)


async def test_next_value_correction_and_withdrawal_reach_the_gateway_as_f_c_and_w() -> None:
    async with laboratory() as (lab, gateway):
        await lab.post("/next-value", barcode="B1", code="GLU", value="23.5")
        await send(lab, "B1")
        await lab.sent(1)
        await lab.post("/correct", barcode="B1", code="GLU", value="5.20")
        await lab.post("/withdraw", barcode="B1", code="WBC")
        await lab.sent(3)
        first, corrected, withdrawn = gateway.reports()
        glucose = first.results[1].observations[0]
        assert (glucose.raw_value, glucose.abnormal_flags, glucose.status) == ("23.5", ("HH",), "F")
        again = corrected.results[0].observations[0]
        assert (again.code, again.raw_value, again.status) == ("GLU", "5.20", "C")
        assert corrected.results[0].placer_no == "B1-2"
        gone = withdrawn.results[0].observations[0]
        assert (gone.code, gone.status) == ("WBC", "W")


async def test_a_specimen_that_is_sent_back_unmeasured_says_why_and_is_not_measured_afterwards() -> None:
    async with laboratory("--auto-delay=-1") as (lab, gateway):
        await send(lab, "B1")
        assert (await lab.post("/refuse", barcode="B1", reason="RC", text="凝块")).status_code == 200
        await lab.sent(1)
        (report,) = gateway.reports()
        found = [(r.barcode, r.placer_no, r.refused and (r.refused.reason, r.refused.text)) for r in report.results]
        assert found == [("B1", "B1-1", ("clotted", "凝块")), ("B1", "B1-2", ("clotted", "凝块"))]
        assert not any(result.observations for result in report.results)
        for path in ("/refuse", "/receive"):
            assert (await lab.post(path, barcode="B1")).status_code == 409


async def test_an_answer_that_never_came_makes_it_send_the_same_bytes_again() -> None:
    async with laboratory() as (lab, gateway):
        await lab.post("/faults", drop_ack=2)
        await send(lab, "B1")
        sent = await lab.sent(1)
        assert sent[0]["attempts"] == 3
        assert len(gateway.payloads) == 3
        assert len(set(gateway.payloads)) == 1


async def test_faults_do_what_they_say_and_are_used_up() -> None:
    async with laboratory() as (lab, gateway):
        await lab.post("/faults", duplicate=1, charset="GB18030", unknown_code=1, changed_content_same_id=1)
        await send(lab, "B1")
        await lab.sent(3)
        one, two, changed = gateway.payloads
        assert one == two != changed
        reports = gateway.reports()
        assert reports[0].message_id == reports[2].message_id
        assert b"GB 18030" in one
        assert any(each.code == "ZZ999" for each in reports[0].results[0].observations)
        await lab.post("/faults", wrong_patient=1)
        await send(lab, "B2")
        await lab.sent(4)
        assert (gateway.reports()[3].patient_name, gateway.reports()[3].results[0].barcode) == ("张冠", "B2")
        await lab.post("/faults", out_of_order=2)
        await send(lab, "B3")
        await send(lab, "B4")
        await lab.sent(6)
        assert [each.results[0].barcode for each in gateway.reports()[4:]] == ["B4", "B3"]
        flood = await lab.post("/flood", count=5, barcode="B1")
        await lab.sent(11)
        assert len(set(flood.json()["control_ids"])) == 5


async def test_a_refusal_is_recorded_and_not_repeated() -> None:
    async def refuse(payload: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(payload, "AE", "no"))

    async with mllp_peer(refuse) as port, sandbox(port) as lab:
        await send(lab, "B1")
        refused = (await lab.sent(1, state="refused"))[0]
        assert (refused["ack_code"], refused["ack_text"], refused["attempts"]) == ("AE", "no", 1)


async def test_orders_survive_a_restart(tmp_path: object) -> None:
    async with laboratory(f"--state={tmp_path}") as (lab, _):
        await send(lab, "B1")
        await lab.sent(1)
    async with laboratory(f"--state={tmp_path}") as (lab, gateway):
        await lab.post("/correct", barcode="B1", code="GLU", value="5.55")
        await lab.sent(1)
        assert gateway.reports()[0].patient_name == "陈珅"


async def test_what_was_not_answered_before_a_restart_is_sent_again_under_the_same_id(tmp_path: object) -> None:
    first: list[bytes] = []

    async def never(payload: bytes, writer: asyncio.StreamWriter) -> None:
        first.append(payload)

    async with mllp_peer(never) as port, sandbox(port, f"--state={tmp_path}") as lab:
        await send(lab, "B1")
        async with asyncio.timeout(5):
            while not first:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
    async with laboratory(f"--state={tmp_path}") as (lab, gateway):
        await lab.sent(1)
        assert gateway.payloads == first[:1]


async def test_the_control_port_says_what_it_does_not_know() -> None:
    async with laboratory() as (lab, _):
        assert (await lab.post("/receive", barcode="none")).status_code == 404
        assert (await lab.post("/faults", nonsense=1)).status_code == 422
        assert (await lab.control.get("/nowhere")).status_code == 404
        raw = await lab.control.post("/send-raw", content=b"MSH|^~\\&|A|B|||20260801||ORU^R01|RAW1|P|2.5.1\r")
        assert raw.json()["ack_code"] == "AA"
