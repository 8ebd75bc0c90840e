"""What is personal is unreadable where it is stored, opens only at its place, and is shown masked. Files are what was written, or an error."""

import asyncio
import os
import time
from pathlib import Path

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.fields import FieldCipher, mask_id_number, mask_phone
from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.storage import FileDamagedError, LocalStorage
from tjapi.visit import invented_person

KEYS = KeyRing(b"k" * 32)
CIPHER = FieldCipher(KEYS)


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@given(st.text(max_size=60), st.text(max_size=40))
def test_a_field_opens_at_its_place(plain: str, place: str) -> None:
    assert CIPHER.open(CIPHER.seal(plain, place), place) == plain


@given(st.text(max_size=60), st.text(min_size=1, max_size=40), st.data())
def test_a_field_opens_nowhere_else_and_not_when_a_bit_was_turned(plain: str, place: str, data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(plain, place))
    with pytest.raises(InvalidTag):
        CIPHER.open(bytes(sealed), place + "x")
    with pytest.raises(InvalidTag):
        FieldCipher(KeyRing(b"x" * 32)).open(bytes(sealed), place)
    at = data.draw(st.integers(1, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidTag):
        CIPHER.open(bytes(sealed), place)


def test_the_same_field_is_never_sealed_the_same_way_twice() -> None:
    assert len({CIPHER.seal("陈珅", "p") for _ in range(200)}) == 200


def test_a_blind_index_finds_the_exact_value_of_its_purpose_and_says_nothing_else() -> None:
    index = CIPHER.blind_index("690101199003077931", "id_number")
    assert index == CIPHER.blind_index("690101199003077931", "id_number")
    others = [("690101199003077932", "id_number"), ("690101199003077931", "phone")]
    assert index not in [CIPHER.blind_index(*other) for other in others]
    assert index != FieldCipher(KeyRing(b"x" * 32)).blind_index("690101199003077931", "id_number")


@pytest.mark.parametrize(
    ("masked", "shown"),
    [
        (mask_phone("13812341234"), "138****1234"), (mask_id_number("450122199003071234"), "450122********1234"),
        (mask_phone("0771123"), "*****23"),
        (mask_id_number("E12345678"), "E******78"),
        (mask_id_number("7026160447"), "7*******47"), (mask_id_number("AB25129433"), "A*******33"),
        (mask_id_number("70261604470"), "7********70"), (mask_id_number("CAN110090030702"), "CA**********702"),
        (mask_id_number("12345678901234567890"), "123**************890"),
        (mask_id_number("AB123"), "****3"), (mask_id_number("1"), "*"),
    ],
)  # fmt: skip
def test_masks_show_what_the_rule_says(masked: str, shown: str) -> None:
    assert masked == shown


async def test_nobody_reads_an_id_number_phone_or_address_in_the_database(
    world: World, admin: asyncpg.Connection
) -> None:
    front, card = await world.sign_in("front"), invented_person()
    made = await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=key())
    assert made.status_code == 201, made.text
    row = await admin.fetchrow("select * from examinee where id = $1", made.json()["id"])
    stored = b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row.values())
    for secret in (card["id_number"], card["phone"], card["address"]):
        assert secret.encode() not in stored
        assert secret not in made.text
    assert made.json()["id_number_masked"] == mask_id_number(card["id_number"])


async def test_a_sealed_number_copied_to_another_person_does_not_open(
    world: World, admin: asyncpg.Connection, sign_in: SignIn
) -> None:
    (one, _), (two, _) = await world.person(), await world.person()
    await admin.execute(
        "update examinee set id_number_sealed = (select id_number_sealed from examinee where id = $1) where id = $2", one, two
    )  # fmt: skip
    chief = await world.staff("chief")
    place = f"examinee|id_number|{two}"
    sealed = await admin.fetchval("select id_number_sealed from examinee where id = $1", two)
    async with world.runtime.units.read(chief) as uow:
        with pytest.raises(InvalidTag):
            uow.cipher.open(bytes(sealed), place)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path, KEYS)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_comes_back_as_it_was_and_the_same_bytes_are_kept_once(
    storage: LocalStorage, tmp_path: Path
) -> None:
    contents = [os.urandom(n) for n in (0, 1, 4096, 300_000)]
    addresses = await asyncio.gather(*(storage.put(content) for content in contents * 3))
    assert len(set(addresses)) == len(contents) == len(_files(tmp_path))
    assert [await storage.get(address) for address in addresses] == contents * 3
    assert sorted(await storage.older_than(time.time() + 60)) == sorted(set(addresses))
    assert await storage.older_than(time.time() - 60) == []


async def test_a_file_tells_nothing_to_who_finds_it(storage: LocalStorage, tmp_path: Path) -> None:
    content = "张三 HIV 阴性".encode() * 50
    address = await storage.put(content)
    (path,) = _files(tmp_path)
    assert content[:12] not in path.read_bytes()
    # Who knows the content cannot ask whether it is here: the address is a keyed hash.
    assert address != await LocalStorage(tmp_path / "b", KeyRing(b"x" * 32)).put(content)


async def test_every_damage_is_noticed(storage: LocalStorage, tmp_path: Path) -> None:
    address = await storage.put(os.urandom(200))
    (path,) = _files(tmp_path)
    sound = path.read_bytes()
    for i in range(len(sound)):
        path.write_bytes(sound[:i] + bytes([sound[i] ^ 1 << i % 8]) + sound[i + 1 :])
        with pytest.raises(FileDamagedError):
            await storage.get(address)
    for length in (0, 5, len(sound) - 1):
        path.write_bytes(sound[:length])
        with pytest.raises(FileDamagedError):
            await storage.get(address)


async def test_a_file_under_anothers_address_is_noticed(storage: LocalStorage, tmp_path: Path) -> None:
    one, two = await storage.put(b"one"), await storage.put(b"two")
    files = {path.parent.name + path.name: path for path in _files(tmp_path)}
    files[two].write_bytes(files[one].read_bytes())
    with pytest.raises(FileDamagedError):
        await storage.get(two)


async def test_putting_a_damaged_file_again_mends_it(storage: LocalStorage, tmp_path: Path) -> None:
    address = await storage.put(b"a report")
    (path,) = _files(tmp_path)
    path.write_bytes(b"rotten")
    assert await storage.put(b"a report") == address
    assert await storage.get(address) == b"a report"


@pytest.mark.parametrize("address", ["", "../../etc/passwd", "g" * 64, "A" * 64, "ab", "a" * 64])
async def test_no_address_leads_out_of_the_folder(storage: LocalStorage, address: str) -> None:
    with pytest.raises(FileNotFoundError):
        await storage.get(address)
