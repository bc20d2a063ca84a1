"""Outputs of untrusted code: what is let in, and that hidden tests stay hidden."""

import pytest
from nbformat.v4 import new_output

from ulab_coursework.outputs import Budget, admit, hidden_lines, without_hidden

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
