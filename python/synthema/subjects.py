"""Whose row it is: columns that look as if they said so, though no role says it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import numpy as np

from synthema import _core
from synthema._core import Table
from synthema.callers import warn

PEOPLE = {
    "subject",
    "subj",
    "subjid",
    "usubjid",
    "patient",
    "patid",
    "person",
    "participant",
    "proband",
    "mrn",
}
NUMBERS = {"id", "pid", "eid", "seqn"}  # of people, or of anything else
_NUMBER = ("id", "nr", "no", "num", "number", "key", "code")
# In one word: "patientid", "caseno".
_ONE_WORD = rf"u?(subj|subject|pat|patient|person|participant|proband|case)s?({'|'.join(_NUMBER)})"
_NUMBERED = {*NUMBERS, *_NUMBER, "index", "row", "rownames", "unnamed", "column"}
FEWEST = 10  # different numbers that could be people
MOST_ROWS = 200  # a person has on average, where only a number says that it is one


def people_in(rows: Table) -> int:
    """Return how many people the rows are of: subjects, or rows where the schema names none."""
    subject = rows.schema.subject
    return len(set(rows.values(subject))) if subject else len(rows)


def likely_subject(rows: Table) -> str | None:
    """Return the column that seems to say whose row it is, where several rows are somebody's.

    A column is named like people ("patient", "USUBJID", "person_id") or ends in "id", and its values repeat.
    None where the schema names a subject, or no column looks so.
    """
    if any("subject" in field.roles for field in rows.schema.fields):
        return None
    named = {
        field.name: _words(field.name)
        for field in rows.schema.fields
        if field.kind in ("text", "category", "integer", "real") and "identifier" not in field.roles
    }
    for name, words in named.items():
        if _says_people(words) and _repeats(rows, name, len(rows)):
            return name
    for name, words in named.items():
        if words[-1:] and words[-1] in NUMBERS and _repeats(rows, name, MOST_ROWS):
            return name
    return None


def apparent_subject(rows: Table) -> str:
    """Say which column seems to be the subject and what to do, or ""."""
    name = likely_subject(rows)
    if name is None:
        return ""
    return (
        f"The column '{name}' may say whose row it is, and its values repeat. If it does, give it the role "
        f"'subject' (in Python synthema.table(data, roles={{{name!r}: 'subject'}}), on the command line "
        f"--subject {shlex.quote(name)}): without it each row counts as a person, and what one person has in "
        "several rows passes for frequent."
    )


def warn_of_subject(rows: Table) -> None:
    """Warn of such a column."""
    if said := apparent_subject(rows):
        warn(said)


def taken_for_row_numbers(names: Sequence[str], done: str) -> str:
    """Say which columns were, and what was done with them."""
    listed = ", ".join(f"'{name}'" for name in names)
    return (
        f"Taken for row numbers and {done}, as identifiers are: {listed}. A schema that gives a role, a "
        "maximum, a rule or the kind real says otherwise."
    )


def warn_of_row_numbers(rows: Table) -> None:
    """Warn of columns that count the rows, but for those whose name says so."""
    if names := [name for name in _core._row_number_columns(rows) if not _says_number(_words(name))]:
        warn(taken_for_row_numbers(names, "drawn afresh"))


def _says_number(words: list[str]) -> bool:
    """Whether a name is that of a number of people, things or rows: "patient", "sample_id", "Unnamed: 0"."""
    return _says_people(words) or not _NUMBERED.isdisjoint(words)


def _says_people(words: list[str]) -> bool:
    """Whether a name ends in people or their number: "patient_id", "study subject"; not "patient_age"."""
    if re.fullmatch(_ONE_WORD, "".join(words)):
        return True
    ends = words[:-1] if words and words[-1] in _NUMBER else words
    return bool(ends) and ends[-1] in PEOPLE


def _words(name: str) -> list[str]:
    """The words of a name such as "patient_id", "PatientId" or "USUBJID", in small letters."""
    return [one.lower() for one in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _repeats(rows: Table, name: str, most: int) -> bool:
    """Whether the values of a column repeat, though a value has at most so many rows on average."""
    if rows.schema[name].kind in ("integer", "real"):
        cells = rows[name]
        cells = cells.compressed() if np.ma.isMaskedArray(cells) else cells[~np.isnan(cells)]
        if not np.array_equal(cells, np.round(cells)):
            return False  # no numbers of people; where one is missing, a frame keeps those as reals
        counts = np.unique(cells, return_counts=True)[1]
    else:
        counts = np.bincount(rows._coded(name)[1])[1:]
        counts = counts[counts > 0]
    present = int(counts.sum())
    return len(counts) >= FEWEST and len(counts) < present <= len(counts) * most
