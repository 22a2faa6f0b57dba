"""`synthema fit`: learn a generator of tables from real rows."""

from __future__ import annotations

import argparse
import math
import pathlib
import shlex
import sys
from typing import Any

from synthema._core import Cancelled, CancelToken, ConfigError
from synthema.commands.options import (
    Result,
    command,
    form_of,
    output,
    reading,
    refuse_closed,
    roles,
    whole,
    writable,
)
from synthema.terminal import Progress, first_interrupt

LONG = 200_000  # cells of a table from which the time and memory of a fit are foretold
KEPT = "The fit was interrupted; the best state that it had reached is kept.\n"


def add(commands: Any) -> None:
    """Add these commands to the parsers of the command line."""
    one = command(
        commands, "fit", _fit, "learn a generator of tables from real rows",
        "synthema fit patients.csv --target readmitted --out patients.model",
    )  # fmt: skip
    one.add_argument("table", metavar="TABLE", help="CSV, JSONL or Parquet file of real rows")
    output(one, "MODEL", "file for the fitted generator")
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
        type=lambda text: whole(text, 1, "a number of people"),
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
    reading(one)


def _fit(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables, tabular_generation
    from synthema.reporting.numbers import counted

    writable(args, args.table, args.schema, args.ledger)
    _refuse_promise(args)
    schema = tables.read_schema(args.schema) if args.schema else None
    if args.by_column or args.spill:
        return _fit_by_column(args, schema, progress)
    progress.phase("read the table")
    real = tables.read(args.table, schema, **form_of(args), roles=roles(args))
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
        "message": f"{KEPT if interrupted else ''}Model: {path} ({generator.name}, "
        f"{counted(len(real), 'row')}, {counted(len(real.names), 'column')}). It "
        "holds values of the table: keep it as confidential as that. Sample with: "
        f"{_sample_with(path, len(real))}",
    }


def _refuse_promise(args: argparse.Namespace) -> None:
    """Refuse numbers that promise nothing, before the table is read."""
    for option, usual in (("epsilon", "1 is a common choice"), ("budget", "it is what all fits may spend")):
        given = getattr(args, option)
        if given is not None and not 0 < given < math.inf:
            raise ConfigError(f"--{option} must be a finite number above zero, but it is {given:g}; {usual}.")
    if args.delta is not None and not 0 < args.delta < 1:
        raise ConfigError(
            f"--delta must be above 0 and below 1, but it is {args.delta:g}; choose one well below 1 / "
            "(number of people)."
        )


def _sample_with(path: Any, rows: int) -> str:
    return f"synthema sample {shlex.quote(str(path))} --rows {rows} --seed 1 --out synthetic.csv"


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
    if roles(args):
        raise ConfigError(
            "With --by-column or --spill state roles in a schema (--schema), not by --subject or "
            "--identifiers."
        )
    for option in ("delta", "ledger", "budget"):
        if getattr(args, option) is not None:
            raise ConfigError(
                f"--{option} is for private fits, and a fit that reads column by column is not private; "
                "leave it out, or leave out --by-column and --spill and give --epsilon."
            )
    if args.spill:
        refuse_closed("--spill", args.spill, pathlib.Path(args.spill))
    progress.phase("look at the table")
    spill = args.spill or ""
    with column_sources.column_source(args.table, schema, spill=spill, **form_of(args)) as source:
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
            "message": f"{KEPT if interrupted else ''}Model: {path} ({generator.name}, "
            f"{counted(source.rows, 'row')}, "
            f"{counted(len(names), 'column')}). It "
            "holds values of the table: keep it as confidential as that. Sample with: "
            f"{_sample_with(path, source.rows)}",
        }


def _fit_private(args: argparse.Namespace, real: Any, schema: Any, progress: Progress) -> Result:
    from synthema import privacy, tabular_generation
    from synthema.reporting.numbers import counted

    given = {"epsilon": args.epsilon, "delta": args.delta, "ledger": args.ledger}
    options = {name: value for name, value in given.items() if value is not None}
    generator = tabular_generation.method(args.method)(target=args.target, **options)
    if args.budget is not None:
        if args.ledger is None:
            raise ConfigError("--budget is of a ledger; name its file with --ledger.")
        promise = generator.get_params()
        if args.budget < promise["epsilon"]:
            raise ConfigError(  # and no ledger is begun, whose budget could not be set again
                f"This fit alone would spend epsilon {promise['epsilon']:g}, more than --budget "
                f"{args.budget:g}; state a smaller --epsilon or a larger --budget."
            )
        privacy.LedgerFile(args.ledger, (args.budget, 10 * promise["delta"]))
    progress.phase("fit")
    # With the roles of the command line; that a schema was given says what is public.
    generator.fit(real, schema=None if schema is None else real.schema, progress=progress)
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
        "one_label": generator.one_label,
        "unresolved": generator.unresolved,
        # Not the number of rows: it is private. Each release is under "spending".
        "message": f"Model: {path} ({generator.name}, {counted(len(real.names), 'column')}).\n"
        f"{generator.describe(each_release=False)}Sample with: "
        f"{_sample_with(path, 1000)}",
    }
