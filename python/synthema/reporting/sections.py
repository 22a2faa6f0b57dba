"""The parts of the page, each a function from the report document to HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthema.reporting import charts
from synthema.reporting.markup import Html, definition_list, details, element, figure, join
from synthema.reporting.numbers import counted, duration, interval_text, number, percent, shown, words
from synthema.reporting.verdict import (
    AS_USEFUL,
    LEAK_MARGIN,
    LEAKS,
    LIMITS,
    TOLD_APART,
    Limit,
    is_weak,
    score_named,
    summary,
    value_of,
    weaknesses,
)

Document = Mapping[str, Any]
Score = Mapping[str, Any]

# Families in reading order; a score belongs to the first whose word occurs in its name.
FAMILIES = (
    (
        "Does the text say what was asked?",
        ("recovery", "linking", "reciprocal", "fact", "acceptance"),
    ),
    (
        "Is it useful?",
        (
            "train_synthetic",
            "_gap",
            "rows_worth",
            "augmentation",
            "ranking",
            "importance",
            "coefficient",
            "survival",
        ),
    ),
    (
        "Do histories agree?",
        (
            "code_",
            "codes_",
            "visit",
            "history",
            "row_differences",
            "autocorrelation",
            "between_subject",
            "kaplan",
        ),
    ),
    (
        "What does it give away about people?",
        (
            *("authenticity", "dcr", "nndr", "nnaa_privacy", "identifi", "membership", "singling", "reuse"),
            *(
                "linkability",
                "inference",
                "_cap",
                "disclosure",
                "anonymity",
                "l_diversity",
                "k_map",
                "presence",
            ),
            *("canary", "near_note", "nearest_note"),
        ),
    ),
    (
        "Was it copied?",
        ("copied", "copy", "copies", "training_copy", "overlap", "memor", "literal", "verbatim"),
    ),
    ("Can it be told from real data?", ("two_sample", "propensity", "nnaa")),
    (
        "Is it varied?",
        (
            "duplicate",
            "distinct",
            "self_bleu",
            "diversity",
            "entropy",
            "vocabulary",
            "type_token",
            "mattr",
            "mtld",
            "hdd",
            "yule",
            "zipf",
            "pairwise",
        ),
    ),
    (
        "Who wrote it, and how long is it?",
        ("free", "length", "_words", "flesch", "fog", "readability", "coleman"),
    ),
    (
        "How near is it to real data, or to its reference?",
        (
            *("column", "missing", "boundary", "range", "category", "bleu", "chrf", "rouge"),
            *(
                "word_kl",
                "bert_score",
                "perplexity",
                "frechet",
                "moment",
                "mauve",
                "meteor",
                "label_",
                "concept",
                "tag_form",
                "difference",
            ),
            *("support_", "density", "coverage", "precision", "recall", "discrepancy", "quantile", "rules"),
            *("plausibility", "long_tail", "subgroup"),
            *("accuracy", "similarity", "wasserstein", "shannon", "kl_", "chi_square"),
        ),
    ),
)
OTHER = "Further measures"


def section(title: str, *children: object, id_: str, lead: str | None = None) -> Html:
    """One titled part of the page."""
    opening = element("p", lead, class_="lead") if lead else None
    return element("section", element("h2", title), opening, *children, id=id_)


# --- opening ---


def opening(document: Document) -> Html:
    """Title, verdict and warnings."""
    weak = weaknesses(*(document.get("sections") or [None])[:2])
    run = document.get("run") or {}
    model = run.get("model") or {}
    line = " · ".join(
        str(part)
        for part in (
            document.get("subtitle"),
            model.get("name") and f"model {model['name']}",
            run.get("seed") is not None and f"seed {run['seed']}",
            run.get("library") and f"synthema {run['library']}",
        )
        if part
    )
    return element(
        "header",
        element("p", "synthema report", class_="eyebrow"),
        element("h1", document.get("title") or "Evaluation of synthetic data"),
        element("p", line, class_="byline") if line else None,
        element("p", " ".join(summary(document)), class_="verdict"),
        _weak(weak),
        *[element("p", warning, class_="warning", role="note") for warning in document.get("warnings") or []],
    )


def _weak(sentences: Sequence[str]) -> Html | None:
    if not sentences:
        return None
    items = [element("li", sentence) for sentence in sentences]
    return element("div", element("h2", "What is weak"), element("ul", *items), class_="weak", role="note")


# --- key numbers ---


def strip(document: Document) -> Html | None:
    """The six numbers that decide whether one reads on."""
    sections = document.get("sections") or []
    if not sections:
        return None
    first = sections[0]
    run = document.get("run") or {}
    cards = [_rows_card(first, run), _acceptance_card(run)]
    for names, label in (
        (("fact_agreement",), "of facts of the record stated"),
        (("label_recovery_top1",), "intended concept found first"),
        (("label_recovery_top10",), "found among the first ten"),
        (("free_token_share",), "of the text written freely"),
        (("near_duplicates",), "near duplicates"),
        (("longest_copied_run",), "words in a row seen in the prompt, mean"),
    ):
        cards.append(_score_card(score_named(first, *names), label))
    present = [card for card in cards if card]
    return element("div", *present, class_="strip") if len(present) > 1 else None


def _card(figure: str, label: str, note: str = "", weak: bool = False) -> Html:
    return element(
        "div",
        element("strong", figure),
        element("span", label, class_="what"),
        element("span", note, class_="note") if note else None,
        class_="card weak-card" if weak else "card",
    )


def _rows_card(first: Mapping[str, Any], run: Mapping[str, Any]) -> Html | None:
    rows = first.get("rows")
    if rows is None:
        return None
    seconds = number((run.get("seconds") or {}).get("total"))
    return _card(
        f"{rows:,}",
        "accepted rows" if run.get("attempts") else "rows",
        f"in {duration(seconds)}" if seconds else "",
    )


def _acceptance_card(run: Mapping[str, Any]) -> Html | None:
    accepted, attempts = run.get("accepted"), run.get("attempts")
    if not attempts or accepted is None:
        return None
    share = accepted / attempts
    return _card(
        percent(share), "of drafts accepted", counted(attempts, "draft"), weak=share < LIMITS[0].value
    )


def _score_card(score: Score | None, label: str) -> Html | None:
    value = value_of(score)
    if score is None or value is None:
        return None
    floor = number((score.get("floor") or {}).get("value"))
    interval = interval_text(score)
    note = f"floor {shown(score, floor)}" if floor is not None else interval
    weak = any(score.get("name") == limit.name and is_weak(limit, value) for limit in LIMITS)
    return _card(shown(score, value), label, note, weak)


# --- scores ---


def scores(document: Document) -> Html | None:
    """Every score of every set of rows, side by side, by family."""
    sections = [s for s in document.get("sections") or [] if s.get("scores")]
    if not sections:
        return None
    names = [str(s.get("title") or s.get("name") or "rows") for s in sections]
    merged, unmeasured = _by_name(sections)
    blocks = []
    for family in [*(title for title, _ in FAMILIES), OTHER]:
        mine = [group for group in merged if family_of(group) == family]
        if mine:
            blocks.append(element("h3", family))
            blocks.append(_score_table(mine, names))
    legend = [
        element("span", element("i", class_=f"swatch s{i}"), name, class_="key")
        for i, name in enumerate(names[:3])
    ]
    grey = element("span", element("i", class_="swatch bound"), "floor and ceiling", class_="key")
    return section(
        "Scores",
        element("p", *legend, grey, class_="legend"),
        *blocks,
        _unmeasured(unmeasured),
        id_="scores",
        lead="Dots are values, whiskers are 95 % intervals where the measure has one. Grey marks what "
        "knowing nothing would score (floor) and the best that such data could score (ceiling).",
    )


Group = list["Score | None"]


def _by_name(sections: Sequence[Mapping[str, Any]]) -> tuple[list[Group], list[Group]]:
    """The scores of the sections side by side: those defined somewhere, and the rest."""
    order: dict[str, Group] = {}
    for index, one in enumerate(sections):
        for score in one["scores"]:
            key = f"{score.get('name')} {score.get('convention', 'synthema')}"
            order.setdefault(key, [None] * len(sections))[index] = score
    defined = [group for group in order.values() if any(value_of(score) is not None for score in group)]
    return defined, [group for group in order.values() if group not in defined]


def _unmeasured(groups: Sequence[Group]) -> Html | None:
    """What could not be measured, and why, out of the way of what could."""
    if not groups:
        return None
    pairs = [(words(str(_first(g).get("name"))), _first(g).get("undefined") or "not defined") for g in groups]
    return details(
        f"{counted(len(groups), 'measure')} not defined here", definition_list(pairs), class_="more"
    )


def family_of(group: Sequence[Score | None]) -> str:
    """The family under whose heading a score is shown."""
    name = str(_first(group).get("name", ""))
    return next((title for title, keys in FAMILIES if any(key in name for key in keys)), OTHER)


def _first(group: Sequence[Score | None]) -> Score:
    return next(score for score in group if score is not None)


def _score_table(groups: Iterable[Sequence[Score | None]], names: Sequence[str]) -> Html:
    head = element(
        "tr",
        element("th", "Measure", scope="col"),
        element("th", "Where it lies", scope="col"),
        *[element("th", name, scope="col", class_="num") for name in names],
    )
    body = [_score_row(group, names) for group in groups]
    return element("table", element("thead", head), element("tbody", *body), class_="scores")


DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "none": "neither better nor worse"}


def _score_row(group: Sequence[Score | None], names: Sequence[str]) -> Html:
    first = _first(group)
    title = words(str(first.get("name", "")))
    direction = DIRECTIONS.get(str(first.get("direction", "none")), "")
    if "is best" in str(first.get("estimand")):
        direction = ""
    convention = str(first.get("convention") or "synthema")
    note = direction if convention == "synthema" else f"{direction} · as defined by {convention}"
    defined = any(value_of(score) is not None for score in group)
    return element(
        "tr",
        element(
            "th",
            element("span", title, class_="measure"),
            element("span", first["estimand"], class_="says") if first.get("estimand") else None,
            element("span", note, class_="note") if note else None,
            _explanation(group, names),
            scope="row",
        ),
        element("td", charts.dot_and_whisker(group, names) if defined else None, class_="plot"),
        *[_value_cell(score, name) for score, name in zip(group, names, strict=True)],
    )


def _value_cell(score: Score | None, name: str) -> Html:
    if score is None:
        return element("td", element("span", "—", class_="quiet"), class_="num", data_name=name)
    if value_of(score) is None:
        reason = score.get("undefined") or "not defined"
        return element("td", element("span", reason, class_="quiet"), class_="num", data_name=name)
    interval = interval_text(score)
    return element(
        "td",
        element("strong", shown(score, score["value"])),
        element("span", interval, class_="note") if interval else None,
        element("span", f"n = {score['n']:,}", class_="note") if score.get("n") else None,
        class_="num",
        data_name=name,
    )


def _explanation(group: Sequence[Score | None], names: Sequence[str]) -> Html:
    first = _first(group)
    interval = first.get("interval") or {}
    bounds = [
        (
            name,
            f"{shown(first, bound.get('value'))} ({bound.get('source')})"
            if bound.get("source")
            else shown(first, bound.get("value")),
        )
        for name, bound in (("Floor", first.get("floor")), ("Ceiling", first.get("ceiling")))
        if bound
    ]
    pairs = [
        ("Definition", first.get("definition")),
        ("Convention", first.get("convention") or "synthema"),
        ("Interval", interval.get("method") or first.get("no_interval") or "none"),
        *bounds,
    ]
    warnings = [
        element("p", f"{name}: {warning}", class_="warning")
        for name, score in zip(names, group, strict=True)
        for warning in (score or {}).get("warnings") or []
    ]
    return details("definition", definition_list(pairs), *warnings, _parts(first))


def _parts(score: Score) -> Html | None:
    """The same measure by column, label or record, as bars where the range is known."""
    parts = [part for part in score.get("parts") or [] if number(part.get("value")) is not None]
    parts = [part for part in parts if part.get("note") != "cumulative"]  # a histogram elsewhere shows these
    if not parts:
        return None
    top = max(abs(number(part["value"]) or 0) for part in parts) or 1.0
    scale = 1.0 if top <= 1 else top
    items = [
        (
            str(part.get("name")),
            (number(part["value"]) or 0) / scale,
            shown(score, part["value"]) + (f" of {part['n']}" if part.get("n") else ""),
        )
        for part in parts[:60]
    ]
    return element("div", charts.bars(items), class_="parts")


# --- plots ---


def plots(document: Document) -> Html | None:
    """Lengths, reasons for rejection and acceptance by concept."""
    figures = [_lengths(document), _rejections(document)]
    present = [f for f in figures if f]
    concepts = _concepts(document)
    if not present and not concepts:
        return None
    return section(
        "What was written and what was thrown away",
        element("div", *present, class_="pair"),
        concepts,
        id_="plots",
    )


def _lengths(document: Document) -> Html | None:
    lengths = document.get("lengths") or {}
    sets = [lengths[name] for name in ("accepted", "drafts") if lengths.get(name)]
    if not sets:
        return None
    caption = (
        "Bars: accepted rows. Line: all finished drafts before checks." if len(sets) > 1 else "Bars: rows."
    )
    return figure(
        "Length of the texts", caption, charts.histogram(sets, ["accepted rows", "drafts"], "words per text")
    )


def _rejections(document: Document) -> Html | None:
    counts: Mapping[str, int] = document.get("rejections") or {}
    total = sum(counts.values())
    if not total:
        return None
    items = [
        (words(name), count / total, f"{count} ({percent(count / total)})")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    caption = f"The first check that each of the {total:,} rejected drafts failed."
    return figure("Why drafts were rejected", caption, charts.bars(items, "s1"))


def _concepts(document: Document) -> Html | None:
    concepts: Sequence[Mapping[str, Any]] = document.get("concepts") or []
    if not concepts:
        return None
    ordered = sorted(concepts, key=lambda c: (-c["accepted"] / max(1, c["attempts"]), str(c["name"])))
    items = [
        (str(c["name"]), c["accepted"] / max(1, c["attempts"]), f"{c['accepted']} of {c['attempts']}")
        for c in ordered
    ]
    caption = (
        "Accepted rows of all drafts for each concept. One accepted row after many drafts means that this "
        "model can "
        "hardly write about the concept."
    )
    shown_items, rest = items[:60], items[60:]
    more = details(counted(len(rest), "further concept"), charts.bars(rest)) if rest else None
    return element(
        "figure",
        element("h3", "Acceptance by concept"),
        element("div", charts.bars(shown_items), class_="columns"),
        more,
        element("figcaption", caption),
    )


# --- rows ---


def rows(document: Document) -> Html | None:
    """A sample of accepted rows, each with what it had to agree with and how it came about."""
    sample: Sequence[Mapping[str, Any]] = document.get("rows") or []
    if not sample:
        return None
    total = (document.get("run") or {}).get("accepted") or len(sample)
    lead = f"{len(sample)} of {counted(total, 'accepted row')}, in the order of their row ids."
    if any(row.get("highlights") for row in sample):
        lead += " Marked words state a fact of the record."
    cards = [_row(row, document) for row in sample]
    kept, folded = cards[:12], cards[12:]
    more = details(counted(len(folded), "more row"), *folded, class_="more") if folded else None
    return section("Rows", *kept, more, id_="rows", lead=lead)


def _text_column(document: Document) -> str:
    return str((document.get("columns") or {}).get("text") or "text")


def _title_of(row: Mapping[str, Any], document: Document) -> Html | None:
    columns = document.get("columns") or {}
    condition = row.get("condition") or {}
    name, code = condition.get(columns.get("name")), condition.get(columns.get("label"))
    if name is None and code is None:
        return None
    return join([element("strong", name or code), element("code", code) if name and code else None])


def highlighted(text: str, spans: Iterable[Sequence[Any]]) -> Html:
    """`text` with the spans (start, end, field) marked; spans that overlap or leave the text are dropped."""
    parts: list[object] = []
    at = 0
    for start, end, field in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not at <= start < end <= len(text):
            continue
        parts += [text[at:start], element("mark", text[start:end], title=str(field))]
        at = end
    return join([*parts, text[at:]])


def _row(row: Mapping[str, Any], document: Document) -> Html:
    text = str((row.get("values") or {}).get(_text_column(document), ""))
    return element(
        "article",
        element(
            "p", _title_of(row, document), element("span", f"row {row.get('row')}", class_="id"), class_="of"
        ),
        element("p", highlighted(text, row.get("highlights") or []), class_="text"),
        _record(row, document),
        details("provenance", _provenance(row)),
        class_="row",
    )


def _record(row: Mapping[str, Any], document: Document) -> Html | None:
    columns = document.get("columns") or {}
    hidden = {columns.get("name"), columns.get("label"), *(columns.get("hidden") or [])}
    chips = [
        element("li", element("span", words(str(key))), str(value))
        for key, value in (row.get("condition") or {}).items()
        if key not in hidden and value is not None and value != ""
    ]
    return element("ul", *chips, class_="chips") if chips else None


def _provenance(row: Mapping[str, Any]) -> Html:
    how = row.get("provenance") or {}
    tokens = how.get("tokens") or {}
    counted = ", ".join(
        f"{tokens[k]} {k}" for k in ("prompt", "free", "masked", "forced") if tokens.get(k) is not None
    )
    exemplars = how.get("exemplars")
    pairs = [
        ("Attempt", (row.get("attempt") or 0) + 1),
        ("Strategy", how.get("strategy")),
        ("Questions asked", how.get("questions")),
        ("Tokens", counted),
        ("Ended by", how.get("finish")),
        ("Exemplars shown", ", ".join(str(e) for e in exemplars) if exemplars else None),
        ("Seed", how.get("seed")),
        ("Arithmetic", how.get("numeric_path")),
        ("Model digest", element("code", how["model"]) if how.get("model") else None),
        ("Digest of causes", element("code", how["digest"]) if how.get("digest") else None),
    ]
    return definition_list(pairs)


def rejected(document: Document) -> Html | None:
    """Rejected drafts with the check that refused them and why."""
    sample: Sequence[Mapping[str, Any]] = document.get("rejected") or []
    if not sample:
        return None
    total = sum((document.get("rejections") or {}).values()) or len(sample)
    lead = (
        f"{len(sample)} of {counted(total, 'rejected draft')}, a few for each check. "
        "All of them are in rejected.jsonl of the run folder."
    )
    cards = [_rejected_row(row, document) for row in sample]
    kept, folded = cards[:8], cards[8:]
    more = details(counted(len(folded), "more rejected draft"), *folded, class_="more") if folded else None
    return section("Rejected drafts", *kept, more, id_="rejected", lead=lead)


def _rejected_row(row: Mapping[str, Any], document: Document) -> Html:
    text = str((row.get("values") or {}).get(_text_column(document)) or "(no draft)")
    return element(
        "article",
        element(
            "p",
            _title_of(row, document),
            element("span", f"row {row.get('row')}, attempt {(row.get('attempt') or 0) + 1}", class_="id"),
            class_="of",
        ),
        element("p", text, class_="text"),
        _record(row, document),
        element(
            "p",
            element("b", words(str(row.get("check") or ""))),
            " ",
            row.get("reason") or "",
            class_="reason",
        ),
        class_="row refused",
    )


# --- facts ---


def run_facts(document: Document) -> Html | None:
    """How this came about, so that it can be made again."""
    run = document.get("run") or {}
    if not run:
        return None
    model = run.get("model") or {}
    seconds = run.get("seconds") or {}
    times = ", ".join(
        f"{words(k).lower()} {duration(v)}"
        for k, v in seconds.items()
        if number(v) is not None and k != "total"
    )
    memory = number(run.get("peak_memory_bytes"))
    tokens = run.get("tokens") or {}
    pairs = [
        ("Recipe", run.get("recipe")),
        ("Seed", run.get("seed")),
        ("Model", model.get("name")),
        ("Model file", element("code", model["path"]) if model.get("path") else None),
        ("Model digest", element("code", model["digest"]) if model.get("digest") else None),
        ("Arithmetic", model.get("numeric_path")),
        ("Versions", ", ".join(f"{k} {v}" for k, v in (run.get("versions") or {}).items())),
        ("Machine", run.get("machine")),
        (
            "Time",
            (duration(seconds["total"]) if number(seconds.get("total")) is not None else "")
            + (f" ({times})" if times else ""),
        ),
        ("Peak memory", f"{memory / 2**20:,.0f} MiB" if memory else None),
        ("Tokens", ", ".join(f"{v:,} {k}" for k, v in tokens.items())),
        ("Run folder", element("code", run["folder"]) if run.get("folder") else None),
    ]
    command = run.get("command")
    return section(
        "How this was made",
        element("pre", element("code", command)) if command else None,
        definition_list(pairs, class_="facts"),
        id_="run",
        lead=_repeating(run) if command else None,
    )


def _repeating(run: Mapping[str, Any]) -> str:
    if not run.get("attempts"):
        return "The command below measures the same files again."
    return (
        "The command below, with a new folder, makes the same rows again, byte for byte, on the same kind of "
        "processor."
    )


def data_card(document: Document) -> Html | None:
    """Where the data come from and under which terms they may be used."""
    card = document.get("data") or {}
    if not card:
        return None
    order = ("source", "version", "licence", "terms", "citation", "language", "subjects", "use")
    keys = [*(k for k in order if k in card), *(k for k in card if k not in order)]
    return section(
        "Data card", definition_list(((words(k), card[k]) for k in keys), class_="facts"), id_="data"
    )


def guide(document: Document) -> Html:
    """How to read the page, with every limit that calls something weak."""
    sections = document.get("sections") or []
    known = {score.get("name") for one in sections for score in one.get("scores") or []}
    limits = [
        element("li", words(limit.name), " below " if limit.higher_is_better else " above ", _bound(limit))
        for limit in LIMITS
        if limit.name in known
    ]
    leaks = [words(leak.name) for leak in LEAKS if leak.name in known]
    if leaks:
        limits.append(
            element(
                "li",
                "What fresh real rows score (the ceiling) outside the interval, or more than "
                f"{LEAK_MARGIN} better where there is none: {', '.join(leaks)}",
            )
        )
    if "classifier_two_sample" in known:
        limits.append(
            element(
                "li",
                words("classifier_two_sample"),
                f" above {TOLD_APART}, against the training rows or the holdout; or below 0.5 with its "
                "interval",
            )
        )
    if leaks and "train_synthetic_test_real" in known:
        limits.append(
            element(
                "li",
                "As useful as the real rows while attacks succeed: at most "
                f"{percent(AS_USEFUL)} of the way from floor to ceiling is missing",
            )
        )
    selected = (
        "Scores of accepted rows are flattered by the checks that selected them; the column of all drafts "
        "shows what the model writes before any selection. Read both. "
    )
    paragraphs = [
        element(
            "p",
            selected if len(sections) > 1 else None,
            "A score without its floor says little: compare the distance to the floor with the width of the "
            "interval.",
        ),
        element(
            "p",
            "Intervals come from resampling rows, or subjects where the schema names them. They cover the "
            "chance in which rows were drawn, not the choice of model, prompt, concepts or metric.",
        ),
        element(
            "p",
            "Synthetic data are no evidence about patients. No measure here replaces a reading by a "
            "clinician.",
        ),
    ]
    if limits:
        paragraphs += [element("p", 'Under "What is weak" the page lists:'), element("ul", *limits)]
    return section("How to read this page", *paragraphs, id_="guide")


def _bound(limit: Limit) -> str:
    return percent(limit.value) if limit.is_share else f"{limit.value:g}"
