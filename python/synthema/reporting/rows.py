"""Made rows and rejected ones, with where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthema.reporting.markup import Html, definition_list, details, element, join, section
from synthema.reporting.numbers import counted, words

Document = Mapping[str, Any]


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
