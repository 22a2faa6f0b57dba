"""What is installed, who can link it, and what an import costs."""

import importlib.metadata
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest
import synthema

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(synthema.__file__).parent


def installed_files():
    try:
        files = importlib.metadata.files("synthema")
    except importlib.metadata.PackageNotFoundError:
        files = None
    if not files:
        pytest.skip("synthema is not installed as a distribution here")
    return sorted(str(f) for f in files)


def test_the_tests_run_against_the_installed_package():
    assert REPOSITORY / "python" not in PACKAGE.parents


def test_the_wheel_holds_what_it_should_and_nothing_else():
    suffix = re.escape(sysconfig.get_config_var("EXT_SUFFIX"))
    allowed = [
        r"synthema/([a-z_]+/)*[a-z_]+\.(py|pyi)",
        r"synthema/py\.typed",
        r"synthema/([a-z_]+/)*[a-z_]+\.(css|jsonl|toml)",
        rf"synthema/_(core|torch){suffix}",
        r"synthema/torch_version\.txt",
        r"synthema/include/synthema/([a-z_0-9]+/)+[a-z_0-9]+\.hpp",
        r"synthema/lib/libsynthema_(core|generate)\.a",
        r"synthema/lib/libsynthema_torch\.so",
        r"synthema/lib/cmake/synthema/synthema-[a-z-]+\.cmake",
        r"synthema-[^/]+\.dist-info/.*",
        r"\.\./\.\./\.\./bin/synthema",
        r"(synthema/)?(.*/)?__pycache__/.*\.pyc",
    ]
    files = installed_files()
    strangers = [f for f in files if not any(re.fullmatch(pattern, f) for pattern in allowed)]
    assert strangers == []
    for needed in (
        "synthema/py.typed",
        "synthema/include/synthema/core/error.hpp",
        "synthema/lib/libsynthema_core.a",
        "synthema/lib/cmake/synthema/synthema-config.cmake",
        "synthema/reporting/style.css",
    ):
        assert needed in files


def test_every_public_header_is_installed():
    source = {p.relative_to(REPOSITORY / "include") for p in (REPOSITORY / "include").rglob("*.hpp")}
    present = {p.relative_to(PACKAGE / "include") for p in (PACKAGE / "include").rglob("*.hpp")}
    assert source == present


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
def test_the_core_module_does_not_need_torch():
    core = next(PACKAGE.glob("_core*.so"))
    needed = subprocess.run(["readelf", "-d", core], capture_output=True, text=True, check=True).stdout
    assert not re.search(r"NEEDED.*(torch|c10)", needed)


# --- C++ consumers


def configure(project, folder, *definitions):
    """Configure one consumer project."""
    for tool in ("cmake", "ninja"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on the path")
    definitions = [
        f"-D{d}" for d in (f"Python_EXECUTABLE={sys.executable}", "CMAKE_BUILD_TYPE=Release", *definitions)
    ]
    source = REPOSITORY / "tests" / "consumer" / project
    succeed("cmake", "-S", source, "-B", folder, "-G", "Ninja", *definitions)


def configure_and_build(project, folder, *definitions):
    """Configure and build one consumer project; return its program."""
    configure(project, folder, *definitions)
    succeed("cmake", "--build", folder, "--target", "consumer")
    return folder / "consumer"


def succeed(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_project_finds_the_package_without_torch(tmp_path):
    program = configure_and_build(
        "core", tmp_path, f"synthema_ROOT={PACKAGE}", "CMAKE_DISABLE_FIND_PACKAGE_Torch=ON"
    )
    assert "text" in run(program)


def test_a_project_can_have_the_sources_as_a_folder(tmp_path):
    # Configured only: `./dev sanitize` builds and runs this project, for which everything is compiled.
    configure("subdirectory", tmp_path, f"SYNTHEMA_SOURCE={REPOSITORY}")
    assert "build consumer:" in (tmp_path / "build.ninja").read_text()


def test_a_library_installed_under_a_prefix_finds_torch(tmp_path):
    for tool in ("cmake", "ninja"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on the path")
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    succeed("cmake", "-S", REPOSITORY, "-B", tmp_path, "-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}")
    script = (tmp_path / "cmake_install.cmake").read_text(encoding="utf-8")
    assert re.search(r"\[\[\$ORIGIN:/[^:\]]*/torch/lib\]\]", script)


@pytest.mark.model
def test_a_project_finds_the_transformer(tmp_path, torch_module, smollm2_path):
    torch = pathlib.Path(importlib.util.find_spec("torch").origin).parent
    program = configure_and_build(
        "torch", tmp_path, f"synthema_ROOT={PACKAGE}", f"CMAKE_PREFIX_PATH={torch / 'share' / 'cmake'}"
    )
    model = synthema.Model(smollm2_path)
    greedy = synthema.Sampling(temperature=0, max_tokens=12)
    [expected] = model.complete([synthema.Prompt.plain("The patient has a history of")], sampling=greedy)
    assert run(program, smollm2_path).rstrip("\n") == expected.text.rstrip("\n")


def test_asking_for_torch_where_it_was_not_built_is_a_clear_failure(tmp_path):
    if (PACKAGE / "lib" / "cmake" / "synthema" / "synthema-torch-targets.cmake").exists():
        pytest.skip("this synthema was built with torch")
    done = subprocess.run(
        [
            "cmake",
            "-S",
            REPOSITORY / "tests" / "consumer" / "torch",
            "-B",
            tmp_path,
            f"-Dsynthema_ROOT={PACKAGE}",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "built without torch" in done.stderr
