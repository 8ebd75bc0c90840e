"""`make twins` takes long and runs seldom: what it would say of an edit whose place has moved is said here, at once."""

import pytest

from tests.twins import ROOT, TWINS, Twin


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.guard)
def test_the_text_that_a_twin_breaks_stands_once_where_it_says_and_its_test_is_there(twin: Twin) -> None:
    source = (ROOT / twin.file).read_text(encoding="utf-8")
    assert [source.count(old) for old, _ in twin.edits] == [1] * len(twin.edits)
    # pytest escapes what is not ASCII in the name of a case: such a one is never found.
    assert twin.test.isascii()
    file, _, name = twin.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
