#!/usr/bin/env bash
# `pip install .` as a user without torch would do it: build isolation, a fresh environment, no model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=build/core-venv
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=23.1"  # for -C; Python 3.10 brings an older one
# Not optimised: whether it installs and works is asked here, and that takes half the time.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check . -C build-dir=build/core -C cmake.build-type=Debug -C cmake.define.CMAKE_CXX_FLAGS_DEBUG=-O0
cd build
"core-venv/bin/python" - <<'CODE'
import sys

import synthema

assert "torch" not in sys.modules
table = synthema.table({"text": ["She has had a dull headache for two days.", "He sleeps badly since spring."]})
report = synthema.evaluate(table, bootstrap=50)
assert len(report.scores) > 5, report
try:
    synthema.Model("nothing.gguf")
except ImportError as error:
    assert "torch" in str(error)
else:
    raise AssertionError("a model without torch must be an ImportError that says so")
print("core install: tables, evaluators and report work without torch")
CODE
"core-venv/bin/synthema" --help >/dev/null
