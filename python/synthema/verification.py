"""Whether a run folder holds what its manifest makes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from synthema import study, study_parts
from synthema._core import ConfigError, RunFolderError, VerifyResult, _seed_of_run, read_manifest
from synthema.reporting.numbers import counted, duration

__all__ = ["verify"]


def verify(
    folder: str | Path,
    *,
    sample: int | None = None,
    model: str | None = None,
    config: str | Path | None = None,
    progress: Any = None,
) -> dict[str, Any]:
    """Check the seal of every line of a run folder, then re-score its rows or make some again.

    Re-scoring reads the recorded answers instead of writing new ones, so it can check a run that was made on
    another machine; see `synthema.verify`.

    Parameters
    ----------
    folder
        A run folder of `run`.
    sample
        Rows to make again, byte for byte. By default all rows are re-scored; a run whose model told no tokens
        has up to 100 made again.
    model
        Where the model file lies now; by default where it lay when the run was made.
    config
        Where the configuration file of the run lies now; needed where the files that it names were moved.
    progress
        A `synthema.terminal.Progress`, or anything like it.

    Returns
    -------
    dict
        Counts, differences, "ok", whether the run is "complete" and how many rows were "wanted", the exit
        status (1 too where it is unfinished), and the "seconds" that it took beside those of the
        generation, where the run's report tells them (None after a resumed run: it knows its last part only).
    """
    from synthema.generation import load_run, strategy
    from synthema.generation import verify as verify_run

    folder = Path(folder)
    phase = getattr(progress, "phase", lambda name: None)
    manifest = read_manifest(str(folder))
    settings = study.settings_of(manifest)
    planned = _planned(folder, settings, config)
    phase("load the model")
    answering, _ = study.open_model(
        model or str(settings.get("model") or ""), numeric_path=str(manifest.get("numeric_path", ""))
    )
    if sample is None and not any(any(row["answers"]) for row in load_run(folder).provenance[:1]):
        sample = 100
    phase("re-score all rows" if sample is None else "check and make rows again")
    begun = time.monotonic()
    found = verify_run(
        folder,
        strategy(planned.strategy, name=planned.strategy_name) if planned.strategy_name else planned.strategy,
        answering,
        conditions=planned.conditions(_seed_of_run(str(folder))),
        exemplars=planned.exemplars,
        schema=planned.schema,
        checks=planned.checks,
        sample=sample,
    )
    seconds, generation = time.monotonic() - begun, _seconds_of_generation(folder)
    differences = [{"row": one.row, "what": one.what} for one in found.differences]
    counts = [
        ("accepted rows", found.rows),
        ("rejected drafts", found.rejected),
        *(
            [("made again", found.regenerated)]
            if sample is not None
            else [
                ("re-scored rows", found.rescored),
                ("tokens the same", f"{found.tokens_same:,}"),
                ("near-ties", f"{found.tokens_near:,}"),
                ("other tokens", f"{found.tokens_different:,}"),
                ("made with", manifest["numeric_path"]),
                ("re-scored with", found.numeric_path),
            ]
        ),
        ("time", duration(seconds) + (f" (generating took {duration(generation)})" if generation else "")),
    ]
    complete, wanted = manifest["status"] == "complete", int(manifest["rows"])
    shown_differences = [(f"row {one['row']}", one["what"]) for one in differences]
    return {
        "folder": str(folder),
        "ok": found.ok,
        "complete": complete,
        "wanted": wanted,
        "rows": found.rows,
        "rejected": found.rejected,
        "regenerated": found.regenerated,
        "rescored": found.rescored,
        "tokens": {
            "same": found.tokens_same,
            "near": found.tokens_near,
            "different": found.tokens_different,
        },
        "differences": differences,
        "seconds": seconds,
        "seconds_of_generation": generation,
        "status": 0 if found.ok and complete else 1,
        "tables": {"Verified": counts, **({"Differences": shown_differences} if differences else {})},
        "message": _verdict(found, complete, wanted),
    }


def _planned(folder: Path, settings: dict[str, Any], config: str | Path | None) -> Any:
    """The study of the run: from its settings, or from the configuration file where it lies now."""
    from synthema.config import files, load

    if config is None:
        try:
            return study_parts.again(settings)
        except (OSError, ConfigError):
            asked = settings.get("config")
            for path in files(asked) if isinstance(asked, dict) else []:
                if not Path(path).exists():
                    raise RunFolderError(
                        f"{folder}: The file {path}, from which the run was made, is no longer there. If it "
                        "was moved, name the configuration file of the run where it lies now, with --config."
                    ) from None
            raise
    planned = study_parts.from_config(load(config))
    asked = study_parts.as_begun({**planned.settings}, settings)
    if asked != settings:
        different = next(key for key in sorted({*asked, *settings}) if asked.get(key) != settings.get(key))
        raise RunFolderError(
            f"{folder}: The run was not made by the configuration {config}: '{different}' differs. Name the "
            "configuration of this run."
        )
    return planned


def _verdict(found: VerifyResult, complete: bool, wanted: int) -> str:
    if not found.ok:
        return "Some rows differ from what the manifest makes."
    if complete:
        return "Every row is as the manifest says."
    return (
        f"The run is unfinished: {found.rows:,} of {counted(wanted, 'row')}, each as the manifest says. Go "
        "on with the command that began it, and --resume."
    )


def _seconds_of_generation(folder: Path) -> float | None:
    try:
        run = json.loads((folder / "report.json").read_text(encoding="utf-8"))["run"]
        return None if run["resumed"] else float(run["seconds"]["generate"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
