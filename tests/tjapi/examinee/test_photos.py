"""Photos of examinees: kept by version, seen as the person is seen, replaced without being lost."""

import base64
import io
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from PIL import Image

from tests.conftest import SignIn
from tests.tjapi.world import portrait
from tjapi.examinee import service
from tjapi.examinee.errors import PhotoNotFound
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork
from tjapi.tables import METADATA
from tjapi.visit import invented_person
from tjapi.worker import _FILE_COLUMNS

pytestmark = pytest.mark.requirement("E1.4")
API = "/api/v1"


def once() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(16)}


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


async def meet(sign_in: SignIn, card: dict[str, Any] | None = None, *, login: str = "front", **more: Any) -> Any:
    campus = 2 if login.endswith(".b") else 1
    body = {"campus_id": campus, **(card or invented_person()), **more}
    return await (await sign_in(login)).post(f"{API}/examinees", json=body, headers=once())


async def test_a_photo_is_attached_replaced_and_every_version_kept(sign_in: SignIn) -> None:
    front = await sign_in("front")
    place = f"{API}/examinees/{(await meet(sign_in)).json()['id']}"
    none = await front.get(f"{place}/photo")
    assert (none.status_code, none.json()["code"]) == (404, "photo-not-found")
    first = await front.put(f"{place}/photo", content=portrait(seed=1), headers={"Content-Type": "image/jpeg"})
    assert (first.status_code, first.json()["version"], first.json()["source"]) == (200, 1, "camera")
    second = await front.put(f"{place}/photo", content=portrait("PNG", seed=2), headers={"Content-Type": "image/png"})
    assert second.json()["version"] == 2
    again = await front.put(f"{place}/photo", content=portrait("PNG", seed=2))
    assert again.json() == second.json(), "an unchanged photo makes no new version"
    now = await front.get(f"{place}/photo")
    assert (now.status_code, now.headers["content-type"], now.headers["etag"]) == (200, "image/jpeg", '"2"')
    assert now.headers["cache-control"] == "no-store"
    assert Image.open(io.BytesIO(now.content)).size == (300, 400)
    versions = (await front.get(f"{place}/photos")).json()["items"]
    assert [(v["version"], v["source"], bool(v["taken_by_name"]), v["taken_at"] > "2026") for v in versions] == [
        (2, "camera", True, True), (1, "camera", True, True),
    ]  # fmt: skip
    old, new = [await front.get(f"{place}/photos/{v}") for v in (1, 2)]
    assert new.content == now.content != old.content
    assert (await front.get(f"{place}/photos/3")).json()["code"] == "photo-not-found"


