"""What a student may have meant who hands the wrong thing to a run."""

from __future__ import annotations

from typing import Any

from ulab.errors import ULabError
from ulab.language import say
from ulab.tracking.values import text

LONGEST_SAID = 60


def step_of(given: Any) -> int:
    """A step as a whole number.

    Raises
    ------
    ULabError
        It is none.

    Examples
    --------
    >>> step_of(3.0)
    3
    """
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        raise ULabError(
            say(
                zh=f"run.log 的步数应是整数，而这里是 {_said(given)}。"
                "数值要写名称，例如 run.log(loss=0.5)。",
                en=f"The step of run.log must be a whole number, and this is {_said(given)}. "
                "Numbers are logged by name: run.log(loss=0.5).",
            )
        ) from None


def check_model(given: Any) -> None:
    """
    Raises
    ------
    ULabError
        It is no PyTorch model.
    """
    if isinstance(given, type) or not callable(getattr(given, "parameters", None)):
        raise ULabError(
            say(
                zh=f"run.watch 需要一个 PyTorch 模型（torch.nn.Module），而这里是 {_said(given)}。",
                en=f"run.watch takes a PyTorch model (a torch.nn.Module), and this is "
                f"{_said(given)}.",
            )
        )


def check_optimizer(given: Any) -> None:
    """
    Raises
    ------
    ULabError
        It is no PyTorch optimizer.
    """
    if not (hasattr(given, "param_groups") and hasattr(given, "defaults")):
        raise ULabError(
            say(
                zh="run.watch 的第二个参数是 PyTorch 优化器（torch.optim.Optimizer），"
                f"而这里是 {_said(given)}。",
                en="What follows the model in run.watch is a PyTorch optimizer (a "
                f"torch.optim.Optimizer), and this is {_said(given)}.",
            )
        )


def check_figure(figure: Any, name: Any) -> None:
    """
    Raises
    ------
    ULabError
        It is no matplotlib figure, or has no name.
    """
    is_figure = callable(getattr(figure, "savefig", None))
    if not is_figure or not isinstance(name, str):
        wrong = name if is_figure else figure
        raise ULabError(
            say(
                zh="run.figure 需要一个 matplotlib 图形和一个名称，例如 "
                f'run.figure(plt.gcf(), "curve")，而这里是 {_said(wrong)}。',
                en="run.figure takes a matplotlib figure and a name, such as "
                f'run.figure(plt.gcf(), "curve"), and this is {_said(wrong)}.',
            )
        )


def _said(given: Any) -> str:
    return text(repr(given) if isinstance(given, str) else given, LONGEST_SAID)
