"""Synthetic biomedical data on your own machine, measured honestly."""

from synthema import _core
from synthema._core import *  # noqa: F403
from synthema.generation import Run, completion_model, generate, load_run, strategy
from synthema.tables import table

__version__ = _core.__version__
