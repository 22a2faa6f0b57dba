"""The command `synthema`.

Exit status: 0 done, 1 an error of ours (one sentence on stderr), 2 wrong usage, 130 interrupted, 143
terminated. With `--json` one JSON object goes to stdout and everything else to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence

from synthema._core import Error, __version__
from synthema.commands import evaluate, fit, model, rows, runs, schema
from synthema.commands.options import Result
from synthema.terminal import Progress, Terminated, table, terminable

__all__ = ["main"]


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="synthema",
        description="Synthetic biomedical data on your own machine, measured honestly.",
        epilog="example:\n  synthema demo --out run\n\n"
        "exit status: 0 done, 1 error, 2 usage, 130 or 143 stopped",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"synthema {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (runs, evaluate, schema, fit, rows, model):
        module.add(commands)
    return top


def _print(result: Result) -> None:
    """The result for people: a table of the short values, then where to look."""
    for title, lines in result.get("tables", {}).items():
        print(f"\n{title}\n{table(lines)}")
    if result.get("report"):
        print(f"\nReport: {result['report']}")
    if result.get("message"):
        print(result["message"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args, progress = argparse.Namespace(), Progress()
    try:
        top = parser()
        _refuse_empty(top, given)
        args = top.parse_args(given)
        args.arguments = given
        with warnings.catch_warnings(), terminable():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: progress.tell(f"warning: {message}")
            result = args.run(args, progress)
        progress.close()
    except (Error, OSError, ImportError, MemoryError) as error:
        progress.abandon()
        print(f"synthema: {_sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        progress.abandon()
        hint = " Go on with --resume." if hasattr(args, "resume") else ""
        how, status = ("terminated", 143) if isinstance(stop, Terminated) else ("interrupted", 130)
        print(f"synthema: {how}.{hint}", file=sys.stderr)
        return status
    if args.json:
        print(
            json.dumps(
                {k: v for k, v in result.items() if k not in ("tables", "message")}, ensure_ascii=False
            )
        )
    else:
        _print(result)
    return int(result.get("status", 0))


def _refuse_empty(top: argparse.ArgumentParser, given: Sequence[str]) -> None:
    """End on an empty value, such as `--ledger "$LEDGER"` gives: it would pass for an option left out."""
    for before, one in zip(["", *given], given, strict=False):
        if one == "":
            named = before if before.startswith("--") else "An argument"
        elif one.startswith("--") and one.endswith("=") and "=" not in one[:-1]:
            named = one[:-1]
        else:
            continue
        top.error(f"{named} is empty; is a variable of the shell not set? Give a value, or leave it out.")


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; ask for fewer rows or columns at a time."
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
