"""Warnings stand at the line of the caller."""

import inspect
import warnings

import pytest
import synthema


@pytest.mark.parametrize(
    "call",
    [
        lambda rows, path: synthema.SequentialTrees().fit(rows),
        lambda rows, path: synthema.tabular(rows),
        lambda rows, path: synthema.PrivateMarginals(epsilon=30, delta=0.1).fit(rows),
        lambda rows, path: synthema.evaluate(rows, rows),
        lambda rows, path: synthema.read(path),
    ],
)
def test_warnings_name_the_line_that_called(call, tmp_path):
    rows = {"patient_id": [i % 50 for i in range(200)], "seen": [f"0{i % 8 + 1}.01.2020" for i in range(200)]}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call(rows, synthema.write(rows, tmp_path / "rows.csv"))
    assert {warning.filename for warning in seen} == {__file__}
    assert {warning.lineno for warning in seen} == {inspect.getsourcelines(call)[1]}
