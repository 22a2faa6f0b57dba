"""Mean ranks of generators over fidelity, utility and privacy, from the figures of benchmarks/tabular.py."""

from __future__ import annotations

import statistics

RULE = """\
Ranks among the systems that give new rows (a copy of the real rows is none of them); 1 is the best, and
figures that are equal to three digits after the point share a rank.
  fidelity  mean of the ranks in accuracy of columns, accuracy of pairs, and how well trees tell the rows from
            real ones
  utility   rank in training on synthetic rows
  privacy   mean of the ranks in the share nearer to a training row as far as it is above 0.5, in reuse of
            values of single people, and in the larger of the two risks of singling out
  mean      of the three; without a target, of two
A system that failed on a table has no rank there. * is what synthema.tabular takes for the table."""

COPY = "bootstrap copy"
CHOSEN = "the default"  # of each table, whichever system that is
JOB = "ranks"  # jobs of this name are made here


def higher(unit):
    return lambda figures: -figures[unit]


def lower(*units, least=0.0):
    return lambda figures: max(least, *(figures[unit] for unit in units))


# Aspect -> its figures, the lower the better.
ASPECTS = {
    "fidelity": [
        higher("univariate_accuracy"),
        higher("bivariate_accuracy"),
        lower("told_apart"),
    ],
    "utility": [higher("train_synthetic_test_real")],
    "privacy": [
        lower("dcr_share", least=0.5),
        lower("rare_value_reuse"),
        lower("singling_out_univariate", "singling_out_multivariate"),
    ],
}


def places(values: list[float]) -> list[float]:
    """Return the rank of each, the lowest 1; those that are equal to three digits share their mean rank."""
    values = [round(value, 3) for value in values]
    return [sum(v < value for v in values) + (values.count(value) + 1) / 2 for value in values]


def of_table(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return system -> aspect, and "mean", -> rank, from system -> unit -> figure.

    A figure that some system lacks is no part of the ranks of the table.
    """
    out: dict[str, dict[str, float]] = {system: {} for system in figures}
    for aspect, measures in ASPECTS.items():
        ranks = []
        for measure in measures:
            try:
                ranks.append(places([measure(one) for one in figures.values()]))
            except KeyError:
                continue
        for i, system in enumerate(figures) if ranks else ():
            out[system][aspect] = statistics.mean(rank[i] for rank in ranks)
    for ranks in out.values():
        if ranks:
            ranks["mean"] = statistics.mean(ranks.values())
    return {system: ranks for system, ranks in out.items() if ranks}


def rows_of(rows: list[dict]) -> list[dict]:
    """Return rows of ranks: of each table, then their means, for systems that have one on every table."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    default: dict[str, str] = {}
    for row in rows:
        kind, _, table = row["job"].partition(", ")
        if row.get("default"):
            default[table] = row["system"]
        if kind in ("quality", "privacy") and row["system"] != COPY and row["value"] is not None:
            figures.setdefault(table, {}).setdefault(row["system"], {})[row["unit"]] = row["value"]
    tables = {table: of_table(systems) for table, systems in figures.items()}
    out = []
    for table, ranks in tables.items():
        out += in_order(table, ranks, default.get(table, ""))
    if len(tables) > 1:
        chosen = {t: {**ranks, CHOSEN: ranks.get(default.get(t, ""), {})} for t, ranks in tables.items()}
        out += in_order("all tables", means(list(chosen.values())), CHOSEN)
    return out


def means(tables: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the mean ranks of the systems that have any on every table."""
    out = {}
    for system in tables[0]:
        each = [ranks.get(system) for ranks in tables]
        if all(each):
            aspects = [one for one in (*ASPECTS, "mean") if any(one in ranks for ranks in each)]
            out[system] = {a: statistics.mean(ranks[a] for ranks in each if a in ranks) for a in aspects}
    return out


def in_order(table: str, ranks: dict[str, dict[str, float]], default: str) -> list[dict]:
    """Return the ranks as rows of figures, the best system first."""
    return [
        {"job": f"{JOB}, {table}", "system": system, "value": rank, "unit": aspect, "better": "lower"}
        | ({"default": True} if system == default else {})
        for system, own in sorted(ranks.items(), key=lambda item: item[1]["mean"])
        for aspect, rank in own.items()
    ]


def lines(rows: list[dict]) -> list[str]:
    """Return what `rows_of` gave as lines of a table."""
    shown: dict[tuple[str, str], dict] = {}
    for row in rows:
        table = row["job"].partition(", ")[2]
        one = shown.setdefault((table, row["system"]), {"mark": "*" if row.get("default") else " "})
        one[row["unit"]] = f"{row['value']:8.2f}"
    return [
        f"{table:16} {system:23} {one['mark']} "
        + " ".join(one.get(aspect, "       -") for aspect in [*ASPECTS, "mean"])
        for (table, system), one in shown.items()
    ]
