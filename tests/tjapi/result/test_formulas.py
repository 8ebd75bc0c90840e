"""Each computed item by a worked example, and by what lies outside of its domain."""

from decimal import Decimal

import pytest

from tjapi.result.formulas import FORMULAS, Person

pytestmark = pytest.mark.requirement("E3.2", "X15")
MAN, WOMAN, CHILD = Person("male", 50), Person("female", 50), Person("male", 17)


@pytest.mark.parametrize(
    ("code", "inputs", "person", "expected"),
    [
        ("BMI", ["170", "65"], MAN, "22.5"),
        ("BMI", ["0", "65"], MAN, None),
        ("BMI", ["170", "-1"], MAN, None),
        ("WHR", ["85", "100"], MAN, "0.85"),
        ("WHR", ["85", "0"], MAN, None),
        # 88.4 μmol/L is 1.0 mg/dL; 142 × (1/0.9)^−1.2 × 0.9938^50 = 91.7, and for a woman 142 × (1/0.7)^−1.2 × 0.9938^50 × 1.012 = 68.6.
        ("EGFR", ["88.4"], MAN, "92"),
        ("EGFR", ["88.4"], WOMAN, "69"),
        # Below κ the other exponent holds: 0.5 mg/dL, man of 50: 142 × (0.5/0.9)^−0.302 × 0.9938^50 = 124.2.
        ("EGFR", ["44.2"], MAN, "124"),
        ("EGFR", ["88.4"], CHILD, None),
        ("EGFR", ["88.4"], Person("unknown", 50), None),
        ("EGFR", ["0"], MAN, None),
        ("NONHDL", ["5.20", "1.30"], MAN, "3.90"),
        ("NONHDL", ["1.20", "1.30"], MAN, None),
        ("GLOB", ["72.5", "44.1"], MAN, "28.4"),
        ("GLOB", ["40", "44"], MAN, None),
        ("AG-R", ["72.5", "44.1"], MAN, "1.6"),
        ("AG-R", ["44", "44"], MAN, None),
        ("IBIL", ["17.1", "5.0"], MAN, "12.1"),
        ("IBIL", ["4.9", "5.0"], MAN, None),
        ("PSA-R", ["0.8", "5.0"], MAN, "0.16"),
        ("PSA-R", ["0", "5.0"], MAN, None),
        ("PGR", ["90.0", "12.0"], MAN, "7.5"),
        ("PGR", ["90.0", "0"], MAN, None),
        # 50 × 40 / (200 × √36) = 1.67
        ("FIB4", ["40", "36", "200"], MAN, "1.67"),
        ("FIB4", ["40", "36", "200"], Person("male", 34), None),
        ("FIB4", ["40", "36", "0"], MAN, None),
        ("HOMA-IR", ["5.0", "9.0"], MAN, "2.00"),
        ("HOMA-IR", ["5.0", "0"], MAN, None),
    ],
)
def test_a_computed_item_is_as_its_source_computes_it(
    code: str, inputs: list[str], person: Person, expected: str | None
) -> None:
    found = FORMULAS[code].compute([Decimal(i) for i in inputs], person)
    assert found == (None if expected is None else Decimal(expected))


def test_every_formula_has_an_example_and_a_near_miss_here() -> None:
    cases = test_a_computed_item_is_as_its_source_computes_it.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {c[0] for c in cases if c[3] is not None} == {c[0] for c in cases if c[3] is None} == set(FORMULAS)
