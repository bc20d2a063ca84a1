"""What a PyTorch training tells by itself."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from ulab.tracking.values import simple

if TYPE_CHECKING:
    from ulab.tracking.run import Run

# What `mlflow.pytorch.autolog` covers; it knows no plain loop.
LIGHTNING = ("lightning", "pytorch_lightning")
TENSORBOARD = "torch.utils.tensorboard"


class Loop:
    """Notes the optimizers of a run, and how the learning rate changes.

    PyTorch calls the hook after each step of any optimizer. It costs about a microsecond when
    nothing has changed.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._handle: Any = None
        self._writer: Any = None
        self._add_scalar: Any = None
        self.listens = False
        self._names: dict[int, str] = {}
        self._rates: dict[int, list[Any]] = {}
        self._steps: dict[int, int] = {}

    def begin(self) -> None:
        """Listen, if PyTorch is there by now; it is not imported for this."""
        if self.listens or "torch" not in sys.modules:
            return
        self.listens = True
        with contextlib.suppress(Exception):
            from torch.optim.optimizer import register_optimizer_step_post_hook

            self._handle = register_optimizer_step_post_hook(self._stepped)
        with contextlib.suppress(Exception):
            self._read_along()
        with contextlib.suppress(Exception):
            _autolog()

    def end(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
        if self._writer is not None:
            self._writer.add_scalar = self._add_scalar
            self._writer = None

    def _read_along(self) -> None:
        """Note what is written for TensorBoard too.

        MLflow's own way asks the server at each number, and waits for it.
        """
        module = sys.modules.get(TENSORBOARD)
        if module is None:
            return
        self._writer = module.SummaryWriter
        whole = self._add_scalar = self._writer.add_scalar

        def add_scalar(
            writer: Any,
            tag: str,
            scalar_value: Any,
            global_step: Any = None,
            *more: Any,
            **named: Any,
        ) -> Any:
            if self._run.is_current():
                with contextlib.suppress(Exception):
                    self._run.note_at(int(global_step or 0), {tag: scalar_value})
            return whole(writer, tag, scalar_value, global_step, *more, **named)

        self._writer.add_scalar = add_scalar

    def _stepped(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        rates = [group["lr"] for group in optimizer.param_groups]
        known = id(optimizer)
        # Compared as objects when they are tensors: their values may be on a GPU.
        if self._rates.get(known) == rates if _plain(rates) else known in self._rates:
            return
        # An error here would come out of the student's own step.
        with contextlib.suppress(Exception):
            self._changed(optimizer, known, rates)

    def _changed(self, optimizer: Any, known: int, rates: list[Any]) -> None:
        if not self._run.is_current():
            return
        if known not in self._names:
            number = len(self._names) + 1
            self._names[known] = "optimizer" if number == 1 else f"optimizer_{number}"
            self._run.param_if_new(optimizer_params(optimizer, self._names[known]))
        self._rates[known] = rates
        step = self._run.next_step
        if not _plain(rates) or self._steps.get(known) == step:
            return
        self._steps[known] = step
        name = self._names[known]
        many = len(rates) > 1
        self._run.note_at(
            step, {f"{name}/lr_{i}" if many else f"{name}/lr": rate for i, rate in enumerate(rates)}
        )


def _plain(rates: list[Any]) -> bool:
    return all(isinstance(rate, float | int) for rate in rates)


def optimizer_params(optimizer: Any, name: str) -> dict[str, Any]:
    """An optimizer's class, what it was given, and how many numbers it changes."""
    found: dict[str, Any] = {name: type(optimizer).__name__}
    for key, value in optimizer.defaults.items():
        plain = simple(value) or (isinstance(value, tuple) and all(map(simple, value)))
        if plain and value is not None and value is not False:
            found[f"{name}/{key}"] = value
    found[f"{name}/parameters"] = sum(
        parameter.numel() for group in optimizer.param_groups for parameter in group["params"]
    )
    return found


def model_params(model: Any) -> dict[str, Any]:
    """A model's class, and how many numbers it has."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return {
        "model": type(model).__name__,
        "model/parameters": sum(size for size, _ in sizes),
        "model/trainable_parameters": sum(size for size, trained in sizes if trained),
    }


def _autolog() -> None:
    """MLflow's own logging for those who train with Lightning, unless they chose already."""
    if not any(name in sys.modules for name in LIGHTNING):
        return
    import mlflow.pytorch
    from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

    if not AUTOLOGGING_INTEGRATIONS.get("pytorch"):
        # Models and checkpoints are large; `run.file` keeps the one that is wanted.
        mlflow.pytorch.autolog(log_models=False, checkpoint=False, silent=True)
