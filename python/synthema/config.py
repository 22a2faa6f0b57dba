"""Configuration files: a TOML file is the plain serialisation of a recipe.

Every key is declared here once, with its type, range and meaning; the guide prints the same table. A key that
is not declared is an error that names the file, the line, the key and the nearest key that exists.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthema._core import ConfigError, ParseError
from synthema.tables import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

__all__ = ["SECTIONS", "Config", "Key", "load", "parse"]


@dataclass(frozen=True)
class Key:
    """One key: its type in words ("integer", "number", "text", "switch", "texts"), range and meaning."""

    kind: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    file: bool = False  # a path; relative to the file that names it


# The checks that a configuration may name, and what each of them takes besides the column.
CHECKS: Mapping[str, frozenset[str]] = {
    "length_in_words": frozenset({"minimum", "maximum", "field"}),
    "ends_with_punctuation": frozenset({"field"}),
    "one_line": frozenset({"field"}),
    "in_language": frozenset({"language", "share", "field"}),
    "no_exemplar_copy": frozenset({"run", "field"}),
    "banned_words": frozenset({"phrases", "field"}),
    "likely_enough": frozenset({"minimum"}),
    "matches_choice": frozenset({"condition_field", "field"}),
    "concept_recovered": frozenset({"max_rank", "label_field", "field"}),
}

# How a CSV file is written.
_CSV = {
    "delimiter": Key("text", "what separates the columns of a CSV file; a comma where it is left out"),
    "decimal": Key(
        "text", "what stands before decimals in a CSV file: a point or a comma", choices=(".", ",")
    ),
    "dates": Key("text", "how dates are written in a CSV file", choices=("ymd", "dmy", "mdy")),
}

# Section "" is the top of the file. `check` is an array of tables ([[check]]).
SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "": {
        "recipe": Key(
            "text", "name of the recipe whose parts are the defaults; leave out to give all parts here"
        ),
        "title": Key("text", "title of the report"),
        "rows": Key("integer", "accepted rows wanted", minimum=1),
        "seed": Key("integer", "seed of the run", minimum=0, maximum=2**64 - 1),
    },
    "model": {
        "path": Key("text", "GGUF file or model folder; relative to the configuration file", file=True),
        "threads": Key("integer", "threads of the model; 0: all cores. Never changes a row", minimum=0),
    },
    "sampling": {
        "temperature": Key("number", "0 is greedy", minimum=0, maximum=100),
        "top_k": Key("integer", "keep the k most likely tokens; 0: all", minimum=0),
        "top_p": Key("number", "smallest set of tokens whose probability reaches this", minimum=0, maximum=1),
        "min_p": Key("number", "drop tokens below this share of the most likely one", minimum=0, maximum=1),
        "repetition_penalty": Key("number", "above 1 discourages what was said", minimum=0, maximum=100),
        "max_tokens": Key("integer", "of one completion", minimum=1),
        "min_tokens": Key("integer", "before these neither end nor stop texts occur", minimum=0),
    },
    "run": {
        "max_attempts": Key("integer", "of one row before it is given up", minimum=1),
        "in_flight": Key("integer", "rows worked on at once; never changes a row", minimum=1),
        "hopeless_after": Key("integer", "attempts before a run may be called hopeless", minimum=1),
        "hopeless_below": Key("number", "acceptance rate that is hopeless", minimum=0, maximum=1),
    },
    "strategy": {
        "kind": Key(
            "text", "how a row is asked for", choices=("zero_shot", "few_shot", "label_conditioned", "json")
        ),
        "instruction": Key("text", "what to write; {name} stands for a field of the condition"),
        "query": Key(
            "text", "few_shot, json: how an exemplar and the question look; {name} stands for a field"
        ),
        "system": Key("text", "zero_shot, label_conditioned: system message of a chat model"),
        "chat": Key(
            "switch", "true: chat messages; false: plain text to continue, for small and base models"
        ),
        "field": Key(
            "text", "column of the finished row that takes the answer; json: the text column to judge"
        ),
        "label_field": Key("text", "all but zero_shot: field of the condition that holds the label"),
        "stop": Key("texts", "all but json: the answer ends before the first of these"),
        "k": Key("integer", "few_shot, json: exemplars shown; 0 (json only): none", minimum=0),
        "choice": Key(
            "text", "few_shot, json: which exemplars", choices=("random", "by_label", "by_similarity")
        ),
        "order": Key(
            "text",
            "few_shot, json: where the best one stands",
            choices=("best_last", "best_first", "shuffled"),
        ),
        "between": Key("text", "few_shot, json: what stands between exemplars"),
        "joint": Key("text", "few_shot, json: what stands between a query and its text"),
    },
    "exemplars": {
        "file": Key(
            "text", "CSV, JSONL or Parquet of exemplars; relative to the configuration file", file=True
        ),
        **_CSV,
    },
    "conditions": {
        "file": Key(
            "text", "what each row must agree with; used again from the start when it ends", file=True
        ),
        **_CSV,
    },
    "terms": {
        "file": Key(
            "text", "term list: id, name, synonyms, definition; for labels, checks and scores", file=True
        ),
        **_CSV,
    },
    "schema": {"file": Key("text", "schema of the finished rows, in JSON", file=True)},
    "check": {
        "kind": Key("text", "one of synthema's checks", choices=tuple(CHECKS)),
        "field": Key("text", "column of the finished row; default: the one that the strategy writes"),
        "minimum": Key(
            "number", "length_in_words: least number of words; likely_enough: least mean log-probability"
        ),
        "maximum": Key("integer", "length_in_words: largest number of words", minimum=1),
        "language": Key("text", "in_language: which", choices=("en",)),
        "share": Key("number", "in_language: least share of function words", minimum=0, maximum=1),
        "run": Key("integer", "no_exemplar_copy: words in a row that are too many", minimum=1),
        "phrases": Key("texts", "banned_words: words or phrases that may not occur"),
        "condition_field": Key("text", "matches_choice: field of the condition"),
        "max_rank": Key("integer", "concept_recovered: the label must be among so many", minimum=1),
        "label_field": Key("text", "concept_recovered: field of the condition with the label"),
    },
    "values": {},  # of the recipe; the recipe declares its own keys
}

_PYTHON = {"integer": int, "number": (int, float), "text": str, "switch": bool, "texts": list, "table": dict}


@dataclass
class Config:
    """A checked configuration. Paths are already absolute, so that a run can be verified from any folder."""

    recipe: str | None = None
    title: str | None = None
    rows: int | None = None
    seed: int | None = None
    sections: dict[str, Any] = field(default_factory=dict)

    def section(self, name: str) -> dict[str, Any]:
        """The keys given in a section; empty where it was left out."""
        return dict(self.sections.get(name) or {})

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The `[[check]]` tables in their order."""
        return list(self.sections.get("check") or [])


