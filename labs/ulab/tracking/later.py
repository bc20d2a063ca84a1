"""Numbers that are still on a GPU: copied without making training wait for them."""

from __future__ import annotations

from typing import Any


class Copy:
    """A tensor's value on its way from the GPU to the processor.

    Reading a GPU's value makes the processor wait until all work given to the GPU is done. This
    only asks for a copy, behind that work, and takes it once it is there. It is a copy of now: what
    is added to the tensor later does not change it.
    """

    def __init__(self, tensor: Any) -> None:
        import torch

        # Asked for in this way, the copy lies in memory that the GPU writes to by itself.
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
    """Whether a value is one number that would have to be fetched from a GPU."""
    return bool(getattr(value, "is_cuda", False)) and value.numel() == 1


def arrived(record: list[Any], wait: bool) -> bool:
    """Whether every number of a record is there; the copies in it are then replaced by them."""
    if record[0] != "m":
        return True
    metrics = record[3]
    copies = [(name, value) for name, value in metrics.items() if type(value) is Copy]
    if not copies:
        return True
    if not wait and not all(copy.ready() for _, copy in copies):
        return False
    for name, copy in copies:
        metrics[name] = copy.item()
    return True
