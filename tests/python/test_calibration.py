"""A small form of tools/interval_coverage.py: intervals cover about as often as they say."""

import importlib.util
import pathlib

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "interval_coverage.py"
spec = importlib.util.spec_from_file_location("interval_coverage", TOOL)
coverage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(coverage)


@pytest.mark.parametrize(
    ("world", "names"),
    [
        ("synthetic_rows", {"exact_copies", "nndr"}),
        ("real_rows_and_fresh_rows", {"dcr_share"}),
        ("real_rows_and_clumps", {"dcr_share"}),
        ("real_rows", {"membership_by_distance", "linkability", "zero_cap"}),
        ("synthetic_texts", {"length_words", "identifier_texts", "training_copy_words"}),
    ],
)
def test_intervals_cover_what_they_say(world, names):
    found = coverage.simulate(coverage.WORLDS[world], repeats=60, seed=3, bootstrap=200, only=names)
    assert {one["name"] for one in found} == names
    for one in found:  # 95 % of 60 is 57; fewer than 51 has a probability below 1 in 1,000
        assert one["coverage"] >= 51 / 60, one
        assert one["width"] < 0.5 or one["name"] == "length_words", one
