"""What the commands of the command line share: options, their types, and checks before the work."""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import tempfile
from collections.abc import Callable
from typing import Any

from synthema._core import ConfigError
from synthema.arguments import is_whole

Result = dict[str, Any]  # what --json prints


def whole(text: str, low: int, what: str) -> int:
    """A whole number from `low` on, as `argparse` types are; `what` says what it is."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not is_whole(int(text), low):
        raise argparse.ArgumentTypeError(f"{what} is a whole number from {low} to 2^64 - 1, not '{text}'")
    return int(text)


def names(text: str) -> list[str]:
    """Names of columns or measures, comma-separated."""
    return [name.strip() for name in text.split(",") if name.strip()]


def count(text: str) -> int:
    """A number of rows."""
    return whole(text, 1, "a number of rows")


def seed(text: str) -> int:
    """A seed."""
    return whole(text, 0, "a seed")


def command(
    parsers: Any, name: str, run: Callable[..., Result], summary: str, example: str
) -> argparse.ArgumentParser:
    """A new command that `run` carries out; it returns what `--json` prints."""
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


def run_options(parser: argparse.ArgumentParser) -> None:
    """Options of commands that write a run folder."""
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="run folder; new, or interrupted with --resume"
    )
    parser.add_argument(
        "--rows", type=count, metavar="N", help="accepted rows wanted; default: as configured, else 40"
    )
    parser.add_argument(
        "--seed", type=seed, metavar="S", help="seed of the run; default: as configured; 1 for demo"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run; the result is the same"
    )
    parser.add_argument(
        "--model", metavar="FILE", help="GGUF file or model folder; default: the installed small model"
    )


def output(parser: argparse.ArgumentParser, metavar: str, what: str) -> None:
    """The option of commands that write one file, which `writable` checks."""
    parser.add_argument("--out", required=True, metavar=metavar, help=what)
    parser.add_argument("--overwrite", action="store_true", help="replace the file of --out if it is there")


def csv_form(parser: argparse.ArgumentParser) -> None:
    """Options of commands that read tables: how CSV files are written. `form_of` returns them."""
    parser.add_argument(
        "--delimiter",
        type=lambda text: {"tab": "\t", "\\t": "\t"}.get(text, text),
        default=",",
        metavar="CHARACTER",
        help="what separates the columns of CSV files, such as ';' or tab; default: a comma",
    )
    parser.add_argument(
        "--decimal",
        choices=(".", ","),
        default=".",
        help="what stands before the decimals of numbers in CSV files; default: a point",
    )
    parser.add_argument(
        "--dates",
        choices=("ymd", "dmy", "mdy"),
        default="ymd",
        help="how dates are written in CSV files, dmy for 31.10.1959 or 31/10/1959; default: ymd",
    )


def form_of(args: argparse.Namespace) -> dict[str, str]:
    """Return what `csv_form` asked for, as `synthema.read` takes it."""
    return {"delimiter": args.delimiter, "decimal": args.decimal, "dates": args.dates}


def reading(parser: argparse.ArgumentParser) -> None:
    """Options of commands that read tables."""
    csv_form(parser)
    parser.add_argument("--schema", metavar="FILE", help="schema in JSON; default: inferred from the data")
    naming(parser)


def naming(parser: argparse.ArgumentParser) -> None:
    """Options that give columns a role."""
    parser.add_argument(
        "--subject", metavar="COLUMN", help="column that says whose row it is, where people have several rows"
    )
    parser.add_argument(
        "--identifiers",
        type=names,
        default=[],
        metavar="COLUMNS",
        help="columns that name a row, comma-separated: drawn afresh, and no part of what is compared",
    )


def roles(args: argparse.Namespace) -> dict[str, str]:
    """Roles that the options name."""
    if args.subject in args.identifiers:
        raise ConfigError(
            f"--identifiers: The column '{args.subject}' is the subject already; it says whose a row is, not "
            "which row it is."
        )
    out = dict.fromkeys(args.identifiers, "identifier")
    return out | ({args.subject: "subject"} if args.subject else {})


def writable_folder(out: str) -> None:
    """Refuse a place where no folder can be made before the work is done."""
    path = pathlib.Path(out)
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not there.is_dir():
        what = "This is a file" if there == path else f"'{there}' is a file"
        raise ConfigError(f"--out {out}: {what}; name a folder for the report.")
    refuse_closed("--out", out, there)


def writable(args: argparse.Namespace, *read: str | None) -> None:
    """Refuse an `output` that cannot be written, or would be lost, before work or privacy budget is spent."""
    out = args.out
    path = pathlib.Path(out)
    if path.is_dir():
        raise ConfigError(f"--out {out}: This is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {out}: There is no folder '{path.parent}'; make it first.")
    if path.exists() and not path.is_file():
        raise ConfigError(f"--out {out}: This is a pipe or a device; name a file.")
    for given in read:
        if given and (
            os.path.realpath(given) == os.path.realpath(out)
            or (path.exists() and pathlib.Path(given).exists() and path.samefile(given))
        ):
            raise ConfigError(f"--out {out}: This file is read here and would be lost; name another.")
    if path.exists() and not args.overwrite:
        raise ConfigError(
            f"--out {out}: This file is there and would be lost; name another, or replace it by --overwrite."
        )
    refuse_closed("--out", out, pathlib.Path(os.path.realpath(out)).parent)  # whole_file follows links


def refuse_closed(option: str, given: str, folder: pathlib.Path) -> None:
    """Refuse a folder in which no file can be made: read-only, full, or somebody else's."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigError(
            f"{option} {given}: In the folder '{folder}' no file can be made: {error.strerror}; name another."
        ) from None
