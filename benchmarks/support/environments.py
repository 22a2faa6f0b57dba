"""Environments of the peers: each in a folder of its own under build/peers, made of wheels."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
from collections.abc import Sequence

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
TORCH = "torch==2.13.0+cpu"  # before what depends on torch, else builds for graphics cards come along


def say(text: str) -> None:
    """Tell on standard error, which is not the table."""
    print(text, file=sys.stderr, flush=True)


def python_of(environment: str) -> pathlib.Path:
    """Return the interpreter of an environment; our own for ""."""
    return BUILD / "peers" / environment / "bin/python" if environment else pathlib.Path(sys.executable)


def make(
    environment: str,
    packages: Sequence[str],
    sdists: Sequence[str] = (),
    unwanted: Sequence[str] = (),
    then: Sequence[str] = (),
) -> bool:
    """Install what is not there yet; True where anything was, or is, complete.

    `sdists` have no wheel; `unwanted` come along and are taken out again; `then` are further options of pip
    for one more install, as for what goes to a folder. The file packages.txt keeps what an environment has.
    """
    folder = BUILD / "peers" / environment
    there = folder / "packages.txt"
    known = set(there.read_text(encoding="utf-8").split("\n")) if there.is_file() else set()
    if not packages or set(packages) <= known:
        return bool(packages)
    say(f"peer environment: {environment}")
    new = not folder.exists()
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check"]
    steps = [["install", "--only-binary=:all:", *(f"--no-binary={sdist}" for sdist in sdists), *packages]]
    steps += [["uninstall", "-y", *unwanted]] if unwanted else []
    steps += [["install", *then]] if then else []
    with open(folder / "install.log", "w", encoding="utf-8") as log:
        done = all(
            subprocess.run([*pip, *step], stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0
            for step in steps
        )
    if done:
        there.write_text("\n".join(sorted(known | set(packages))), encoding="utf-8")
    else:
        tail = (folder / "install.log").read_text(encoding="utf-8").strip().splitlines()[-1:]
        say(f"  failed: {' '.join(tail)}")
        if new:  # else it still serves what it was made for
            shutil.rmtree(folder / "bin", ignore_errors=True)
    return done
