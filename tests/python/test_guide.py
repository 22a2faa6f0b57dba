"""The configuration of the guide runs, and the guide shows it and names every key."""

import inspect
import pathlib
import re

import synthema
from synthema import config, study, study_parts, verification

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
NOTES = REPOSITORY / "docs" / "examples" / "notes"


def test_the_configuration_of_the_guide_runs(tmp_path, monkeypatch):
    texts = synthema.read(NOTES / "exemplars.csv").values("text")
    model = synthema.ngram_model(texts, order=2)
    monkeypatch.setattr(
        study,
        "open_model",
        lambda path, threads=None, numeric_path="": (model, {"name": "n-gram", "path": "n-gram"}),
    )
    planned = study_parts.from_config(config.load(NOTES / "notes.toml"))
    done = study.run(planned, out=tmp_path / "run")
    assert done["accepted"] == 20
    rows = synthema.read(tmp_path / "run" / "rows.parquet")
    assert set(rows.values("label")) == {"headache", "chest pain", "knee pain"}
    assert all(5 <= len(synthema.words(text)) <= 30 for text in rows.values("text"))
    assert verification.verify(tmp_path / "run")["ok"]


def test_the_model_of_the_guide_answers_chats_and_plain_prompts():
    page = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    found = {}
    exec(page[page.index("class Upper") : page.index("```", page.index("class Upper"))], found)
    for ask in (synthema.Prompt.plain, synthema.Prompt.user):

        @synthema.strategy
        def note(task, rng, ask=ask):
            answer = yield ask("abc")
            return {"text": answer.text}

        assert synthema.generate(note, found["Upper"](), rows=1).rows.values("text") == ["ABC"]


def test_the_reference_names_all_that_is_public():
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\w+", page))
    public = {name for name in synthema.__all__ if not inspect.ismodule(getattr(synthema, name))}
    assert public - named == {"__version__"}
    for module in (
        synthema.models,
        synthema.privacy,
        synthema.tables,
        synthema.generation,
        synthema.conformance,
    ):
        public = {
            name for name in module.__all__ if inspect.isroutine(getattr(module, name)) or name[0].isupper()
        }
        assert not public - named - {"Perplexity"}, module.__name__


def test_the_guide_shows_the_configuration_that_runs():
    page = (REPOSITORY / "docs" / "command_line.md").read_text(encoding="utf-8")
    assert "```{literalinclude} examples/notes/notes.toml" in page
