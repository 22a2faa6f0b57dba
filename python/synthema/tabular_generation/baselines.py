"""What a generator is measured by: independent columns, and the real rows themselves."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any

from synthema import _core
from synthema._core import GenerationError, ModelError
from synthema.tabular_generation.generator import TabularGenerator

if TYPE_CHECKING:
    import numpy


class IndependentMarginals(TabularGenerator):
    """Every column by itself: the least that a generator must beat.

    Parameters
    ----------
    rare_below, threads
        As of `SequentialTrees`.
    """

    _core_class = _core._IndependentMarginals

    def __init__(self, *, rare_below: int = 5, threads: int = 0):
        super().__init__(rare_below=rare_below, threads=threads)


class BootstrapCopy(TabularGenerator):
    """Real rows, drawn with replacement: what a perfect leak looks like to evaluators.

    Parameters
    ----------
    release : bool
        Without it no rows are given: `sample` raises PolicyError. It is never saved.
    """

    _core_class = _core._BootstrapCopy
    _makes_row_numbers = False

    def __init__(self, *, release: bool = False):
        super().__init__(release=release)

    def log_prob(self, data: Any, **options: Any) -> numpy.ndarray:
        """Refused: rows of a table are points, which have no density that other methods' could be held to."""
        raise GenerationError(
            "A bootstrap copy has no likelihood: its rows are single points; ask another method."
        )

    def _file_of_pickle(self) -> bytes | None:
        if self.fitted:
            raise _core.PolicyError("A bootstrap copy is not pickled: its model is the real table itself.")
        return None

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Refused: the file would be the real table."""
        raise _core.PolicyError("A bootstrap copy is not saved: its model is the real table itself.")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BootstrapCopy:
        """Refused: there is no such file."""
        raise ModelError("A BootstrapCopy is not kept in files.")
