"""Which room is next."""

from uuid import UUID

import hypothesis.strategies as st
from hypothesis import given

from tjapi.guidance.rules import Choice, Errand, Room, called_name, next_room

LAB, ULTRASOUND, INTERNAL, ECG = 4, 6, 2, 5


def _room(number: int, department: int, queue: int = 0, minutes: int = 5) -> Room:
    return Room(UUID(int=number), department, queue, minutes, number)


def _number(choice: Choice | None) -> int:
    assert choice is not None
    return choice.room.id.int


def test_fasting_comes_first_however_long_its_queue() -> None:
    errands = [Errand(INTERNAL, fasting=False), Errand(LAB, fasting=True)]
    assert _number(next_room(errands, [_room(1, INTERNAL), _room(2, LAB, queue=30)], {})) == 2


def test_the_shortest_wait_wins_and_a_slow_room_waits_longer_than_a_long_queue() -> None:
    errands = [Errand(INTERNAL, fasting=False), Errand(ULTRASOUND, fasting=False)]
    rooms = [
        _room(1, INTERNAL, queue=4, minutes=3),
        _room(2, ULTRASOUND, queue=2, minutes=10),
        _room(3, INTERNAL, queue=3, minutes=3),
    ]
    assert _number(next_room(errands, rooms, {})) == 3


def test_what_must_come_before_comes_before_and_order_gives_way_where_its_room_is_closed() -> None:
    errands = [Errand(INTERNAL, fasting=False), Errand(ECG, fasting=False)]
    after = {INTERNAL: {ECG}}
    assert _number(next_room(errands, [_room(1, INTERNAL), _room(2, ECG, queue=9)], after)) == 2
    assert _number(next_room(errands, [_room(1, INTERNAL)], after)) == 1
    circle = {INTERNAL: {ECG}, ECG: {INTERNAL}}
    assert _number(next_room(errands, [_room(1, INTERNAL, queue=1), _room(2, ECG)], circle)) == 2


def test_nowhere_to_go_is_no_room() -> None:
    assert next_room([], [_room(1, INTERNAL)], {}) is None
    assert next_room([Errand(LAB, fasting=True)], [_room(1, INTERNAL)], {}) is None


DEPARTMENTS = st.integers(1, 6)


@given(
    st.lists(st.builds(Errand, DEPARTMENTS, st.booleans()), max_size=8, unique_by=lambda e: e.department_id),
    st.lists(
        st.builds(Room, st.uuids(), DEPARTMENTS, st.integers(0, 30), st.integers(1, 20), st.integers(0, 9)), max_size=10
    ),
    st.dictionaries(DEPARTMENTS, st.frozensets(DEPARTMENTS, max_size=3), max_size=6),
)
def test_whoever_has_an_errand_with_an_open_room_is_sent_to_one_of_them(
    errands: list[Errand], rooms: list[Room], after: dict[int, frozenset[int]]
) -> None:
    wanted = {e.department_id for e in errands} & {r.department_id for r in rooms}
    choice = next_room(errands, rooms, after)
    assert (choice is None) == (not wanted)
    assert choice is None or (choice.room.department_id in wanted and not choice.again)


@given(
    st.lists(st.builds(Errand, DEPARTMENTS, st.booleans()), max_size=8, unique_by=lambda e: e.department_id),
    st.lists(
        st.builds(Room, st.uuids(), DEPARTMENTS, st.integers(0, 30), st.integers(1, 20), st.integers(0, 9)), max_size=10
    ),
    st.dictionaries(DEPARTMENTS, st.frozensets(DEPARTMENTS, max_size=3), max_size=6),
    st.lists(DEPARTMENTS, min_size=1, max_size=6),
)
def test_nobody_is_sent_back_to_the_room_just_left_unless_nothing_else_is_left_to_do_and_then_it_is_said(
    errands: list[Errand], rooms: list[Room], after: dict[int, frozenset[int]], been: list[int]
) -> None:
    """Whatever comes before what, whoever fasts, however short the queue of the room one has come out of is."""
    wanted = {e.department_id for e in errands} & {r.department_id for r in rooms}
    choice = next_room(errands, rooms, after, been)
    assert (choice is None) == (not wanted)
    if choice is None:
        return
    gone_to = choice.room.department_id
    assert gone_to in wanted
    assert gone_to != been[-1] or wanted == {been[-1]}
    assert gone_to not in been or wanted <= set(been), "nor to one that was visited while another was not"
    assert choice.again == (gone_to in been)


def test_a_screen_shows_no_whole_name() -> None:
    assert [called_name(n) for n in ("张三", "欧阳娜娜", "䶮", "阿卜杜热合曼·买买提")] == [
        "张*",
        "欧***",
        "䶮*",
        "阿***",
    ]
