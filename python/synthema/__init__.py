"""Synthetic biomedical data on your own machine, measured honestly."""

from synthema import _core
from synthema._core import *  # noqa: F403

__version__ = _core.__version__
