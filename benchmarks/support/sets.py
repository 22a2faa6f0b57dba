"""Real tables for benchmarks of generators: where each lies in the data folder, and how it is split.

`DATA` of `load` is the folder of open data sets (see the README there); nothing of it is in this repository.
"""

from __future__ import annotations

import dataclasses
import pathlib

import frames

ADULT = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country",
    "income",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Set:
    """One table: its file, what to predict, what identifies rows (left out) and people (kept on one side)."""

    path: str
    target: str
    keys: tuple[str, ...] = ("rownames",)
    person: str = ""


SETS = {
    "adult": Set("adult_income/adult-train.csv.gz", "income"),
    "diabetes130": Set("diabetes130/diabetic_data.csv.gz", "readmitted", ("encounter_id",), "patient_nbr"),
    "support2": Set("support2/support2.csv.gz", "hospdead", ("rownames", "id", "sno")),
    "nhanes_small": Set("nhanes_small/nhanes.csv", "has_diabetes"),
    "nhefs": Set("nhefs/nhefs.csv", "death", ("rownames", "id", "seqn")),
    "thyroid": Set("thyroid/thyroid_disease.csv.gz", "ThryroidClass"),
    "uci_heart": Set("uci_heart/heart_3sites.csv", "num", ("rownames", "id")),
    "early_diabetes": Set("early_diabetes/diabetes_data.csv", "DiabeticClass"),
    "heart_failure": Set("heart_failure/heart_failure.csv", "DEATH_EVENT"),
    # A panel: the grey of 196 parts of each picture.
    "pneumonia_pixels": Set("pneumoniamnist/pneumoniamnist.npz", "pneumonia", ()),
    "sepsis_survival": Set("sepsis_survival/sepsis_primary_cohort.csv.gz", ""),
}


def load(name: str, data: pathlib.Path, rows: int = 0):
    """Return training rows, as many held-out rows and the target; labels as categories.

    The training part of adult has its own test part; other tables are halved by people. At most `rows` rows
    of each, where that is not 0. The name "generated" needs no data folder.
    """
    import numpy as np
    import pandas

    if name == "generated":
        size = rows or 20000
        parts = [frame_of(size, 14, seed) for seed in (1, 3)]
        return *parts, "y"
    about = SETS[name]
    if name == "adult":
        read = {"header": None, "names": ADULT, "skipinitialspace": True, "na_values": "?"}
        parts = [
            pandas.read_csv(data / "adult_income" / f"adult-{part}.csv.gz", **read)
            for part in ("train", "test")
        ]
        parts[1]["income"] = parts[1].income.str.rstrip(".")
    else:
        path = data / about.path
        if path.suffix == ".npz":
            frame = pixels(path, about.target)
        else:
            frame = pandas.read_csv(path, low_memory=False, dtype={"diag_1": str})
        frame = frame.drop(columns=[key for key in about.keys if key in frame])
        people = frame[about.person] if about.person else pandas.Series(np.arange(len(frame)))
        order = np.random.default_rng(0).permutation(people.unique())
        first = people.isin(set(order[: len(order) // 2]))
        parts = [frame[first], frame[~first]]
        parts = [part.drop(columns=about.person) if about.person else part for part in parts]
        size = min(len(part) for part in parts)
        parts = [part.iloc[:size] for part in parts]
    parts = [part.iloc[:rows] if rows else part for part in parts]
    parts = [part.reset_index(drop=True) for part in parts]
    for column in parts[0]:
        if not pandas.api.types.is_numeric_dtype(parts[0][column]):
            labels = sorted(set().union(*(set(part[column].dropna().astype(str)) for part in parts)))
            for part in parts:
                part[column] = pandas.Categorical(part[column].astype("object"), categories=labels)
    return *parts, about.target


def pixels(path: pathlib.Path, label: str):
    """Return a frame of pictures of 28 x 28: the means of 2 x 2 pixels, and the label."""
    import numpy as np
    import pandas

    parts = np.load(path)
    pictures = np.concatenate([parts["train_images"], parts["val_images"]]).astype(float)
    means = pictures.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196)
    frame = pandas.DataFrame(means, columns=[f"pixel_{i}" for i in range(196)])
    labels = np.concatenate([parts["train_labels"], parts["val_labels"]]).ravel()
    frame[label] = np.where(labels == 1, "yes", "no")
    return frame


def frame_of(rows: int, columns: int, seed: int):
    """Return a generated frame, as `frames.write` makes it."""
    import tempfile

    import pandas

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "frame.csv"
        frames.write(path, rows, columns, seed)
        return pandas.read_csv(path)
