"""The generators of benchmarks/tabular.py: ``WORK[system]`` fits a frame and returns as many new rows.

A job names the folder of ``real.parquet`` and ``holdout.parquet``, the target, the seed and the threads;
``synthetic.parquet`` is left there. Of generators that tell how likely a row is, which are returned beside
their rows, so is ``log_prob.npy``, of the holdout.
"""

from __future__ import annotations

import pathlib
import sys

from peer import serve


def ours(cls, *, with_target=False, with_seed=False):
    def work(real, job):
        import synthema

        options = {"target": job["target"]} if with_target else {}
        options |= {"seed": job["seed"]} if with_seed else {}
        generator = getattr(synthema, cls)(threads=job["threads"], **options).fit(real)
        return generator.sample(len(real), seed=job["seed"], frame="pandas"), generator

    return work


def bootstrap(real, job):
    import synthema

    copy = synthema.BootstrapCopy(release=True).fit(real)
    return copy.sample(len(real), seed=job["seed"], frame="pandas")


def sequential_cart(real, job):
    """Sequential CART on scikit-learn's trees: the target first, leaves of 100 rows (20 in small tables).

    Values of columns nearly all of whose values differ are put between two neighbours of the leaf; all others
    are those of the leaf's rows.
    """
    import numpy as np
    import pandas
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    rng = np.random.default_rng(job["seed"])
    names = [job["target"]] * bool(job["target"]) + [name for name in real if name != job["target"]]
    leaf = 100 if len(real) >= 10000 else 20
    coded = pandas.DataFrame(index=real.index)
    for name in real:
        column = real[name]
        coded[name] = column.cat.codes if isinstance(column.dtype, pandas.CategoricalDtype) else column
    coded = coded.astype(float)
    filled = coded.fillna(-1e9)
    out = pandas.DataFrame(index=range(len(real)))
    for i, name in enumerate(names):
        values = filled[name].to_numpy()
        if i == 0:
            out[name] = rng.choice(values, len(values))
            continue
        label = isinstance(real[name].dtype, pandas.CategoricalDtype) or real[name].nunique() <= 10
        tree = (DecisionTreeClassifier if label else DecisionTreeRegressor)(
            min_samples_leaf=leaf, random_state=job["seed"]
        ).fit(filled[names[:i]], values)
        leaves, wanted = tree.apply(filled[names[:i]]), tree.apply(out[names[:i]])
        smooth = not label and real[name].nunique() > 0.5 * len(real)
        made = np.empty(len(out))
        order = np.argsort(leaves, kind="stable")
        starts = dict(zip(*np.unique(leaves[order], return_index=True), strict=True))
        sizes = dict(zip(*np.unique(leaves, return_counts=True), strict=True))
        for one in np.unique(wanted):
            pool = np.sort(values[order[starts[one] : starts[one] + sizes[one]]])
            rows = np.flatnonzero(wanted == one)
            at = rng.integers(0, len(pool), len(rows))
            made[rows] = pool[at]
            if smooth:
                nearby = pool[np.minimum(at + 1, len(pool) - 1)]
                made[rows] += rng.random(len(rows)) * (nearby - made[rows])
        out[name] = made
    back = pandas.DataFrame(index=out.index)
    for name in real:
        values = out[name].where(out[name] > -1e8)
        if isinstance(real[name].dtype, pandas.CategoricalDtype):
            codes = values.fillna(-1).astype(int)
            back[name] = pandas.Categorical.from_codes(codes, dtype=real[name].dtype)
        else:
            whole = pandas.api.types.is_integer_dtype(real[name])
            back[name] = values.round().astype(int) if whole else values
    return back


def sdv_copula(real, job):
    from sdv.metadata import Metadata
    from sdv.single_table import GaussianCopulaSynthesizer

    labels = real.select_dtypes("category").columns
    real = real.astype(dict.fromkeys(labels, "object"))  # it fails on categories without a row
    metadata = Metadata.detect_from_dataframes({"table": real})
    synthesizer = GaussianCopulaSynthesizer(metadata)
    synthesizer.fit({"table": real})  # since 2.0 a single table comes in a dict
    made = synthesizer.sample(len(real))
    return made["table"] if isinstance(made, dict) else made


