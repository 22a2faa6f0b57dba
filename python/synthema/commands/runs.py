"""`synthema generate`, `demo` and `verify`: runs of a study in a folder."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from synthema.commands.options import Result, command, count, run_options
from synthema.terminal import Progress


def add(commands: Any) -> None:
    """Add these commands to the parsers of the command line."""
    one = command(
        commands, "generate", _generate, "generate rows as a configuration file says, and measure them",
        "synthema generate notes.toml --out run --rows 200 --seed 1",
    )  # fmt: skip
    one.add_argument(
        "config", metavar="CONFIG.toml", help="configuration file: a recipe with other values, or all parts"
    )
    run_options(one)

    one = command(
        commands, "verify", _verify, "check every row's seal and tokens, or make rows again",
        "synthema verify run --sample 20",
    )  # fmt: skip
    one.add_argument("folder", metavar="DIR", help="run folder")
    one.add_argument(
        "--sample", type=count, metavar="N", help="rows to make again, byte for byte; default: re-score all"
    )
    one.add_argument(
        "--model", metavar="FILE", help="where the model lies now; default: where it lay for the run"
    )
    one.add_argument(
        "--config",
        metavar="CONFIG.toml",
        help="the configuration of the run, where the files that it names were moved since",
    )

    one = command(
        commands, "demo", _demo, "write patient sentences for phenotype concepts with a local model",
        "synthema demo --out demo --rows 40 --seed 1",
    )  # fmt: skip
    run_options(one)


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


def _verify(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import verification

    found = verification.verify(
        args.folder, sample=args.sample, model=args.model, config=args.config, progress=progress
    )
    return {"command": "verify", **found}
