"""What `ulab.load` gives for data sets that are arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ulab.language import language

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Images:
    """Labelled images, split into training and test.

    Attributes
    ----------
    train_images, test_images
        uint8 arrays of shape (n, height, width).
    train_labels, test_labels
        uint8 arrays of shape (n,), indices into `classes`.
    classes, classes_zh
        The classes' names in English and in Chinese.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    classes_zh: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names in the student's language."""
        return self.classes_zh if language() == "zh" else self.classes


class Arrays(Mapping[str, "np.ndarray"]):
    """Arrays by name, such as ``data.images`` or ``data["images"]``.

    Each is mapped from the shared file; what a notebook changes stays its own.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getattr__(self, name: str) -> np.ndarray:
        # Looked up without our own attribute: copy and pickle ask before it is there.
        arrays = self.__dict__.get("_arrays", {})
        if name not in arrays:
            raise AttributeError(f"there is no array {name!r}, but {', '.join(arrays)}")
        found: np.ndarray = arrays[name]
        return found

    def __repr__(self) -> str:
        described = (f"{name}: {a.dtype} {a.shape}" for name, a in self._arrays.items())
        return f"Arrays({', '.join(described)})"
