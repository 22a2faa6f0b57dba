"""The examples of README.md are the files in docs/examples, and the Python one runs.

The C++ one is what the consumer projects build: see test_packaging.py.
"""

import pathlib
import re
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "docs" / "examples"


def code_blocks(language):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("language", "file", "lines"), [("python", "first_run.py", 25), ("cpp", "first_run.cpp", 45)]
)
def test_the_example_is_the_file(language, file, lines):
    example = (EXAMPLES / file).read_text(encoding="utf-8")
    assert code_blocks(language) == [example]
    assert len(example.splitlines()) < lines


def test_the_python_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "first_run.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 rows,")
    assert "exemplar_overlap_5" in done.stdout


@pytest.mark.parametrize("project", ["core", "subdirectory"])
def test_the_consumer_projects_build_the_cpp_example(project):
    cmake = (REPOSITORY / "tests" / "consumer" / project / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "docs/examples/first_run.cpp" in cmake


def test_the_links_of_the_readme_lead_somewhere():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (REPOSITORY / target).exists(), target
