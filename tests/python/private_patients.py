"""People for the tests of private generators, one of whom has values that nobody may see again."""

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")


def patients(rows=2000, seed=0, of_men=0.6):
    """Return a frame in which smoking depends on sex; one label and one number are of a single person."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    frame = pandas.DataFrame(
        {
            "age": rng.integers(20, 80, rows),
            "sex": pandas.Categorical(sex, categories=["f", "m", "canary-declared"]),
            "ward": rng.choice(["east", "north", "west"], rows),
            "smoker": rng.random(rows) < np.where(sex == "m", of_men, 0.1),
        }
    )
    frame.loc[7, "ward"] = "canary-ward"
    frame.loc[7, "age"] = 123456
    return frame
