"""A synthetic copy of a clinical table: fitted to half of the patients, judged by the other half.

The table is the Wisconsin set that scikit-learn ships: 569 tumours, 30 measurements, the diagnosis.
"""

import pandas
import synthema
from sklearn.datasets import load_breast_cancer


def patients():
    """Return the measurements and the diagnosis, in an order that says nothing."""
    data = load_breast_cancer(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    frame["diagnosis"] = pandas.Categorical.from_codes(data.target, ["malignant", "benign"])
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def main():
    """Fit, sample, evaluate; return the report."""
    frame = patients()
    real, holdout = frame.iloc[:284], frame.iloc[284:]
    generator = synthema.tabular(real, target="diagnosis")
    made = generator.sample(len(real), seed=1, frame="same")
    return synthema.evaluate(made, real, holdout, target="diagnosis")


if __name__ == "__main__":
    report = main()
    for name in ("univariate_accuracy", "train_synthetic_test_real", "dcr_share", "exact_copies"):
        print(f"{name:26} {report[name].value:.3f}")
