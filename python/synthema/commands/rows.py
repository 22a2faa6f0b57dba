"""`synthema sample` and `impute`: rows of a fitted generator of tables."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from synthema._core import ConfigError
from synthema.commands.options import Result, command, count, csv_form, form_of, output, seed, writable
from synthema.terminal import Progress


def add(commands: Any) -> None:
    """Add these commands to the parsers of the command line."""
    one = command(
        commands, "sample", _sample, "make rows with a fitted generator of tables",
        "synthema sample patients.model --rows 1000 --seed 1 --out synthetic.csv",
    )  # fmt: skip
    one.add_argument("model", metavar="MODEL", help="file that synthema fit wrote")
    one.add_argument("--rows", type=count, required=True, metavar="N", help="how many rows")
    one.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="the same seed, the same rows; default: 0"
    )
    output(one, "FILE", "CSV, JSONL or Parquet file for the rows")
    one.add_argument(
        "--conditions",
        metavar="FILE",
        help="table whose row i mod n the i-th row agrees with, column by column; a missing value leaves its "
        "column free",
    )
    csv_form(one)
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

    one = command(
        commands, "impute", _impute, "fill the holes of a table with a fitted generator",
        "synthema impute patients.model holes.csv --seed 1 --out filled.csv",
    )  # fmt: skip
    one.add_argument("model", metavar="MODEL", help="file that synthema fit wrote, of a method that imputes")
    one.add_argument("table", metavar="TABLE", help="CSV, JSONL or Parquet file with missing values")
    csv_form(one)
    one.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="another seed, another imputation; default: 0"
    )
    output(one, "FILE", "CSV, JSONL or Parquet file for the rows")


def _sample(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables, tabular_generation
    from synthema.reporting.numbers import counted

    writable(args, args.model, args.conditions)
    if args.dates != "ymd" and not args.conditions:
        raise ConfigError(
            "--dates says how the dates of --conditions are written; rows are written with the year first. "
            "Leave it out, or name conditions."
        )
    tables.suffix_of(args.out)
    generator = tabular_generation.load(args.model)
    conditions = tables.read(args.conditions, **form_of(args)) if args.conditions else None
    _fits_memory(args.rows, len(generator.schema.fields))
    progress.phase("sample")
    made = generator.sample(
        args.rows, args.seed, conditions, balance=_json_object(args, "balance"),
        parity=_json_object(args, "parity"), progress=progress,
    )  # fmt: skip
    path = tables.write(made, args.out, delimiter=args.delimiter, decimal=args.decimal)
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

    writable(args, args.model, args.table)
    tables.suffix_of(args.out)
    generator = tabular_generation.load(args.model)
    impute = getattr(generator, "impute", None)
    if impute is None:
        raise ConfigError(
            f"The model is of the method {generator.name}, which does not impute; fit sequential_trees or "
            "any_order_network."
        )
    holes = tables.read(args.table, **form_of(args))
    progress.phase("impute")
    made = impute(holes, args.seed, progress=progress)
    path = tables.write(made, args.out, delimiter=args.delimiter, decimal=args.decimal)
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


def _fits_memory(rows: int, columns: int) -> None:
    """Refuse to make more rows than this machine's whole memory could hold."""
    least, there = 8 * rows * columns, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if least > there:
        raise ConfigError(
            f"--rows {rows}: This takes at least {least / 2**30:,.0f} GiB of memory and the machine has "
            f"{there / 2**30:,.0f}; make fewer rows at a time, each part with another --seed."
        )
