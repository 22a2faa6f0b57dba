"""What callers pass: checked against the annotations of public functions, and refused in a sentence."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import numbers
import operator
import os
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from synthema._core import ConfigError, Schema

__all__ = [
    "checked",
    "described",
    "fits",
    "found",
    "is_whole",
    "kind_of",
    "name_of",
    "refuse_wrong_types",
    "whole",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_MOST = 2**64


def is_whole(value: Any, low: int = 0) -> bool:
    """Whether a value is a whole number from `low` to 2^64 - 1; True and False are none."""
    try:
        return not isinstance(value, bool) and low <= operator.index(value) < _MOST
    except TypeError:
        return False


def whole(value: Any, what: str, low: int = 0) -> int:
    """Return a whole number from `low` to 2^64 - 1, or raise ConfigError with what it should be."""
    if is_whole(value, low):
        return operator.index(value)
    given = f"{value}" if isinstance(value, numbers.Real) and not isinstance(value, bool) else kind_of(value)
    raise ConfigError(f"{what} is a whole number from {low} to 2^64 - 1, not {given}.")


def checked(function: _Function) -> _Function:
    """Make a function refuse arguments of other types than it is annotated with, by ConfigError.

    The message names the argument, what is expected and the type that was given, never the value. Whole
    numbers are left to `whole`, which also knows their range, and unknown annotations to the function.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*given: Any, **options: Any) -> Any:
        try:
            bound = signature.bind(*given, **options).arguments
        except TypeError:
            bound = {}  # Python's own message, from the call, names what is missing or too much
        refuse_wrong_types(function, bound)
        return function(*given, **options)

    return typing.cast(_Function, call)


def refuse_wrong_types(function: Callable[..., Any], given: Mapping[str, Any], called: str = "") -> None:
    """Raise ConfigError if an argument, by name, has another type than the function's annotation.

    `called`: the name that the caller used, where it is another than the function's.

    Raises
    ------
    ConfigError
        For the first such argument.
    """
    hints = _hints(inspect.unwrap(function))
    for name, value in given.items():
        hint = hints.get(name, Any)
        if not fits(value, hint):
            raise ConfigError(
                f"The argument '{name}' of {called or function.__name__}() is {described(hint)}, not "
                f"{found(value, hint)}."
            )


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError:  # an annotation of a library that is imported for type checkers only
        return {}


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(one for part in typing.get_args(hint) for one in _alternatives(part))
    return (hint,)


def _is_list(hint: Any) -> bool:
    return typing.get_origin(hint) in (collections.abc.Sequence, collections.abc.Iterable, list)


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has the type of an annotation; whole numbers always do."""
    if hint is Any or hint is int:
        return True
    if len(either := _alternatives(hint)) > 1:
        return any(fits(value, one) for one in either)
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if hint is bool:
        return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")
    if typing.get_origin(hint) is collections.abc.Callable:
        return callable(value)
    if _is_list(hint):
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, collections.abc.Iterable):
            return False
        items = typing.get_args(hint)[:1]
        return not items or not isinstance(value, list | tuple) or all(fits(one, items[0]) for one in value)
    plain = typing.get_origin(hint) or hint
    return not isinstance(plain, type) or isinstance(value, plain)


_WORDS = {
    os.PathLike: "a path",
    str: "a text",
    float: "a number",
    int: "a whole number",
    bool: "True or False",
    type(None): "None",
    typing.SupportsIndex: "a whole number",
    typing.SupportsFloat: "a number",
}


def described(hint: Any) -> str:
    """Say in words what an annotation allows."""
    words = []
    for one in _alternatives(hint):
        if typing.get_origin(one) is collections.abc.Callable:
            words.append("a function")
        elif _is_list(one):
            items = typing.get_args(one)[:1]
            words.append(
                "a list" + (f", each {described(items[0])}" if items and items[0] is not Any else "")
            )
        else:
            plain = typing.get_origin(one) or one
            words.append(_WORDS.get(plain, f"a {getattr(plain, '__name__', str(plain))}"))
    words = [word for word in words if word != "None"] + ["None"] * ("None" in words)
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def kind_of(value: Any) -> str:
    """Say the type of a value in a sentence about what it should be."""
    return "None" if value is None else f"of type {type(value).__name__}"


def found(value: Any, hint: Any) -> str:
    """Say what was given: its type, of a list that of the item that does not fit, and how a file is read."""
    for one in _alternatives(hint):
        if _is_list(one) and isinstance(value, list | tuple) and typing.get_args(one):
            wrong = [item for item in value if not fits(item, typing.get_args(one)[0])]
            if wrong:
                return f"a {type(value).__name__} with an item {kind_of(wrong[0])}"
    if isinstance(value, str | os.PathLike) and Schema in _alternatives(hint):
        how = "Schema.from_json(pathlib.Path(path).read_text('utf-8'))"
        return f"{kind_of(value)}; read the file of one with {how}"
    return kind_of(value)


def name_of(function: Callable) -> str:
    """The name of a function, of the function in a `functools.partial`, or of the class of an object."""
    if isinstance(function, functools.partial):
        return name_of(function.func)
    return getattr(function, "__name__", type(function).__name__)
