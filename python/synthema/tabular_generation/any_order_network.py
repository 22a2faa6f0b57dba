"""AnyOrderNetwork: a network of a table that takes its columns in any order."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from synthema import column_sources
from synthema._core import CancelToken, ConfigError, Progress, Schema
from synthema.models import load_torch_module
from synthema.tabular_generation.frames import FrameForm
from synthema.tabular_generation.private_generator import PrivateGenerator
from synthema.tabular_generation.sequential_trees import SequentialTrees


class TorchClass:
    """A class of ``synthema._torch``, which is loaded where it is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return getattr(load_torch_module(), self._name)


class AnyOrderNetwork(PrivateGenerator):
    """A neural network that learns each column given any others; needs torch, on the CPU.

    Slower to fit than `SequentialTrees`: minutes for 100,000 rows. Conditions on any columns and imputation
    are exact draws from what was learnt, and `log_prob` tells how likely rows are. Values that few people
    have are not handed on.

    Parameters
    ----------
    target : str
        Column that is kept best; empty: the column with the role target, if there is one. It is drawn first,
        and last with several members.
    size : {"medium", "small", "large"}
        Of the network. A table of many hundred columns gets a smaller one than asked for, so that it fits
        into memory.
    rare_below : int
        As of `SequentialTrees`.
    rounds : int
        Most rounds over the rows. It ends before where the validation loss gets no better.
    patience : int
        Rounds without gain before the rate of learning falls, and after its second fall before the end.
    validation : float
        Share of people that are set aside to see when to end; above 0, at most 0.5. In tables of fewer than
        500 rows it is more, about 50 people, at most 30 %. Several members set aside a part each instead.
    members : int
        Networks that learn from different people and are averaged, at most 20. 0: 5 for fewer than 2,000
        people, else 1.
    rate : float
        First rate of learning; 0: 0.002. Of a private fit that of DP-SGD; 0: 0.01.
    seed : int
        Of the fit: first values, who is set aside, orders of columns; of a private one the first values,
        the rows drawn from noisy pairs and how they are learnt, and the draws by which shares of classes are
        settled.
    temperature : dict of str to float
        By column: below 1 what is likely becomes likelier, above 1 less so.
    epsilon : float, optional
        Makes the fit (epsilon, delta)-differentially private, as `PrivateMarginals` says. No real person is
        set aside then, `rounds`, `patience` and `validation` are of the rows that are drawn from noisy
        counts (see `pairs_share`), and `rare_below` and `members` play no part.
    delta, rows_per_person, infer, ledger
        As of `PrivateMarginals`; rows of a person at most 100.
    clip : float
        Norm to which is cut what one person adds to a gradient.
    sampling_rate : float
        Share of people in each step, at random.
    steps : int
        Of learning. The noise of each follows from these, epsilon and delta.
    bins : int
        Of a number, at most, where the fit is private.
    first_share : float
        Of the budget, for what values single columns have.
    pairs_share : float
        Of the budget, for noisy counts of pairs and triples of columns, as of `PrivateMarginals`: the network
        learns from rows that are drawn from these, at no further cost, before it learns from the real ones.
        Columns of which nothing could be told are tried once more, from this part.
    threads : int
        0: all cores; never changes the result.

    Notes
    -----
    Private fits: DP-SGD (Abadi et al. 2016), Poisson sampling, orders of columns and noise from the
    operating system. Names, kinds and roles of columns are public, and everything in a schema that is given
    to `fit`.

    Method: Tiwald et al. 2025 (TabularARGN), with the sums of Uria, Murray and Larochelle 2014 (NADE), and
    every row in an order of its own. `fit` tells the validation loss in nats a row. Where `cancel` asks to
    stop after the first round, `fit` keeps the best state so far and returns. The same seeds give the same
    rows at any number of threads, on one kind of CPU and with one version of torch.

    Examples
    --------
    >>> import synthema
    >>> real = {"sex": ["f", "m"] * 100, "smokes": [True, False] * 100}
    >>> network = AnyOrderNetwork(size="small").fit(real)  # doctest: +SKIP
    >>> network.sample(2, seed=1, conditions={"smokes": True}).values("sex")  # doctest: +SKIP
    ['f', 'f']
    """

    _core_class = TorchClass("_AnyOrderNetwork")

    def __init__(
        self,
        target: str = "",
        *,
        size: str = "medium",
        rare_below: int = 5,
        rounds: int = 100,
        patience: int = 3,
        validation: float = 0.1,
        members: int = 0,
        rate: float = 0.0,
        seed: int = 0,
        temperature: Mapping[str, float] | None = None,
        epsilon: float | None = None,
        delta: float = 1e-6,
        clip: float = 1.0,
        sampling_rate: float = 0.1,
        steps: int = 150,
        rows_per_person: int = 1,
        bins: int = 32,
        first_share: float = 0.2,
        pairs_share: float = 0.4,
        infer: bool = True,
        ledger: str | os.PathLike[str] = "",
        threads: int = 0,
    ):
        if epsilon is None and os.fspath(ledger):
            raise ConfigError("Only a private fit has a place in a ledger; give an epsilon.")
        super().__init__(
            target=target, size=size, rare_below=rare_below, rounds=rounds, patience=patience,
            validation=validation, members=members, rate=rate, seed=seed,
            temperature=temperature, epsilon=epsilon, delta=delta, clip=clip,
            sampling_rate=sampling_rate, steps=steps, rows_per_person=rows_per_person, bins=bins,
            first_share=first_share, pairs_share=pairs_share, infer=infer, ledger=ledger,
            threads=threads,
        )  # fmt: skip

    def fit(
        self,
        data: Any,
        *,
        schema: Schema | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
        spill: str | os.PathLike[str] = "",
        _test_noise: int | None = None,
    ) -> AnyOrderNetwork:
        """Learn from real rows; with an epsilon, once for what it says: a second fit costs as much again.

        Parameters
        ----------
        data : table, frame, path, pyarrow dataset or pyarrow.RecordBatchReader
            As of `SequentialTrees.fit`; or a table that need not fit into memory, whose columns are read one
            after the other: the path of a .parquet, .feather, .arrow or .csv file, a dataset, or a reader. It
            teaches the same network as the table itself, to the last bit.
        schema : Schema, optional
            What the columns mean. For a private fit it is public knowledge, as for `PrivateMarginals.fit`.
        progress, cancel
            As of `SequentialTrees.fit`.
        spill : path, optional
            Folder on a disk for the coded rows of a table that is read column by column, a byte for each row
            and column, and for the rows of a reader, which can be read only once. They are in files that only
            the user can read, that have no name, and that are gone with the fit or with the process.

        Returns
        -------
        self

        Raises
        ------
        SchemaError, GenerationError
            As of `SequentialTrees.fit`.
        PrivacyBudgetError, ConfigError
            As of `PrivateMarginals.fit`. ConfigError too if a private fit is given a file, or a reader no
            `spill`.
        ParseError
            If a file is not there or broken.
        """
        if column_sources.is_source(data):
            if self._parameters["epsilon"] is not None:
                raise ConfigError(
                    "A private fit needs the table as a whole: read the file first, as in "
                    "fit(synthema.read(path))."
                )
            made, folder = self._make(), os.fspath(spill)
            with column_sources.column_source(data, schema, spill=folder) as source:
                made.fit_columns(source.schema, source.rows, source.read, folder, progress, cancel)
            self._fitted, self._frame = made, FrameForm.of(data)
            return self
        if spill:
            raise ConfigError(
                "The parameter 'spill' is for tables that are read column by column; this one is in memory."
            )
        if self._parameters["epsilon"] is None:
            return super().fit(data, schema=schema, progress=progress, cancel=cancel)
        self._fit_stated(data, schema, progress, cancel, _test_noise)
        return self

    impute = SequentialTrees.impute

    @property
    def order(self) -> list[str]:
        """Columns in the order in which they are drawn."""
        return self._ready().order

    @property
    def validation_loss(self) -> float:
        """Mean over the people set aside of minus the log-probability of a row's classes, in nats."""
        return self._ready().validation_loss

    @property
    def rounds(self) -> int:
        """Rounds over the rows that were learnt."""
        return self._ready().rounds

    @property
    def parameters(self) -> int:
        """How many numbers were learnt, of all members."""
        return self._ready().parameters