def _sets(line: str, key: str) -> bool:
    return re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*(\.|=)", line) is not None


class _Source:
    """The text of a file, to name the line of a key."""

    def __init__(self, name: str, text: str):
        self.name = name
        self.lines = text.split("\n")

    def line_of(self, section: str, key: str | None, index: int = 0) -> int | None:
        """1-based line of `key` in `section` (its `index`-th table for arrays), or of the section's head."""
        current, seen, head = "", -1, None
        for number, line in enumerate(self.lines, start=1):
            opened = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$", line)
            if opened:
                current = opened[1]
                seen += current == section
                if current == section and seen == index:
                    head = number
            elif key and current == section and (section == "" or seen == index) and _sets(line, key):
                return number
        return head

    def place(self, section: str, key: str | None, index: int = 0) -> str:
        line = self.line_of(section, key, index)
        field_name = ".".join(part for part in (section, key) if part)
        return f"{self.name}{f', line {line}' if line else ''}, field '{field_name}'"


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return (
        f" Did you mean '{close[0]}'?" if close else f" Known here: {', '.join(sorted(known)) or 'nothing'}."
    )


def check_value(place: str, key: Key, value: Any) -> None:
    """Raise ConfigError if `value` has another type than the key or lies outside its range."""
    wanted = _PYTHON[key.kind]
    wrong = not isinstance(value, wanted) or (isinstance(value, bool) and key.kind != "switch")
    if key.kind == "texts" and not wrong:
        wrong = not all(isinstance(item, str) for item in value)
    if wrong:
        kind = (
            "a list of texts"
            if key.kind == "texts"
            else f"{'an' if key.kind[0] in 'aeiou' else 'a'} {key.kind}"
        )
        raise ConfigError(f"{place}: The value must be {kind}, not {value!r}.")
    if key.choices and value not in key.choices:
        raise ConfigError(f"{place}: The value must be one of {', '.join(key.choices)}, not {value!r}.")
    low, high = key.minimum, key.maximum
    # NaN, which TOML has, is within no range.
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ConfigError(f"{place}: The value must be {bounds}, not {value}.")


def _check_table(
    source: _Source, section: str, table: Any, known: Mapping[str, Key], index: int = 0
) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(
            f"{source.place('', section)}: This is a section: write [{section}] and its keys below."
        )
    for name, value in table.items():
        if name not in known:
            raise ConfigError(
                f"{source.place(section, name, index)}: There is no such key.{_nearest(name, known)}"
            )
        check_value(source.place(section, name, index), known[name], value)
    return dict(table)


def _resolve(folder: Path, keys: Mapping[str, Key], table: dict[str, Any]) -> dict[str, Any]:
    """Make paths relative to the configuration file."""
    for name, value in table.items():
        if keys[name].file and value:
            table[name] = str(folder.absolute() / Path(value).expanduser())
    return table


