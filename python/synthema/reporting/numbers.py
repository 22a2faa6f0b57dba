"""How numbers are written on the page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

# Scores whose value is a share of something and is read as a percentage.
SHARE_WORDS = (
    "share",
    "rate",
    "agreement",
    "recovery_top",
    "duplicate",
    "overlap",
    "accuracy",
    "coverage",
    "adherence",
    "copies",
)


def number(value: object) -> float | None:
    """A JSON number, or "inf"/"-inf" as our JSON writes infinities; `None` for what is absent."""
    if value is None or isinstance(value, bool):
        return None
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if math.isnan(result) else result


def score_range(score: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Finite ends of the score's range; `None` where it is open."""
    ends = score.get("range") or {}
    low, high = (ends[0], ends[1]) if isinstance(ends, list) else (ends.get("low", 0), ends.get("high", 1))
    low, high = number(low), number(high)
    return (
        low if low is not None and math.isfinite(low) else None,
        high if high is not None and math.isfinite(high) else None,
    )


def is_share(score: Mapping[str, Any]) -> bool:
    """Whether the value is a share between 0 and 1 that reads best in per cent."""
    name = str(score.get("name", ""))
    return score_range(score) == (0.0, 1.0) and any(word in name for word in SHARE_WORDS)


def decimals(value: float) -> str:
    """Three significant digits, no exponent for ordinary sizes, no trailing noise."""
    size = abs(value)
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 0.0995:
        return f"{value:.2f}"
    return f"{value:.2g}" if size < 0.001 else f"{value:.3f}"


def percent(value: float) -> str:
    """A share as a percentage: 0.625 -> "62.5 %"; small floors keep two digits."""
    scaled = value * 100
    if abs(scaled) < 1e-6:
        return "0 %"
    if scaled >= 99.95:
        return f"{scaled:.0f} %"
    if scaled < 0.1:
        return f"{scaled:.2g} %"
    return f"{scaled:.1f} %"


def shown(score: Mapping[str, Any], value: object) -> str:
    """A value in the unit in which this score is read."""
    found = number(value)
    if found is None:
        return "—"
    return percent(found) if is_share(score) else decimals(found)


def interval_text(score: Mapping[str, Any]) -> str:
    """An interval such as "51.2 to 73.8 %", with its level if it is not 95 %; "" where there is none."""
    interval = score.get("interval")
    if not interval:
        return ""
    low, high = shown(score, interval.get("low")), shown(score, interval.get("high"))
    level = number(interval.get("level"))
    other = "" if level in (None, 0.95) else f" at {percent(level)}"
    return f"{low.removesuffix(' %')} to {high}{other}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "1,200 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_columns(named: Sequence[str], most: int) -> list[str]:
    """The first few of these, and how many other columns there are."""
    more = [counted(len(named) - most, "other column")] if len(named) > most else []
    return [*named[:most], *more]


def duration(seconds: float) -> str:
    """Seconds in words: 0.8 s, 42 s, 6 min 10 s, 2 h 3 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


ACRONYMS = {
    "mrr": "MRR",
    "bleu": "BLEU",
    "cap": "CAP",
    "dcr": "DCR",
    "kl": "KL",
    "nnaa": "NNAA",
    "nndr": "NNDR",
    "shannon": "Shannon",
    "chrf": "chrF",
    "mattr": "MATTR",
    "mtld": "MTLD",
    "hdd": "HD-D",
    "mauve": "MAUVE",
    "meteor": "METEOR",
    "mse": "MSE",
    "r2": "R²",
    "v": "V",
    "yule": "Yule's",
    "cramers": "Cramér's",
    "k": "K",
    "rouge": "ROUGE",
    "lsum": "Lsum",
    "l": "L",
    "f1": "F1",
}


def words(name: str) -> str:
    """A key as a label: `label_recovery_top1` -> "Label recovery top-1", `self_bleu_4` -> "Self BLEU-4"."""
    text = " ".join(ACRONYMS.get(part, part) for part in name.split("_"))
    text = re.sub(r"(?<=[A-Za-z]) (\d+)$|(?<=top)(\d+)", lambda m: f"-{m[1] or m[2]}", text)
    return text[:1].upper() + text[1:]
