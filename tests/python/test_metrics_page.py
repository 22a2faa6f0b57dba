"""The page of metrics names every evaluator and none that is not there; the guide's table knows them too."""

import pathlib
import re

from synthema.evaluators import evaluator_names

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_every_evaluator_has_its_row_and_every_row_an_evaluator():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(named) == len(set(named)), "A metric has two rows in docs/metrics.md."
    missing = sorted(set(evaluator_names()) - set(named))
    assert not missing, (
        f"docs/metrics.md says nothing of {missing}; give each a row: what it is, when it misleads."
    )
    unknown = sorted(set(named) - set(evaluator_names()))
    assert not unknown, f"docs/metrics.md names {unknown}, which are no evaluators."
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|"))
