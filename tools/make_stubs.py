"""Write the type stubs of the two compiled modules, _core.pyi and _torch.pyi, from the installed package.

They are committed, so that editors and type checkers see signatures and docstrings without a build; a test
compares them with what the modules say. Run `./dev stubs` after a change of the bindings.
"""

import pathlib
import re
import sys

import pybind11_stubgen
from synthema.models import load_torch_module

# What the generator writes and a type checker refuses.
REPAIRS = (
    (r"^(\w+): str = '.*'$", r"\1: str"),  # versions are values of this build, not part of the interface
    (
        r"__hash__: typing.ClassVar\[None\] = None",
        "__hash__: None  # type: ignore[assignment]",
    ),
    (r"def __eq__\(self, arg0: \w+\)", "def __eq__(self, other: object, /)"),
    (r"(\w+: \w+) = None", r"\1 | None = None"),
)


def repaired(text):
    """Return the stub with every repair made."""
    for pattern, replacement in REPAIRS:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def write_stub(module, folder):
    """Write the stub of one module into the folder and return its path."""
    sys.argv = ["pybind11-stubgen", "--exit-code", "--output-dir", str(folder), module]
    pybind11_stubgen.main()  # which reads sys.argv and nothing else
    nested = folder / "synthema" / f"{module.rpartition('.')[2]}.pyi"
    text = repaired(nested.read_text(encoding="utf-8"))
    nested.unlink()
    nested.parent.rmdir()
    stub = folder / nested.name
    stub.write_text(text, encoding="utf-8")
    return stub


def main(folder):
    load_torch_module()
    for module in ("synthema._core", "synthema._torch"):
        print(write_stub(module, folder))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
