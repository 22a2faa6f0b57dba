"""The public data sets that the scripts of this folder compare on, and how their files are read."""

from __future__ import annotations

import pathlib

import pandas as pd

# Name: file below the folder of data, keywords of pandas.read_csv.
SETS = {
    "adult": (
        "adult_income/adult-train.csv.gz",
        {"header": None, "skipinitialspace": True, "na_values": "?"},
    ),
    "nhanes": ("nhanes_small/nhanes.csv", {}),
    "support2": ("support2/support2.csv.gz", {}),
    "nhefs": ("nhefs/nhefs.csv", {}),
    "heart failure": ("heart_failure/heart_failure.csv", {}),
    "indian liver": ("indian_liver/indian_liver_patient.csv", {}),
    "pbcseq": ("pbcseq/pbcseq.csv", {}),
    "early diabetes": ("early_diabetes/diabetes_data.csv", {}),
}


def read(folder: pathlib.Path, name: str) -> pd.DataFrame:
    """Return the rows of a data set as its file has them."""
    path, options = SETS[name]
    return pd.read_csv(folder / path, **options)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in an order that is the same in every run."""
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)
