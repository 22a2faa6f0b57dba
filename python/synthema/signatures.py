"""Compiled functions that say in a sentence which argument does not fit, in place of a list of signatures."""

from __future__ import annotations

import ast
import collections.abc
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from synthema._core import ConfigError
from synthema.arguments import described, fits, found

__all__ = ["in_sentences", "make_in_sentences", "restore_constructors"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PYBIND = "incompatible "  # function or constructor arguments
_CONSTRUCTORS: dict[type, Any] = {}
# How the compiled signatures write what any whole or any number fits.
_PLAIN = {
    "typing.SupportsInt | typing.SupportsIndex": "typing.SupportsIndex",
    "typing.SupportsFloat | typing.SupportsIndex": "typing.SupportsFloat",
}


def in_sentences(function: _Function, called: str = "") -> _Function:
    """Make a compiled function say in one sentence which argument does not fit.

    A ConfigError where one has another type, as `checked` functions raise it; a TypeError, as Python's own
    functions raise it, where arguments are missing or unknown. `called`: the name in the sentence, where it
    is another than the function's.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if _PYBIND not in str(error):
                raise
            problem = _problem(function, called or function.__name__, args, kwargs)
        raise problem

    return typing.cast(_Function, call)


def make_in_sentences(cls: type) -> None:
    """Do the same for the constructor of a compiled class."""
    _CONSTRUCTORS[cls] = cls.__dict__["__init__"]
    cls.__init__ = in_sentences(cls.__init__, cls.__name__)  # type: ignore[misc]


def restore_constructors() -> None:
    """Undo `make_in_sentences` everywhere, for what reads the signatures of constructors."""
    for cls, constructor in _CONSTRUCTORS.items():
        cls.__init__ = constructor  # type: ignore[misc]


def _problem(
    function: Callable[..., Any], called: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Exception:
    takes = f"help({called}) says which it takes."
    signature = _signature(function)
    if signature is None:
        return ConfigError(f"{called}() does not take arguments of these types; {takes}")
    try:
        bound = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        return TypeError(f"{called}(): {error}.")
    for name, value in bound.items():
        hint = signature.parameters[name].annotation
        if name != "self" and not fits(value, hint):
            return ConfigError(
                f"The argument '{name}' of {called}() is {described(hint)}, not {found(value, hint)}."
            )
    return ConfigError(f"{called}() does not take arguments of these values; {takes}")


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """The signature that the docstring begins with, if there is one that Python reads."""
    import synthema

    line = (function.__doc__ or "").partition("\n")[0]
    for written, plain in _PLAIN.items():
        line = line.replace(written, plain)
    try:
        made = ast.parse(f"def {line}: ...").body[0]
    except SyntaxError:
        return None
    names = {"collections": collections, "typing": typing, "synthema": synthema}
    assert isinstance(made, ast.FunctionDef)
    given = made.args
    parameters = []
    first_default = len(given.args) - len(given.defaults)
    for i, one in enumerate(given.args):
        parameters.append(_parameter(one, inspect.Parameter.POSITIONAL_OR_KEYWORD, i >= first_default, names))
    for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        parameters.append(_parameter(one, inspect.Parameter.KEYWORD_ONLY, default is not None, names))
    return inspect.Signature(parameters)


def _parameter(one: ast.arg, kind: Any, optional: bool, names: dict[str, Any]) -> inspect.Parameter:
    try:
        hint = typing.Any if one.annotation is None else eval(ast.unparse(one.annotation), names)
    except (AttributeError, NameError, SyntaxError, TypeError):
        hint = typing.Any
    return inspect.Parameter(
        one.arg, kind, default=None if optional else inspect.Parameter.empty, annotation=hint
    )
