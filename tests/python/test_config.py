"""Configuration files: what is right is taken, what is wrong is named with its line."""

import pytest
import synthema
from synthema import config, study_parts


def test_a_recipe_with_other_values():
    found = config.parse(
        'recipe = "phenotype_sentences"\nrows = 10\n[values]\nminimum_age = 30\n'
        "[sampling]\ntemperature = 0.7\n"
    )
    assert (found.recipe, found.rows, found.seed) == ("phenotype_sentences", 10, None)
    assert found.section("values") == {"minimum_age": 30}
    assert found.section("sampling") == {"temperature": 0.7}


def test_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('[exemplars]\nfile = "pool.csv"\n[model]\npath = "m.gguf"\n', encoding="utf-8-sig")
    found = config.load(path)
    assert found.section("exemplars")["file"] == str(tmp_path / "pool.csv")
    assert found.section("model")["path"] == str(tmp_path / "m.gguf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rowz = 3", r"line 1, field 'rowz': There is no such key.* Did you mean 'rows'\?"),
        ("[sampling]\n\ntemprature = 1", r"line 3, field 'sampling.temprature'.*'temperature'"),
        ("[samplings]\na = 1", r"line 1.*Did you mean 'sampling'\?"),
        ("rows = 0", "at least 1, not 0"),
        ("rows = true", "must be an integer"),
        ('rows = "3"', "must be an integer"),
        ("[sampling]\ntop_p = 1.5", "line 2, field 'sampling.top_p'.*between 0 and 1"),
        ("[sampling]\ntemperature = nan", "line 2, field 'sampling.temperature'.*between 0 and 100, not nan"),
        (f"seed = {2**64}", f"between 0 and {2**64 - 1}, not {2**64}"),
        ('[strategy]\nkind = "magic"', "one of zero_shot, few_shot"),
        ("[strategy]\nstop = [1]", "a list of texts"),
        ('[[check]]\nkind = "one_line"\n[[check]]\nminimum = 3', "line 3.*needs a kind"),
        ('[[check]]\nkind = "one_line"\nrun = 3', "line 3.*takes no such key"),
        ('recipe = "phenotype"', "no recipe 'phenotype'.*'phenotype_sentences'"),
        ('recipe = "phenotype_sentences"\n[values]\nage = 3', "line 3, field 'values.age'"),
        ("model = 3", "This is a section"),
        ('[conditions]\nfile = ""', "line 2, field 'conditions.file': No file is named.*leave out"),
        ('[exemplars]\ndelimiter = ";"', "line 1, field 'exemplars.file': No file is named"),
        ("rows = 2\n[schema]", "line 2, field 'schema.file': No file is named"),
        ('[model]\npath = ""', "line 2, field 'model.path': No file is named"),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(synthema.ConfigError, match=f"(?s)configuration, .*{message}|{message}"):
        config.parse(text)


def test_broken_toml_is_a_parse_error():
    with pytest.raises(synthema.ParseError, match="line 1"):
        config.parse("rows = = 3")


def test_a_missing_file(tmp_path):
    with pytest.raises(synthema.ConfigError, match="could not be read"):
        config.load(tmp_path / "none.toml")


def test_every_key_says_what_it_means():
    assert all(key.help for keys in config.SECTIONS.values() for key in keys.values())


def test_files_in_values_are_relative_to_the_file_that_names_them(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "studies" / "study.toml"
    path.write_text('recipe = "correlation_utility"\n[values]\ndata = "rows.csv"\ntarget = "y"\n')
    monkeypatch.chdir(tmp_path / "elsewhere")
    values = config.load(path).section("values")
    assert values == {"data": str(tmp_path / "studies" / "rows.csv"), "target": "y"}
    path.write_text('recipe = "correlation_utility"\n[values]\ndata = "/data/rows.csv"\n')
    assert config.load(path).section("values")["data"] == "/data/rows.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "few_shot"', r"\[strategy\]: few_shot\(\): missing a required argument: 'query'"),
        ('kind = "zero_shot"\ninstruction = "A note."\nk = 3', r"unexpected keyword argument 'k'"),
        (
            'kind = "zero_shot"\ninstruction = "A note."\n[[check]]\nkind = "length_in_words"\nminimum = 3',
            r"\[\[check\]\] 1, length_in_words: missing a required argument: 'maximum'",
        ),
    ],
)
def test_a_key_that_is_missing_or_too_many_is_named(text, message):
    with pytest.raises(synthema.ConfigError, match=message):
        study_parts.from_config(config.parse(f"[strategy]\n{text}"))


def test_a_check_out_of_range_is_told_by_its_place():
    text = (
        '[strategy]\nkind = "zero_shot"\ninstruction = "A note."\n[[check]]\nkind = "one_line"\n'
        '[[check]]\nkind = "length_in_words"\nminimum = 30\nmaximum = 3\n'
    )
    with pytest.raises(synthema.ConfigError, match=r"^\[\[check\]\] 2, length_in_words: field 'minimum'"):
        study_parts.from_config(config.parse(text))
    with pytest.raises(synthema.ConfigError, match=r"^\[\[check\]\] 2, length_in_words: .*whole number"):
        study_parts.from_config(config.parse(text.replace("30", "nan")))


@pytest.mark.parametrize("columns", ["label,name", "id,label"])
def test_a_term_list_without_its_columns_is_refused_before_anything_is_written(tmp_path, columns):
    """The scores need them, and come after the rows."""
    (tmp_path / "terms.csv").write_text(f"{columns}\na,b\n")
    text = '[strategy]\nkind = "zero_shot"\ninstruction = "A note."\n[terms]\nfile = "terms.csv"\n'
    with pytest.raises(synthema.ConfigError, match=r"\[terms\]: .*terms.csv has no '(id|name)'"):
        study_parts.from_config(config.parse(text, folder=tmp_path))


def test_a_check_looks_at_the_column_that_the_strategy_writes():
    """It looked at 'text', which no row had: a run was hopeless after 500 answers of the model."""
    text = (
        '[strategy]\nkind = "zero_shot"\ninstruction = "A note."\nfield = "note"\nchat = false\n'
        '[[check]]\nkind = "length_in_words"\nminimum = 2\nmaximum = 3\n'
    )
    planned = study_parts.from_config(config.parse(text))
    model = synthema.scripted_model(lambda request: "one two")
    run = synthema.generate(planned.strategy, model, rows=1, checks=planned.checks)
    assert run.rows.values("note") == ["one two"]
    with pytest.raises(synthema.ConfigError, match=r"\[\[check\]\] 1, .*no column 'txet'; they have 'note'"):
        study_parts.from_config(config.parse(f'{text}field = "txet"\n'))


def test_rows_are_filtered_by_their_likelihood():
    asked = '[strategy]\nkind = "zero_shot"\ninstruction = "A note."\n[[check]]\nkind = "likely_enough"\n'
    (check,) = study_parts.from_config(config.parse(f"{asked}minimum = -1.5")).checks
    assert check.name == "likelihood"
    with pytest.raises(synthema.ConfigError, match="must be at most 0"):
        study_parts.from_config(config.parse(f"{asked}minimum = 3"))
