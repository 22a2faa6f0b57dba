"""Print where headers that came from the Python registry are, one `name=path` a line, for CMake to read."""

import importlib.util
import pathlib


def package_folder(name):
    """Return the folder of an installed package without importing it, or nothing."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


cmeel = package_folder("cmeel")  # cmeel packages (Eigen, fmt) share one CMake prefix beside the cmeel package
if cmeel is not None and (cmeel.parent / "cmeel.prefix").is_dir():
    print(f"cmeel={(cmeel.parent / 'cmeel.prefix').as_posix()}")

json = package_folder("nlohmann_json")  # headers only, no CMake config
if json is not None and (json / "include").is_dir():
    print(f"json={(json / 'include').as_posix()}")

pybind11 = package_folder("pybind11")
if pybind11 is not None and (pybind11 / "share" / "cmake").is_dir():
    print(f"pybind11={(pybind11 / 'share' / 'cmake').as_posix()}")

torch = package_folder("torch")  # its path is wrong in some installs (editable, Debian), hence the test
if torch is not None and (torch / "share" / "cmake" / "Torch").is_dir():
    print(f"torch={(torch / 'share' / 'cmake').as_posix()}")
    version = (torch / "version.py").read_text()
    print("torch_version=" + version.split("__version__ = '")[1].split("'")[0])
