"""Differential privacy: accountants, noise that keeps a promise, and the ledger of what was spent.

Neighbouring data differ by one unit (a row, or a patient where rows belong to one) that is added or removed.
"""

from __future__ import annotations

from synthema._core import (
    ExponentialMechanism,
    GaussianMechanism,
    LaplaceMechanism,
    Ledger,
    LedgerEntry,
    LedgerFile,
    PrivacyBudgetError,
    PrivacyLossDistribution,
    RenyiAccountant,
    discrete_gaussian,
    discrete_laplace,
    exponential_choice,
    privacy_epsilon,
    privacy_noise_multiplier,
)
from synthema.arguments import whole

__all__ = [
    "ExponentialMechanism",
    "GaussianMechanism",
    "LaplaceMechanism",
    "Ledger",
    "LedgerEntry",
    "LedgerFile",
    "PrivacyBudgetError",
    "PrivacyLossDistribution",
    "RenyiAccountant",
    "discrete_gaussian",
    "discrete_laplace",
    "epsilon",
    "exponential_choice",
    "noise_multiplier",
]


def epsilon(
    mechanism: GaussianMechanism | LaplaceMechanism | ExponentialMechanism,
    *,
    delta: float,
    releases: int = 1,
    accounting: str = "numerical",
) -> float:
    """Return what releases of a mechanism on the same data spend, never less than the exact answer.

    Parameters
    ----------
    mechanism : GaussianMechanism, LaplaceMechanism or ExponentialMechanism
        One release.
    delta : float
        In (0, 1), well below 1 / (number of units).
    releases : int
        How many, one after another; later ones may depend on earlier ones.
    accounting : str
        'numerical' (the closed form without sampling, else the privacy-loss distribution, beyond 1e9 releases
        the Renyi bound) or 'renyi'.

    Returns
    -------
    float
        Epsilon; infinite where double precision reaches none at this delta.

    Examples
    --------
    >>> round(epsilon(GaussianMechanism(1.1, sampling_rate=0.01), delta=1e-5, releases=1000), 3)
    1.515
    """
    return privacy_epsilon(mechanism, delta, whole(releases, "releases"), accounting)


def noise_multiplier(
    *,
    epsilon: float,
    delta: float,
    sampling_rate: float = 1.0,
    releases: int = 1,
    accounting: str = "numerical",
) -> float:
    """Return the Gaussian noise multiplier that keeps a target, rounded up.

    Parameters
    ----------
    epsilon, delta : float
        The guarantee after all releases.
    sampling_rate : float
        Batch size over number of units, with Poisson sampling; 1: every unit takes part.
    releases : int
        Steps of the training, or queries.
    accounting : str
        'numerical' or 'renyi', as in `epsilon`.

    Returns
    -------
    float
        Standard deviation over sensitivity; above the exact answer by at most 1e-12 of it without sampling,
        and by about 1e-4 of it with sampling.

    Examples
    --------
    >>> round(noise_multiplier(epsilon=1, delta=1e-5), 6)
    3.730632
    """
    return privacy_noise_multiplier(epsilon, delta, sampling_rate, whole(releases, "releases"), accounting)