async def test_what_is_no_photo_is_refused_by_its_content_and_by_name_and_loses_nothing(sign_in: SignIn) -> None:
    front = await sign_in("front")
    place = f"{API}/examinees/{(await meet(sign_in)).json()['id']}"
    await front.put(f"{place}/photo", content=portrait(seed=1))
    kept = (await front.get(f"{place}/photo")).content
    for content, code, zh, en in (
        (b"%PDF-1.4", "not_a_picture", "格式", "JPEG or PNG"),
        (portrait("GIF"), "not_a_picture", "格式", "JPEG or PNG"),
        (portrait("PNG")[:-40], "damaged", "损坏", "damaged"),
        (portrait(size=(40, 40)), "too_small", "像素", "pixels"),
        (b"", "empty", "没有", "no picture"),
        (bytes(9_000_000), "too_large", "8 MB", "8 MB"),
    ):
        for language, word in (("zh", zh), ("en", en)):
            headers = {"Content-Type": "image/jpeg", "Accept-Language": language}
            answer = await front.put(f"{place}/photo", content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (422, "photo-invalid")
            error = answer.json()["errors"][0]
            assert (error["code"], word in error["message"]) == (code, True), error
    big = await front.put(f"{place}/photo", content=bytes(13_000_000), headers={"Content-Type": "image/jpeg"})
    assert big.status_code == 413
    assert (await front.get(f"{place}/photo")).content == kept
    nobody = await front.put(f"{API}/examinees/{uuid4()}/photo", content=portrait())
    assert (nobody.status_code, nobody.json()["code"]) == (404, "examinee-not-found")


@pytest.mark.requirement("E1.3")
async def test_the_photo_of_the_card_becomes_a_version_once_and_does_not_push_the_cameras_aside(
    sign_in: SignIn,
) -> None:
    front, card = await sign_in("front"), invented_person()
    read = {**card, "photo": encoded(portrait("BMP", (102, 126), seed=3))}
    met = await meet(sign_in, read)
    assert met.status_code == 201, met.text
    place = f"{API}/examinees/{met.json()['id']}"

    async def sources() -> list[str]:
        return [v["source"] for v in (await front.get(f"{place}/photos")).json()["items"]]

    assert await sources() == ["id_card"]
    await meet(sign_in, read)
    assert await sources() == ["id_card"], "the same card read again"
    await front.put(f"{place}/photo", content=portrait(seed=4))
    await meet(sign_in, read)
    assert await sources() == ["camera", "id_card"], "the same card read after a photo was taken"
    renewed = "data:image/jpeg;base64," + encoded(portrait(size=(102, 126), seed=5))
    await meet(sign_in, {**card, "photo": renewed})
    assert await sources() == ["id_card", "camera", "id_card"], "a renewed card"


@pytest.mark.requirement("E1.3")
async def test_a_card_whose_photo_cannot_be_read_names_the_photo(sign_in: SignIn) -> None:
    for photo, code in (("§§§", "not_base64"), (encoded(b"no picture"), "not_a_picture")):
        answer = await meet(sign_in, photo=photo)
        assert (answer.status_code, answer.json()["code"]) == (422, "photo-invalid")
        assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/photo", code)]


@pytest.mark.requirement("P2")
async def test_a_photo_is_seen_by_the_campuses_that_have_met_the_person_on_every_path(
    sign_in: SignIn, runtime: Any
) -> None:
    card = invented_person()
    met = await meet(sign_in, {**card, "photo": encoded(portrait())})
    person, other = UUID(met.json()["id"]), await sign_in("front.b")
    stranger = Principal("staff", uuid4(), campuses=(2,))
    place = f"{API}/examinees/{person}"
    for path in ("/photo", "/photos", "/photos/1"):
        assert (await other.get(place + path)).json()["code"] == "examinee-not-found", path
    assert (await other.put(f"{place}/photo", content=portrait())).json()["code"] == "examinee-not-found"
    async with runtime.units.read(stranger) as uow:
        assert await service.photo_of(uow, person) is None
    await meet(sign_in, card, login="front.b")
    assert (await other.get(f"{place}/photo")).status_code == 200, "met by an exact identifier"
    async with runtime.units.read(stranger) as uow:
        ref = await service.photo_of(uow, person)
    assert ref is not None
    assert (ref.media_type, ref.version) == ("image/jpeg", 1)
    assert (await runtime.storage.get(ref.file))[:2] == b"\xff\xd8"


async def test_whoever_sees_or_changes_a_photo_leaves_a_trace(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    front = await sign_in("front")
    person = (await meet(sign_in)).json()["id"]
    await front.put(f"{API}/examinees/{person}/photo", content=portrait())
    await front.get(f"{API}/examinees/{person}/photo")
    await front.get(f"{API}/examinees/{person}/photos/1")
    rows = await admin.fetch(
        "select action, detail ->> 'version' as version from audit_event where object_id = $1 and action like '%photo%' order by id", person
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("examinee.photo_kept", "1"), ("examinee.photo_seen", "1"), ("examinee.photo_seen", "1"),
    ]  # fmt: skip


async def test_a_version_cannot_be_changed_or_removed_by_anything_that_serves_requests(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    person = (await meet(sign_in, photo=encoded(portrait()))).json()["id"]
    for role in ("tj_app", "tj_worker", "tj_reader"):
        for right in ("update", "delete"):
            assert not await admin.fetchval("select has_table_privilege($1, 'examinee_photo', $2)", role, right)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("update examinee_photo set source = 'camera' where examinee_id = $1", UUID(person))


def test_the_sweeper_of_orphaned_files_knows_photos() -> None:
    assert ("examinee_photo", "file") in _FILE_COLUMNS
    assert "examinee_photo" in METADATA.tables


async def test_an_examinee_reads_the_own_photo_and_no_other(
    unit: Callable[..., Any], runtime: Any, sign_in: SignIn
) -> None:
    mine, theirs = [UUID((await meet(sign_in, photo=encoded(portrait(seed=n)))).json()["id"]) for n in (7, 8)]
    me = Principal("examinee", mine, departments=(), examinee_id=mine)
    uow: UnitOfWork
    async with runtime.units.read(me) as uow:
        assert await service.photo_of(uow, mine) is not None
        assert await service.photo_of(uow, theirs) is None
    async with unit() as uow:
        with pytest.raises(PhotoNotFound):
            await service.photo_for_reading(uow, mine, 99)
