"""Parameters of generators as people write them, checked where they are given."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synthema._core import ConfigError
from synthema.arguments import kind_of, whole


def checked_parameters(cls: type, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a generator in one form: numbers where its defaults are numbers, lists of names."""
    defaults = {name: one.default for name, one in inspect.signature(cls.__init__).parameters.items()}
    out = dict(parameters)
    for name, value in parameters.items():
        default = defaults.get(name)
        if name in _READERS:
            out[name] = _READERS[name](value)
        elif isinstance(default, int) and not isinstance(default, bool):
            out[name] = whole(value, f"The parameter '{name}'")
        elif isinstance(default, float) or (name == "epsilon" and value is not None):
            if not is_number(value):
                raise ConfigError(f"The parameter '{name}' is a number, not {kind_of(value)}.")
        elif isinstance(default, bool) and not isinstance(value, bool):
            raise ConfigError(f"The parameter '{name}' is True or False, not {kind_of(value)}.")
        elif isinstance(default, str) and not isinstance(value, str):
            raise ConfigError(f"The parameter '{name}' is a text, not {kind_of(value)}.")
    return out


def names_of(value: Any, what: str) -> list[str]:
    """Names of columns; a single one stands for a list of it."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{what} is the name of a column or a list of names, not {value!r}.")
    return list(names)


def groups_of(value: Any) -> list[list[str]]:
    """Groups of columns; a single group is no list of groups."""
    if isinstance(value, str) or not isinstance(value, Sequence) or any(isinstance(g, str) for g in value):
        raise ConfigError(
            "The parameter 'combinations' is a list of lists of columns, as in [['ward', 'hospital']], not "
            f"{value!r}."
        )
    return [names_of(group, "A group of 'combinations'") for group in value]


def temperatures_of(value: Any) -> dict[str, float]:
    """Temperatures by column; None is none."""
    value = {} if value is None else value
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and is_number(number) for name, number in value.items()
    ):
        raise ConfigError(
            f"The parameter 'temperature' is a dict of numbers by column, as in {{'age': 0.9}}, not {value}."
        )
    return dict(value)


# Of parameters that people write in several forms.
_READERS: dict[str, Callable[[Any], Any]] = {
    "first": lambda value: names_of(value, "The parameter 'first'"),
    "combinations": groups_of,
    "temperature": temperatures_of,
    "ledger": os.fspath,
}


def is_number(value: Any) -> bool:
    """Whether it is a number, numpy's too; True and False are none."""
    return not isinstance(value, (bool, str, bytes)) and hasattr(value, "__float__")