def parse(
    text: str,
    name: str = "configuration",
    folder: str | os.PathLike[str] = ".",
    values: Mapping[str, Key] | None = None,
) -> Config:
    """Check a TOML text and return it as a `Config`.

    Parameters
    ----------
    text
        The TOML text.
    name
        How errors call it.
    folder
        What relative paths are relative to.
    values
        The keys of `[values]`; by default those that the named recipe declares.

    Raises
    ------
    ParseError
        Where the text is not TOML, with the line.
    ConfigError
        For an unknown key, a wrong type or a value out of range, with line and key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParseError(f"{name}: The file is not valid TOML: {error}.") from None
    return _checked(document, _Source(name, text), folder, values)


def from_sections(sections: Any, name: str) -> Config:
    """Check the sections of a configuration that were read before, such as those in a manifest.

    Raises
    ------
    ConfigError
        As `parse` does; `name` says where they stand.
    """
    if not isinstance(sections, Mapping):
        raise ConfigError(f"{name}: The configuration must be a table of sections, not {sections!r}.")
    return _checked(sections, _Source(name, ""), ".", None)


def files(sections: Mapping[str, Any]) -> list[str]:
    """Return the paths that checked sections name, but for those of a recipe's values."""
    return [
        table[name]
        for section, keys in SECTIONS.items()
        for table in [sections.get(section)]
        if isinstance(table, Mapping)
        for name, key in keys.items()
        if key.file and table.get(name)
    ]


def with_files_of(begun: Any, sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return `sections` with the paths of its files as they were when a run was `begun`.

    Where a file lies is no part of what a run was made with: the manifest has the digests of what is in it.
    """
    out = dict(sections)
    for section, keys in SECTIONS.items():
        before = begun.get(section) if isinstance(begun, Mapping) else None
        if isinstance(before, Mapping) and isinstance(out.get(section), Mapping):
            files = {name for name, key in keys.items() if key.file} & before.keys() & out[section].keys()
            out[section] = {**out[section], **{name: before[name] for name in files}}
    return out


def _checked(
    document: Mapping[str, Any],
    source: _Source,
    folder: str | os.PathLike[str],
    values: Mapping[str, Key] | None,
) -> Config:
    top = SECTIONS[""]
    known = [*top, *(s for s in SECTIONS if s)]
    for key in document:
        if key not in known:
            section = key if isinstance(document[key], (dict, list)) else ""
            place = source.place(section, None if section else key) if section else source.place("", key)
            raise ConfigError(f"{place}: There is no such key or section.{_nearest(key, known)}")
    head = _check_table(source, "", {k: v for k, v in document.items() if k in top}, top)
    values = values if values is not None else _recipe_keys(head.get("recipe"), source)
    sections: dict[str, Any] = {}
    for section in SECTIONS:
        if section and section in document:
            sections[section] = _check_section(source, section, document[section], values, Path(folder))
    return Config(**head, sections=sections)


def _check_section(source: _Source, section: str, given: Any, values: Mapping[str, Key], folder: Path) -> Any:
    keys = values if section == "values" else SECTIONS[section]
    if section != "check":
        table = _check_table(source, section, given, keys)
        if section != "values":  # where an empty text is a recipe's default
            _require_files(source, section, keys, table)
        return _resolve(folder, keys, table)
    if not isinstance(given, list):
        raise ConfigError(f"{source.place('check', None)}: Checks are a list: write [[check]] once for each.")
    for index, table in enumerate(given):
        _check_table(source, section, table, keys, index)
        if "kind" not in table:
            raise ConfigError(f"{source.place('check', None, index)}: A check needs a kind.")
        for name in table:
            if name != "kind" and name not in CHECKS[table["kind"]]:
                place = source.place("check", name, index)
                near = _nearest(name, CHECKS[table["kind"]])
                raise ConfigError(f"{place}: The check {table['kind']} takes no such key.{near}")
    return given


def _require_files(source: _Source, section: str, keys: Mapping[str, Key], table: Mapping[str, Any]) -> None:
    """Refuse a path that is empty, and a section about a file that names none: they would have no effect."""
    for name, key in keys.items():
        if key.file and (table.get(name) == "" or (name == "file" and name not in table)):
            raise ConfigError(
                f"{source.place(section, name)}: No file is named; name one, or leave out [{section}]."
            )


def _recipe_keys(recipe: str | None, source: _Source) -> Mapping[str, Key]:
    if recipe is None:
        return {}
    from synthema import recipes

    if recipe not in recipes.names():
        raise ConfigError(
            f"{source.place('', 'recipe')}: There is no recipe '{recipe}'.{_nearest(recipe, recipes.names())}"
        )
    return recipes.get(recipe).keys


def load(path: str | os.PathLike[str]) -> Config:
    """Read and check a configuration file."""
    path = Path(path)
    return parse(read_text(path), str(path), path.parent)
