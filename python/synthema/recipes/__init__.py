"""Recipes: published studies as named compositions of shared parts.

A recipe says which strategy, checks, schema, sampling values and evaluation belong together and which values
a user may change; `build` gives a `synthema.study.Study`, or a `synthema.table_study.TableStudy` where
generators of tables are compared. Add one by writing a module with a `RECIPE` and
naming it in `_MODULES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synthema._core import ConfigError
from synthema.config import Key, check_value

if TYPE_CHECKING:
    from synthema.study import Study
    from synthema.table_study import TableStudy

__all__ = ["Recipe", "get", "names"]

_MODULES = {
    "phenotype_sentences": "synthema.recipes.phenotype_sentences",
    "correlation_utility": "synthema.recipes.correlation_utility",
    "published_statistics": "synthema.recipes.published_statistics",
}


@dataclass(frozen=True)
class Recipe:
    """A named composition; `keys` are the values that a configuration may set."""

    name: str
    summary: str
    make: Callable[[dict[str, Any]], Study | TableStudy]
    keys: Mapping[str, Key] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def build(self, values: Mapping[str, Any] | None = None) -> Study | TableStudy:
        """The study with these values; ConfigError names an unknown key or one out of range."""
        values = dict(values or {})
        for name, value in values.items():
            if name not in self.keys:
                known = ", ".join(self.keys)
                raise ConfigError(f"recipe {self.name}, field '{name}': No such value; known are {known}.")
            check_value(f"recipe {self.name}, field '{name}'", self.keys[name], value)
        return self.make({**self.defaults, **values})


def names() -> list[str]:
    """The recipes there are."""
    return list(_MODULES)


def get(name: str) -> Recipe:
    """One recipe by its name; ConfigError lists those there are."""
    if name not in _MODULES:
        raise ConfigError(f"There is no recipe '{name}'. There are: {', '.join(_MODULES)}.")
    return importlib.import_module(_MODULES[name]).RECIPE
