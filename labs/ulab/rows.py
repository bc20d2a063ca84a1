"""A data set row by row, for PyTorch's ``DataLoader``."""

from __future__ import annotations

import torch
from torch.utils.data import Dataset


class Rows(Dataset[dict[str, torch.Tensor]]):
    """The rows of equally long tensors; an item is a dict, as PyTorch collates them.

    Workers that a ``DataLoader`` starts share the memory.
    """

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        return {name: tensor[row] for name, tensor in self.tensors.items()}
