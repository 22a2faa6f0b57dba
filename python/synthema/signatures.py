"""What a call of a compiled function with wrong arguments raises: a sentence that says which does not fit."""

from __future__ import annotations

import ast
import collections.abc
import datetime
import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from synthema._core import ConfigError
from synthema.arguments import described, fits, found

__all__ = ["problem"]

# How the compiled signatures write what any whole or any number fits.
_PLAIN = {
    "typing.SupportsInt | typing.SupportsIndex": "typing.SupportsIndex",
    "typing.SupportsFloat | typing.SupportsIndex": "typing.SupportsFloat",
}


def problem(
    called: str, signatures: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Exception:
    """Say what is wrong with a call that fits none of the signatures; the compiled modules ask for this.

    Parameters
    ----------
    called
        The function as its caller writes it, such as ``Prompt.json``; ``Report.`` for one of its attributes.
    signatures
        As pybind11 writes them, such as ``(self: synthema._core.Prompt, text: str) -> str``.
    args, kwargs
        What was given.

    Returns
    -------
    Exception
        A ConfigError where an argument has another type, as `checked` functions raise it; a TypeError, as
        Python's own functions raise it, where arguments are missing or unknown.
    """
    owner = called.removesuffix(".")
    if attribute := called != owner:
        called = f"An attribute of {owner}"
    else:
        called += "()"
    takes = f"help({owner}) says which it takes."
    signature = _signature(signatures[0]) if len(signatures) == 1 else None
    if signature is None:
        return ConfigError(f"{called} does not take these arguments; {takes}")
    try:
        bound = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        return TypeError(f"{called}: {error}.")
    for name, value in bound.items():
        hint = signature.parameters[name].annotation
        if name != "self" and not fits(value, hint):
            what = f"This attribute of {owner}" if attribute else f"The argument '{name}' of {called}"
            return ConfigError(f"{what} is {described(hint)}, not {found(value, hint)}.")
        if _has_surrogate(value):
            return ConfigError(
                f"The argument '{name}' of {called} has half of a character in it (a lone surrogate), so it "
                "is no text in UTF-8; repair it where it is read."
            )
    return ConfigError(f"{called} does not take arguments of these values; {takes}")


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_surrogate, value))
    return isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value)


def _signature(written: str) -> inspect.Signature | None:
    """The signature as an object, if it is one that Python reads."""
    import synthema

    for long, plain in _PLAIN.items():
        written = written.replace(long, plain)
    try:
        made = ast.parse(f"def function{written}: ...").body[0]
    except SyntaxError:
        return None
    names = {"collections": collections, "datetime": datetime, "typing": typing, "synthema": synthema}
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
