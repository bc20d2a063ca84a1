"""What a student reads whose call, or whose value, is not taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from ulab.errors import ULabError
from ulab.tracking.batches import Batch
from ulab.tracking.delivery import cause
from ulab.tracking.run import Run
from ulab.tracking.trouble import Refusal, Trouble


class Model:
    """As much of a PyTorch model as is asked for."""

    def parameters(self) -> list[Any]:
        return []


class Figure:
    """As much of a matplotlib figure as is asked for."""

    def savefig(self, *_: Any, **__: Any) -> None:
        raise AssertionError("there is nowhere to log to")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda run: run.log("a", loss=1), "whole number, and this is 'a'"),
        (lambda run: run.log({"loss": 1}), "run.log(loss=0.5)"),
        (lambda run: run.log(math.nan, loss=1), "whole number, and this is nan"),
        (lambda run: run.watch(3), "a torch.nn.Module), and this is 3"),
        (lambda run: run.watch(Model), "a torch.nn.Module), and this is <class"),
        (lambda run: run.watch(Model(), "sgd"), "a torch.optim.Optimizer), and this is 'sgd'"),
        (lambda run: run.figure(3, "curve"), 'a name, such as run.figure(plt.gcf(), "curve")'),
        (lambda run: run.figure(Figure(), 3), "and this is 3"),
        (lambda run: run.figure("curve", Figure()), "and this is 'curve'"),
    ],
)
def test_a_mistake_in_a_call_says_what_belongs_there(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Run], None], said: str
) -> None:
    monkeypatch.setenv("ULAB_LANGUAGE", "en")
    with pytest.raises(ULabError) as caught:
        call(Run(None))
    assert said in str(caught.value)


def test_what_is_right_is_no_mistake() -> None:
    run = Run(None)
    run.log(3, loss=1)
    run.log(3.0, loss=1)
    run.watch(Model())
    run.figure(Figure(), "curve")
    assert run.next_step == 4


@pytest.mark.parametrize(
    ("entry", "sentence", "alive", "said"),
    [
        (
            ("params", {"key": "lr", "value": "0.2"}),
            "Changing param values is not allowed. Param with key='lr' …",
            True,
            "参数 lr 已记录为另一个值，不能再改成 0.2。",
        ),
        (("params", {"key": "lr", "value": "0.2"}), "Too long.", True, "Too long."),
        (("metrics", {"key": "loss", "value": 1}), "No.", True, "No."),
        (("metrics", {"key": "loss", "value": 1}), "No.", False, "这次运行已被删除。"),
    ],
)
def test_why_a_value_was_refused_is_said_in_our_words_where_we_know(
    monkeypatch: pytest.MonkeyPatch,
    entry: tuple[str, dict[str, Any]],
    sentence: str,
    alive: bool,
    said: str,
) -> None:
    monkeypatch.setenv("ULAB_LANGUAGE", "zh")
    found = cause(Refusal(Trouble.REFUSED, sentence), Batch(0, [entry]), alive)
    assert (found.trouble, found.sentence) == (Trouble.REFUSED, said)
