"""The committed type stubs say what the compiled modules say."""

import ast
import pathlib
import subprocess
import sys

import pytest
import synthema
from synthema import _core

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(synthema.__file__).parent


@pytest.mark.model
def test_stubs_are_those_of_the_installed_modules(tmp_path, torch_module):
    pytest.importorskip("pybind11_stubgen")
    tool = REPOSITORY / "tools" / "make_stubs.py"
    done = subprocess.run([sys.executable, tool, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("_core.pyi", "_torch.pyi"):
        fresh = (tmp_path / name).read_text(encoding="utf-8")
        assert (PACKAGE / name).read_text(encoding="utf-8") == fresh, (
            f"{name} is out of date: run ./dev stubs"
        )


def test_type_checkers_know_what_is_loaded_late():
    """The names that `__getattr__` finds are those that are imported for type checkers."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    imported = {alias.name for node in block.body for alias in node.names}
    assert imported == set(synthema._LAZY)


def test_public_names_of_the_core_have_docstrings():
    bare = [
        name
        for name in synthema.__all__
        if hasattr(_core, name) and not any("->" not in line for line in _lines(getattr(_core, name)))
    ]
    assert bare == []


def _lines(value):
    return [line for line in (value.__doc__ or "").splitlines() if line.strip()]
