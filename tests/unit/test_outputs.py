"""Outputs of untrusted code: what is let in, and that hidden tests stay hidden."""

import hypothesis.strategies as st
import nbformat
import pytest
from hypothesis import given
from nbformat.v4 import new_output

from ulab_coursework.outputs import MIME_TYPES, Budget, admit, hidden_lines, without_hidden

SOURCE = """assert add(0, 0) == 0
### BEGIN HIDDEN TESTS
assert add(20, 22) == 42, "a hidden check"
x = 1
### END HIDDEN TESTS
"""
HIDDEN = hidden_lines([SOURCE])
NOTICE = "not shown"


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        "text",
        {"output_type": "stream"},
        [1, None, "x", [], {}],
        [{"output_type": "widget", "data": {}}],
        [{"output_type": "display_data", "data": {"application/javascript": "alert(1)"}}],
    ],
)
def test_rubbish_is_dropped(rubbish: object) -> None:
    outputs = admit(rubbish, Budget())
    assert all(not output.get("data") for output in outputs)
    assert all(output.output_type != "widget" for output in outputs)


def test_known_outputs_are_rebuilt_without_extras() -> None:
    sent = [
        {"output_type": "stream", "name": "stdout", "text": ["a", "b"], "extra": 1},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t", 5]},
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {"x": 1}},
    ]
    stream, error, result = admit(sent, Budget())
    assert stream == {"output_type": "stream", "name": "stdout", "text": "ab"}
    assert error.traceback == ["t", ""]
    assert result.metadata == {}


def test_the_budget_is_shared_by_all_outputs_but_an_error_always_counts() -> None:
    big = {"output_type": "stream", "name": "stdout", "text": "x" * 600}
    error = {"output_type": "error", "ename": "E", "evalue": "v" * 5000, "traceback": ["t" * 900]}
    picture = {"output_type": "display_data", "data": {"image/png": "p" * 5000}}
    budget = Budget(text=1000, pictures=6000)
    kinds = [output.output_type for output in admit([big, big, error, picture, picture], budget)]
    assert kinds == ["stream", "error", "display_data"]
    assert (budget.text, budget.pictures) == (400, 1000)


def test_outputs_without_text_are_counted_too_and_one_error_is_kept() -> None:
    empty = {"output_type": "stream"}
    error = {"output_type": "error", "ename": "E"}
    kept = admit([empty] * 50 + [error] * 50, Budget(outputs=20))
    assert [output.output_type for output in kept] == ["stream"] * 20 + ["error"]
    assert len(admit([empty, error], Budget(outputs=20))) == 2


# What a student process may send where an output is expected: of every type, in every place.
_KEYS = ["output_type", "name", "text", "ename", "evalue", "traceback", "data", "metadata"]
_MIMES = ["text/plain", "image/png", "application/javascript", ""]
_KINDS = ["stream", "error", "display_data", "execute_result", "widget"]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text()
_PARTS = (
    _LEAVES
    | st.lists(_LEAVES, max_size=4)
    | st.dictionaries(
        st.sampled_from(_MIMES) | st.text(), _LEAVES | st.lists(_LEAVES, max_size=3), max_size=4
    )
)
_OUTPUTS = st.dictionaries(st.sampled_from(_KEYS), _PARTS, max_size=8)


@given(
    st.lists(st.tuples(st.sampled_from(_KINDS), _OUTPUTS) | _PARTS, max_size=8) | _PARTS,
    st.integers(0, 40),
)
def test_whatever_is_sent_is_a_valid_output_within_the_budget(sent: object, most: int) -> None:
    if isinstance(sent, list):
        sent = [{"output_type": x[0], **x[1]} if isinstance(x, tuple) else x for x in sent]
    budget = Budget(text=most, pictures=most, outputs=5)
    kept = admit(sent, budget)
    assert min(budget.text, budget.pictures, budget.outputs) >= 0
    assert len(kept) <= 6
    for output in kept:
        nbformat.validate(output, ref="output", version=4, version_minor=5)
        assert set(output.get("data", {})) <= MIME_TYPES


def test_a_traceback_keeps_all_but_the_hidden_lines() -> None:
    quoted = '\x1b[32m----> 2\x1b[39m assert add(20, 22) == 42, "a hidden check"'
    error = new_output(
        "error",
        ename="AssertionError",
        evalue="a hidden check",
        traceback=["Traceback", f"      1 assert add(0, 0) == 0\n{quoted}", "AssertionError"],
    )
    [shown] = without_hidden([error], HIDDEN, NOTICE)
    text = "\n".join(shown.traceback)
    assert "add(0, 0)" in text
    assert "20, 22" not in text
    assert shown.evalue == "a hidden check", "what the author says to the student stays"
    assert "20, 22" in "".join(error.traceback), "the original is untouched"


def test_printed_hidden_tests_are_replaced() -> None:
    printed = new_output("stream", name="stdout", text=f"look: {SOURCE}")
    figure = new_output("display_data", data={"text/html": f"<pre>{SOURCE}</pre>"})
    for shown in without_hidden([printed, figure], HIDDEN, NOTICE):
        assert shown.text == f"{NOTICE}\n"


def test_other_outputs_are_left_alone() -> None:
    output = new_output("stream", name="stdout", text="x = 1\n")
    assert without_hidden([output], HIDDEN, NOTICE) == [output]
