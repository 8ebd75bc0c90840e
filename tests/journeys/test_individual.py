"""Somebody comes by themselves: from the card reader to the guide sheet's return, in the contract's own words."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.journeys.contract import FrontEnd, example
from tests.tjapi.world import House, house, portrait
from tjapi.kernel.clock import business_day

GROUPS = ("GENERAL", "INTERNAL", "CBC", "LIVER", "RENAL", "GLU", "LIPID", "URINE")


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    """A hospital to which nobody else comes."""
    async with house(f"individual_{worker_name}") as built:
        yield built


@pytest.fixture
def front_end(place: House) -> FrontEnd:
    return FrontEnd(place.sign_in)


@pytest.mark.requirement("E1.1", "E1.2", "E1.3", "E1.4", "E1.5", "E1.6", "E1.7", "E1.8", "X1", "X2")
async def test_from_the_card_to_the_guide_sheets_return(place: House, front_end: FrontEnd) -> None:
    call, groups = front_end.json, await place.world.groups()
    today = business_day(place.runtime.clock.now())

    # The card lies on the reader; a picture is taken; whoever types two letters finds them.
    person = (await call("meetExaminee"))["id"]
    assert (await call("meetExaminee"))["id"] == person  # the card is read again: it is the same person
    await front_end("putExamineePhoto", examinee_id=person, content=portrait(), media_type="image/jpeg")
    found = await call("searchExams")
    assert person in [one["examinee"]["id"] for one in found["items"]]

    # A place is looked for, the price is said, the place is taken, and changed once.
    days = {"campus_id": 1, "day_from": str(today + timedelta(1)), "day_to": str(today + timedelta(8))}
    free = [d for d in (await call("getAppointmentAvailability", query=days))["days"] if d["sessions"]]
    first, second = free[0], free[1]
    package = next(p for p in (await call("listExamPackages"))["items"] if p["code"] == "BASIC-M")
    session = first["sessions"][0]["session_id"]
    booked = await call(
        "createAppointment", examinee_id=person, package_id=package["id"], session_id=session, day=first["day"]
    )
    assert booked["exam"]["total_fen"] == package["price_fen"]
    appointment, exam = {"appointment_id": booked["appointment"]["id"]}, {"exam_id": booked["exam"]["id"]}
    moved = await call(
        "rescheduleAppointment", **appointment, day=second["day"], session_id=second["sessions"][0]["session_id"]
    )
    assert moved["exam"]["exam_date"] == second["day"]

    # They come today, and are given their papers.
    desk = await call("checkIn", **exam)
    assert (desk["exam"]["state"], desk["exam"]["exam_date"]) == ("checked_in", str(today))
    await front_end("checkIn", **exam, refused="exam-state-conflict")
    label = next(d for d in desk["documents"]["items"] if d["kind"] == "tube_label")
    printed = await call("createDocumentPrint", papers=[exam | {"tube_id": label["tube_id"]}])
    zpl = await front_end("downloadDocumentPrint", print_id=printed["id"])
    assert label["barcode"].encode() in zpl.content
    for paper in desk["documents"]["items"]:  # every link is sent as it stands
        link = paper["links"][0]
        client = await place.sign_in("front")
        assert (await client.request(link["method"], link["href"], json=link["body"])).status_code == 201, paper
    kinds = {d["kind"] for d in (await call("listExamDocuments", **exam))["items"] if d["printed"]}
    assert kinds >= {"guide_sheet", "tube_label", "exam_label"}
    assert len((await call("listDocumentPrints", **exam))["items"]) == 1 + len(desk["documents"]["items"])
    board = await call("getBoard", query={"campus_id": 1})
    assert (board["booked"], board["checked_in"], board["blood_drawn"]) == (1, 1, 0)

    # From room to room; and on the way this and that is changed.
    room = await call("createRoom", "admin", department_id=1)
    guided = await call("guideExaminee", **exam)
    assert guided["ticket"]["room_id"] == room["id"]
    called = await call("callNextTicket", "doctor", room_id=room["id"])
    for operation in ("enterTicket", "finishTicket"):
        await call(operation, "doctor", ticket_id=called["id"])

    lines = {line["code"]: line["id"] for line in desk["exam"]["lines"]}
    assert set(lines) == set(GROUPS)
    extra = await call("addExamLines", **exam, item_group_ids=[str(groups["ECG"])])
    assert extra["total_fen"] > package["price_fen"]
    instead = await call(
        "substituteExamLine", **exam, line_id=lines["URINE"], item_group_ids=[str(groups["URINE-SED"])]
    )
    lines |= {line["code"]: line["id"] for line in instead["lines"]}
    withdrawn = await call("withdrawExamLines", **exam, line_ids=[lines["ECG"]])
    assert withdrawn["total_fen"] == sum(
        line["price_fen"] for line in withdrawn["lines"] if line["state"] not in ("withdrawn", "substituted")
    )
    await call("refuseExamLines", **exam, line_ids=[lines["CBC"]])
    await call("waiveExamLines", **exam, line_ids=[lines["LIPID"]])
    await call("deferExamLines", **exam, line_ids=[lines["URINE-SED"]], due_on=str(today + timedelta(10)))
    await call("reinstateExamLines", **exam, line_ids=[lines["CBC"], lines["LIPID"]])
    held = await call("holdExam", **exam)
    assert held["hold_reason"] == example("holdExam")["reason"]
    await front_end("refuseExamLines", **exam, line_ids=[lines["CBC"]], refused="exam-state-conflict")
    await call("resumeExam", **exam)
    steps = (await call("listExamLineSteps", **exam))["items"]
    assert {s["action"] for s in steps} == {
        "added", "withdrawn", "substituted", "refused", "waived", "deferred", "reinstated",
    }  # fmt: skip

    # Blood is drawn; the doctor's rooms are not gone to; the sheet comes back.
    tubes = [t for t in (await call("listTubes", **exam))["items"] if t["state"] == "planned"]
    for tube in tubes:
        await call("collectTube", tube_id=tube["id"])
    assert (await call("getBoard", query={"campus_id": 1}))["blood_drawn"] == 1
    seen = await call("getGuideSheetReturn", **exam)
    undone = [line["line_id"] for line in seen["open_lines"]]
    assert undone == [lines["GENERAL"], lines["INTERNAL"]]
    await front_end("returnGuideSheet", **exam, decisions=[{"line_id": undone[0]}], refused="guide-sheet-undecided")
    back = await call("returnGuideSheet", **exam, decisions=[{"line_id": line} for line in undone])
    assert (back["state"], back["open_lines"]) == ("sheet_returned", [])
    out = await call("giveBackGuideSheet", **exam)
    assert [line["line_id"] for line in out["open_lines"]] == undone
    await call("putGuideSheetPolicy", "admin")
    await call("returnGuideSheet", **exam, decisions=[{"line_id": line} for line in undone])
    missing = await call("getExamCompleteness", **exam)
    assert not missing["complete"]
    assert {o["code"] for o in missing["outstanding"]} == {"line_deferred", "line_collected"}
    assert (await call("getBoard", query={"campus_id": 1}))["examined"] == 1


@pytest.mark.requirement("E1.2", "E1.3", "E1.6")
async def test_a_place_is_kept_given_back_taken_and_cancelled_with_its_exam(place: House, front_end: FrontEnd) -> None:
    call, today = front_end.json, business_day(place.runtime.clock.now())
    person, _ = await place.world.person()
    package = next(p for p in (await call("listExamPackages"))["items"] if p["sex"] == "any")
    days = {"campus_id": 1, "day_from": str(today + timedelta(9)), "day_to": str(today + timedelta(20))}
    free = next(d for d in (await call("getAppointmentAvailability", query=days))["days"] if d["sessions"])
    there = {"day": free["day"], "session_id": free["sessions"][0]["session_id"]}
    held = await call("holdAppointment", **there)
    await front_end("releaseAppointmentHold", appointment_id=held["id"])
    booked = await call("createAppointment", examinee_id=str(person), package_id=package["id"], **there)
    again = await call("createExam", examinee_id=str(person), package_id=package["id"], exam_date=str(today))
    gone = await call("cancelAppointment", appointment_id=booked["appointment"]["id"])
    assert (gone["appointment"]["state"], gone["exam"]["state"]) == ("cancelled", "cancelled")
    assert (await call("cancelExam", exam_id=again["id"]))["state"] == "cancelled"
    await front_end("cancelExam", exam_id=again["id"], refused="exam-state-conflict")
    past = await call("listExamineeExams", examinee_id=person)
    assert [e["state"] for e in past["items"]] == ["cancelled", "cancelled"]
