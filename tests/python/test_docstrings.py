"""Whatever a user can reach and name has a docstring of its own, beyond its signature."""

import functools
import inspect
import re

import pytest
import synthema

_SIGNATURE = re.compile(r"^\s*(\d+\. )?\w+\(.*\)( -> .*)?$|^Overloaded function\.$", re.MULTILINE)


def members(cls):
    for name, member in vars(cls).items():
        if not name.startswith("_") and (
            isinstance(member, (property, functools.cached_property, staticmethod, classmethod))
            or callable(member)
        ):
            yield name, member


def undocumented(name, thing):
    if not _SIGNATURE.sub("", getattr(thing, "__doc__", None) or "").strip():
        yield name
    if inspect.isclass(thing):
        for member, value in members(thing):
            yield from undocumented(f"{name}.{member}", value)


def public(module):
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    return {name: getattr(module, name) for name in names if not name.startswith("__")}


def test_the_check_finds_what_lacks_a_docstring():
    class Bare:
        def method(self):
            """method(self: Bare) -> None"""

        @property
        def value(self):
            """What it is."""

    assert list(undocumented("Bare", Bare)) == ["Bare", "Bare.method"]


@pytest.mark.parametrize("name", ["synthema", "synthema._core", "synthema._torch"])
def test_every_public_name_says_what_it_is(name):
    module = pytest.importorskip(name)
    found = [lack for one, thing in public(module).items() for lack in undocumented(f"{name}.{one}", thing)]
    assert found == []


def test_every_public_name_of_the_modules_says_what_it_is():
    modules = {name: thing for name, thing in public(synthema).items() if inspect.ismodule(thing)}
    assert "tables" in modules
    found = [
        lack
        for name, module in modules.items()
        for one, thing in public(module).items()
        for lack in undocumented(f"{name}.{one}", thing)
    ]
    assert found == []
