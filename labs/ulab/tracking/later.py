"""Numbers that are still on a GPU: copied without making training wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

# So many lines may wait for the GPU; beyond that the oldest is waited for.
MOST = 1000


class Copy:
    """A tensor's value on its way from the GPU to the processor.

    Reading a GPU's value makes the processor wait until all work given to the GPU is done. This
    only asks for a copy, behind that work, and takes it once it is there. It is a copy of now: what
    is added to the tensor later does not change it.
    """

    def __init__(self, tensor: Any) -> None:
        import torch

        self._host = tensor.detach().to("cpu", non_blocking=True)
        self._arrived = torch.cuda.Event()
        self._arrived.record(torch.cuda.current_stream(tensor.device))

    def ready(self) -> bool:
        return bool(self._arrived.query())

    def item(self) -> float:
        """The value; waits for it when it is not there yet."""
        self._arrived.synchronize()
        return float(self._host)


def on_gpu(value: Any) -> bool:
    """Whether a value would have to be fetched from a GPU."""
    return bool(getattr(value, "is_cuda", False)) and value.numel() == 1


class Queue:
    """Lines in their order, the earlier of which wait for a GPU.

    Parameters
    ----------
    write
        Takes a line whose numbers are all there.
    """

    def __init__(self, write: Callable[[list[Any]], None]) -> None:
        self._write = write
        self._lines: deque[list[Any]] = deque()

    @property
    def waits(self) -> bool:
        """Whether a line has to queue behind another."""
        return bool(self._lines)

    def add(self, line: list[Any]) -> None:
        self._lines.append(line)
        self.move()

    def move(self, all_of_them: bool = False) -> None:
        """Write the lines that are ready; with `all_of_them`, wait for the others too."""
        while self._lines:
            must = all_of_them or len(self._lines) > MOST
            values = self._lines[0][3]
            copies = {name: value for name, value in values.items() if isinstance(value, Copy)}
            if not must and not all(copy.ready() for copy in copies.values()):
                return
            line = self._lines.popleft()
            for name, copy in copies.items():
                values[name] = copy.item()
            self._write(line)