def mostlyai(real, job):
    import mostlyai.sdk

    client = mostlyai.sdk.MostlyAI(local=True, quiet=True)
    generator = client.train(config={"tables": [{"name": "table", "data": real}]}, progress_bar=False)
    return client.probe(generator, size=len(real))


def private(real, job):
    """Ours: labels, ranges and missing values are learnt from the budget, and so is the number of rows."""
    import synthema

    generator = synthema.PrivateMarginals(
        job["epsilon"], job["delta"], job["target"], threads=job["threads"]
    ).fit(real)
    return generator.sample(len(real), seed=job["seed"], frame="pandas")


def private_network(real, job):
    """Our network by DP-SGD, under the same terms."""
    import synthema

    generator = synthema.AnyOrderNetwork(
        job["target"], epsilon=job["epsilon"], delta=job["delta"], seed=job["seed"], threads=job["threads"]
    ).fit(real)
    return generator.sample(len(real), seed=job["seed"], frame="pandas")


def without_types(real):
    """Return the frame with labels as plain objects, and the names of its numbers."""
    import pandas

    out = real.copy()
    numbers = [name for name in real if pandas.api.types.is_numeric_dtype(real[name])]
    for name in out:
        if name not in numbers:
            out[name] = out[name].astype("object").where(out[name].notna(), None)
    return out, numbers


def whole_again(made, real):
    """Bins come back as reals; columns of whole numbers are rounded."""
    import pandas

    for name in real:
        if pandas.api.types.is_integer_dtype(real[name]):
            made[name] = pandas.to_numeric(made[name]).round().astype("Int64")
    return made


def smartnoise(method):
    def work(real, job):
        """A tenth of epsilon is for the bounds of numbers; labels and the row count are taken as known."""
        from snsynth import Synthesizer

        frame, numbers = without_types(real)
        bounds = 0.1 * job["epsilon"] if numbers else 0.0
        synthesizer = Synthesizer.create(method, epsilon=job["epsilon"] - bounds, delta=job["delta"])
        synthesizer.fit(
            frame, preprocessor_eps=bounds, continuous_columns=numbers,
            categorical_columns=[name for name in frame if name not in numbers],
            nullable=bool(frame.isna().any().any()),
        )  # fmt: skip
        return whole_again(synthesizer.sample(len(real)), real)

    return work


def dpmm(method):
    def work(real, job):
        """A tenth of epsilon is for the bins of numbers; labels and the number of rows are taken as known."""
        from dpmm import pipelines

        frame, _ = without_types(real)
        for name in frame.select_dtypes("object"):
            frame[name] = frame[name].astype("category")
        pipeline = getattr(pipelines, method)(
            epsilon=0.9 * job["epsilon"], proc_epsilon=0.1 * job["epsilon"], delta=job["delta"],
            n_jobs=job["threads"],
        )  # fmt: skip
        pipeline.fit(frame, random_state=job["seed"])
        return whole_again(pipeline.generate(len(real), random_state=job["seed"]), real)

    return work


WORK = {
    "synthema": ours("SequentialTrees", with_target=True),
    "synthema network": ours("AnyOrderNetwork", with_target=True, with_seed=True),
    "synthema copula": ours("GaussianCopula"),
    "synthema marginals": ours("IndependentMarginals"),
    "bootstrap copy": bootstrap,
    "scikit-learn": sequential_cart,
    "sdv": sdv_copula,
    "mostlyai": mostlyai,
    "private": private,
    "private network": private_network,
    "smartnoise mst": smartnoise("mst"),
    "smartnoise aim": smartnoise("aim"),
    "dpmm mst": dpmm("MSTPipeline"),
    "dpmm aim": dpmm("AIMPipeline"),
}


def load(job, name="real"):
    import pandas

    return pandas.read_parquet(pathlib.Path(job["folder"]) / f"{name}.parquet")


def work(real, job):
    made, generator = WORK[job["work"]](real, job), None
    if isinstance(made, tuple):
        made, generator = made

    def leave():
        folder = pathlib.Path(job["folder"])
        made.to_parquet(folder / "synthetic.parquet")
        if generator is not None:
            import numpy as np

            np.save(folder / "log_prob.npy", generator.log_prob(load(job, "holdout")))

    return {"rows": len(made), "untimed": leave}


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    serve(load, work)
