"""`synthema evaluate`: measure synthetic data that exist already."""

from __future__ import annotations

import argparse
import functools
import shlex
from typing import Any

from synthema._core import ConfigError
from synthema.commands.options import Result, command, form_of, names, reading, roles, whole, writable_folder
from synthema.terminal import Progress


def add(commands: Any) -> None:
    """Add these commands to the parsers of the command line."""
    one = command(
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
        type=lambda text: whole(text, 0, "a number of labels"),
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
        type=names,
        metavar="NAMES",
        help="only these measures, by the names in report.json, comma-separated",
    )
    reading(one)
    one.add_argument("--external", metavar="FILE", help="real data of another site, to compare with as well")
    columns = functools.partial(
        one.add_argument,
        type=names,
        default=(),
        metavar="COLUMNS",
    )
    columns("--quasi-identifiers", help="what an attacker may know of a person, comma-separated")
    columns("--secrets", help="what an attacker wants to know; default: the columns with the role sensitive")
    one.add_argument("--card", metavar="FILE", help="JSON object of further entries of study_card.json")
    one.add_argument("--sensitive", metavar="COLUMN", help="groups of people whose predictions are compared")
    one.add_argument("--duration", metavar="COLUMN", help="follow-up of each row, for survival curves")
    one.add_argument("--event", metavar="COLUMN", help="whether the follow-up ended with the event")


def _evaluate(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import assessment, evaluators

    writable_folder(args.out)
    for name in args.metrics or ():
        if name not in evaluators.evaluator_names():
            raise ConfigError(
                f"--metrics: {evaluators.no_such_evaluator(name)} The names are those in the report.json of "
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
            **form_of(args),
            schema=args.schema,
            roles=roles(args),
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
