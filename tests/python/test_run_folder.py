"""Run folders: killed, resumed, verified."""

import datetime
import json
import random
import subprocess
import sys
import time

import pytest
import synthema
from synthema import cli

SCRIPT = """
import sys, time
import synthema

def conditions(row, rng):
    return {"topic": rng.choice(["pain", "cough", "fever"])}

@synthema.strategy
def note(task, rng):
    answer = yield synthema.Prompt.plain("A patient:")
    time.sleep(float(sys.argv[2]))
    return {"topic": task["topic"], "text": answer.text}

def short(task, draft):
    return None if len(draft["text"].split()) < 9 else "too long"

TEXTS = ["A 45-year-old woman had headaches for three months .", "A man had chest pain for two days .",
         "A 30-year-old woman had a dry cough for one week and a fever for three days ."]
arguments = dict(rows=60, conditions=conditions, checks=[short], seed=7, max_attempts=3, in_flight=8)
model = synthema.ngram_model(TEXTS, order=2)
if __name__ == "__main__":
    synthema.generate(note, model, out=sys.argv[1], resume=True, **arguments)
"""
FILES = ("rows.jsonl", "rejected.jsonl", "run.json")


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(SCRIPT)
    return path


def start(script, folder, pause):
    return subprocess.Popen([sys.executable, str(script), str(folder), str(pause)])


def size(folder):
    """Bytes of rows written so far."""
    return (folder / "rows.jsonl").stat().st_size if (folder / "rows.jsonl").exists() else 0


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def test_killed_at_random_points_and_resumed_the_folder_is_the_same(script, tmp_path):
    whole = tmp_path / "whole"
    assert start(script, whole, 0).wait() == 0
    reference = contents(whole)
    assert reference["rejected.jsonl"]
    draw = random.Random(3)
    killed, lengths = 0, set()
    folder = tmp_path / "killed"
    while killed < 8:
        before = size(folder)
        process = start(script, folder, 0.01)
        while process.poll() is None and size(folder) == before:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.05))
        process.kill()
        if process.wait() == 0:
            break
        killed += 1
        lengths.add(size(folder))
    assert killed >= 2
    assert len(lengths) >= 2  # else nothing was ever interrupted in the middle
    assert max(lengths) > 0
    assert start(script, folder, 0).wait() == 0
    assert contents(folder) == reference
    assert {p.name for p in folder.iterdir()} == {p.name for p in whole.iterdir()}


TEXTS = [
    "A woman had pain for three months.",
    "A man had pain for two days.",
    "A man had a cough for a week.",
]


def conditions(row, rng):
    return {"topic": rng.choice(["pain", "cough"])}


def note(task, rng):
    answer = yield synthema.Prompt.plain("A patient:")
    return {"topic": task["topic"], "text": answer.text}


def no_cough(task, draft):
    return "cough" not in draft["text"] or "about a cough"


@pytest.fixture
def folder(tmp_path):
    run(tmp_path / "run")
    return tmp_path / "run"


def run(out, **changes):
    arguments = {"rows": 20, "conditions": conditions, "checks": [no_cough], "seed": 2, "out": out}
    return synthema.generate(note, synthema.ngram_model(TEXTS, order=2), **(arguments | changes))


def verify(folder, **changes):
    arguments = {"conditions": conditions, "checks": [no_cough]} | changes
    model = arguments.pop("model", synthema.ngram_model(TEXTS, order=2))
    return synthema.verify(folder, arguments.pop("strategy", note), model, **arguments)


def test_the_folder_has_what_the_memory_has(folder):
    loaded, fresh = synthema.load_run(folder), run(None)
    assert loaded.complete
    assert loaded.rows.records() == fresh.rows.records()
    assert loaded.drafts.records() == fresh.drafts.records()
    assert loaded.reasons == fresh.reasons
    assert synthema.read_manifest(folder=str(folder))["status"] == "complete"
    assert {p.suffix for p in folder.iterdir()} == {".json", ".jsonl", ".lock"}
    rows = [json.loads(line)["row"] for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert rows == sorted(rows)


def test_another_run_is_refused_by_the_key_that_differs(folder):
    with pytest.raises(synthema.RunFolderError, match="already"):
        run(folder)
    with pytest.raises(synthema.RunFolderError, match="'seed'"):
        run(folder, resume=True, seed=3)
    with pytest.raises(synthema.RunFolderError, match="'rows'"):
        run(folder, resume=True, rows=21)
    with pytest.raises(synthema.RunFolderError, match="'settings'"):
        run(folder, resume=True, settings={"recipe": "x"})
    assert len(run(folder, resume=True)) == 20  # the same run: nothing left to do


def test_verify_makes_every_row_of_a_small_run_again(folder):
    result = verify(folder)
    assert result.ok
    assert result.rows == 20
    assert result.rejected > 0
    assert result.regenerated == len({r["row_id"] for r in synthema.load_run(folder).drafts.records()})
    assert synthema.verify(folder).regenerated == 0


def test_verify_finds_what_differs(folder):
    def other(task, rng):
        answer = yield synthema.Prompt.plain("A patient: ")
        return {"topic": task["topic"], "text": answer.text}

    different = verify(folder, strategy=synthema.strategy(other, name="note"))
    assert not different.ok
    assert len(different.differences) == different.regenerated
    with pytest.raises(synthema.RunFolderError, match="'model'"):
        verify(folder, model=synthema.ngram_model(TEXTS, order=3))
    with pytest.raises(synthema.RunFolderError, match="'checks'"):
        verify(folder, checks=[])


@pytest.mark.parametrize("damage", ["change", "drop", "swap", "torn"])
def test_verify_refuses_a_damaged_folder(folder, damage):
    lines = (folder / "rows.jsonl").read_text().splitlines(keepends=True)
    if damage == "change":
        lines[3] = lines[3].replace("pain", "pane", 1).replace("cough", "couch", 1)
    elif damage == "drop":
        del lines[3]
    elif damage == "swap":
        lines[3] = lines[3].replace('"row":', '"row": ', 1)
    else:
        lines[-1] = lines[-1][:-5]
    (folder / "rows.jsonl").write_text("".join(lines))
    with pytest.raises(synthema.RunFolderError):
        synthema.verify(folder)


@pytest.mark.parametrize("name", ["rows.jsonl", "rejected.jsonl"])
@pytest.mark.parametrize("damage", ["swapped", "doubled", "doubled at the end", "moved to the end"])
@pytest.mark.parametrize("is_complete", [True, False])
def test_a_line_out_of_its_place_is_found_by_all_who_read(folder, name, damage, is_complete):
    if not is_complete:
        text = (folder / "run.json").read_text()
        (folder / "run.json").write_text(text.replace('"complete"', '"running"'))
    assert len(synthema.load_run(folder)) == 20
    lines = (folder / name).read_text().splitlines(keepends=True)
    if damage == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    elif damage == "doubled":
        lines[1:1] = [lines[1]] * 5
    elif damage == "doubled at the end":
        lines.append(lines[1])
    else:
        lines.append(lines.pop(1))
    (folder / name).write_text("".join(lines))
    for read in (synthema.verify, verify, synthema.load_run, lambda at: run(at, resume=True)):
        with pytest.raises(synthema.RunFolderError, match="lines are missing or out of order"):
            read(folder)


def test_a_run_that_goes_on_can_be_read(tmp_path):
    seen = []

    def read(progress):
        seen.append(len(synthema.load_run(tmp_path)))

    run(tmp_path, progress=read)
    assert seen == sorted(seen)
    assert seen[-1] == 20


def test_private_rows_are_named_with_a_key(tmp_path):
    schema = synthema.Schema([synthema.Field("text")], may_leave_machine=False)
    a, b = run(tmp_path / "a", schema=schema), run(tmp_path / "b", schema=schema)
    assert a.rows.records() == b.rows.records()
    assert [p["digest"] for p in a.provenance] != [p["digest"] for p in b.provenance]
    assert all(r["must_not_leave"] for r in a.rejected.records())
    assert (tmp_path / "a" / "run.key").stat().st_mode & 0o077 == 0
    assert verify(tmp_path / "a", schema=schema).ok


TERMS = [{"id": "pain", "name": "Pain", "definition": "It hurts."}]
SCHEMA = synthema.Schema([synthema.Field("age", kind="integer", minimum=1, maximum=9)])


def pool(may_leave_machine=True):
    schema = synthema.Schema(
        [synthema.Field("text"), synthema.Field("topic")], may_leave_machine=may_leave_machine
    )
    return synthema.table([{"text": "A woman had pain.", "topic": "pain"}], schema=schema)


def terms(definition):
    return synthema.table([TERMS[0] | {"definition": definition}])


# A strategy or check of the same name that would give other rows.
OTHER_STRATEGIES = {
    "zero_shot": lambda n: synthema.zero_shot(["Describe a headache.", "Describe a rash."][n]),
    "sampling": lambda n: synthema.zero_shot("Hello.", sampling=synthema.Sampling(temperature=1 - n / 2)),
    "few_shot": lambda n: synthema.few_shot("{topic}:", k=1 + n),
    "stop": lambda n: synthema.few_shot("{topic}:", stop=[["\n"], ["."]][n]),
    "json_record": lambda n: synthema.json_record(["Age:", "Old:"][n], SCHEMA, k=0),
    "label_conditioned": lambda n: synthema.label_conditioned(
        "{label_definition}", terms(["It hurts.", "It burns."][n]), label_field="topic"
    ),
    "best_of": lambda n: synthema.best_of(synthema.zero_shot(["Describe a headache.", "A rash."][n]), 2),
}
OTHER_CHECKS = {
    "length": lambda n: synthema.length_in_words(9 - 8 * n, 30),
    "banned_words": lambda n: synthema.banned_words([["cough", "rash"], ["cough"]][n]),
    "language": lambda n: synthema.in_language(share=0.1 + n / 10),
    "exemplar_copy": lambda n: synthema.no_exemplar_copy(pool(), run=8 + n),
    "likelihood": lambda n: synthema.likely_enough(-1 - n),
    "choice": lambda n: synthema.matches_choice("topic", ["topic", "other"][n]),
    "concept": lambda n: synthema.concept_recovered(terms(["It hurts.", "It burns."][n]), 1),
    "field": lambda n: synthema.one_line(field=["text", "note"][n]),
}


def begun(folder, strategy, **arguments):
    """Begin a run that ends without a row."""
    with pytest.raises(KeyboardInterrupt):
        synthema.generate(strategy, stopping(), rows=3, out=folder, **arguments)


def stopping():
    def answer(request):
        raise KeyboardInterrupt

    return synthema.scripted_model(answer)


@pytest.mark.parametrize("name", OTHER_STRATEGIES)
@pytest.mark.parametrize("private", [False, True])
def test_a_run_is_not_resumed_with_other_options_of_its_strategy(name, private, tmp_path):
    given = {"conditions": synthema.table([{"topic": "pain"}]), "exemplars": pool(not private)}
    begun(tmp_path, OTHER_STRATEGIES[name](0), **given)
    begun(tmp_path, OTHER_STRATEGIES[name](0), resume=True, **given)
    with pytest.raises(synthema.RunFolderError, match="'strategy' differs"):
        begun(tmp_path, OTHER_STRATEGIES[name](1), resume=True, **given)
    with pytest.raises(synthema.RunFolderError, match="'strategy' differs"):
        synthema.verify(tmp_path, OTHER_STRATEGIES[name](1), stopping(), **given)


@pytest.mark.parametrize("name", OTHER_CHECKS)
def test_a_run_is_not_resumed_with_other_limits_of_a_check(name, tmp_path):
    begun(tmp_path, note, checks=[no_cough, OTHER_CHECKS[name](0)])
    begun(tmp_path, note, checks=[no_cough, OTHER_CHECKS[name](0)], resume=True)
    with pytest.raises(synthema.RunFolderError, match="'checks' differs"):
        begun(tmp_path, note, checks=[no_cough, OTHER_CHECKS[name](1)], resume=True)
    with pytest.raises(synthema.RunFolderError, match="'checks' differs"):
        synthema.verify(tmp_path, note, stopping(), checks=[no_cough, OTHER_CHECKS[name](1)])


def test_digests_of_options_are_keyed_where_data_may_not_leave_the_machine(tmp_path):
    strategy, digests = synthema.zero_shot("Describe a headache."), set()
    for name in ("open", "private", "private_again"):
        shown = pool(may_leave_machine=name == "open")
        checks = [synthema.no_exemplar_copy(shown)]
        begun(tmp_path / name, strategy, exemplars=shown, checks=checks)
        manifest = synthema.read_manifest(folder=str(tmp_path / name))
        digests |= {manifest["strategy_digest"], *manifest["check_digests"]}
    assert len(digests) == 6


def test_a_run_from_before_there_were_digests_of_options_goes_on(tmp_path):
    strategy, checks = synthema.zero_shot("Describe a headache."), [synthema.length_in_words(1, 30)]
    model = synthema.ngram_model(TEXTS, order=2)
    synthema.generate(strategy, model, rows=3, checks=checks, out=tmp_path)
    lines = (tmp_path / "rows.jsonl").read_bytes()
    manifest = synthema.read_manifest(folder=str(tmp_path)) | {"status": "running"}
    old = {key: value for key, value in manifest.items() if "_digest" not in key}
    assert len(manifest) == len(old) + 2
    (tmp_path / "run.json").write_text(json.dumps(old))
    (tmp_path / "rows.jsonl").write_bytes(b"")
    synthema.generate(strategy, model, rows=3, checks=checks, out=tmp_path, resume=True)
    assert (tmp_path / "rows.jsonl").read_bytes() == lines
    assert synthema.read_manifest(folder=str(tmp_path)) == old | {"status": "complete"}
    assert synthema.verify(tmp_path, strategy, model, checks=checks).ok


@pytest.mark.parametrize("zone", [None, datetime.timezone.utc])
def test_times_of_conditions_come_back_as_they_were_given(tmp_path, zone):
    given = [
        datetime.datetime(2024, 2, 29, 12, 30, tzinfo=zone),
        datetime.datetime(2024, 12, 31, tzinfo=zone),
    ]
    conditions = [{"visit": one, "topic": "pain"} for one in given]

    @synthema.strategy
    def note(task, rng):
        answer = yield synthema.Prompt.plain("A patient:")
        return {"visit": task["visit"], "text": answer.text}

    folder = tmp_path / "run"
    model = synthema.scripted_model(lambda request: "He coughs.")
    arguments = dict(conditions=conditions, checks=[lambda task, draft: draft["text"] == "He coughs."])

    def visits(run):
        rows, drafts = ([row["visit"] for row in table.records()] for table in (run.rows, run.drafts))
        assert rows == drafts
        return rows

    assert visits(synthema.generate(note, model, rows=2, **arguments)) == given
    assert visits(synthema.generate(note, model, rows=2, out=folder, **arguments)) == given
    assert visits(synthema.load_run(folder)) == given
    assert visits(synthema.generate(note, model, rows=2, out=folder, resume=True, **arguments)) == given
    assert synthema.verify(folder, note, model, **arguments).ok
    # Runs of before do not say which fields are times, and go on.
    manifest = json.loads((folder / "run.json").read_text())
    newer = [key for key in manifest if key.startswith("times")]
    assert len(newer) == (1 if zone else 2)
    (folder / "run.json").write_text(json.dumps({k: v for k, v in manifest.items() if k not in newer}))
    synthema.generate(note, model, rows=2, out=folder, resume=True, **arguments)
    assert synthema.verify(folder, note, model, **arguments).ok


def test_a_manifest_that_cannot_make_a_run_again_is_told_in_a_sentence(tmp_path, capsys):
    strategy, model = synthema.zero_shot("Describe a headache."), synthema.ngram_model(TEXTS, order=2)
    synthema.generate(strategy, model, rows=2, out=tmp_path, settings="my own words")
    assert synthema.verify(tmp_path, strategy, model).ok
    assert cli.main(["verify", str(tmp_path)]) == 1
    assert "not made by a recipe or a configuration" in capsys.readouterr().err
    manifest = json.loads((tmp_path / "run.json").read_text())
    for seed in ("abc", "1x", "-1", "9" * 30, 1, None):
        (tmp_path / "run.json").write_text(json.dumps(manifest | {"seed": seed}))
        with pytest.raises(synthema.RunFolderError, match="'seed'"):
            synthema.verify(tmp_path, strategy, model)


@pytest.mark.parametrize("name", ["generator", "settings", "log_probabilities", "rows", "top_p"])
def test_a_manifest_without_an_entry_is_named(name, folder):
    manifest = json.loads((folder / "run.json").read_text())
    del manifest[name]
    (folder / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(synthema.RunFolderError, match=f"field '{name}': The manifest has no such"):
        verify(folder)


def test_a_complete_run_with_a_torn_line_is_refused(tmp_path):
    strategy, model = synthema.zero_shot("Describe a headache."), synthema.ngram_model(TEXTS, order=2)
    synthema.generate(strategy, model, rows=2, out=tmp_path)
    for name in ("rows.jsonl", "rejected.jsonl"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole + b'{"row":2')
        for read in (synthema.verify, synthema.load_run):
            with pytest.raises(synthema.RunFolderError, match=rf"{name}, line \d: .*its last line is not"):
                read(tmp_path)
        (tmp_path / name).write_bytes(whole)
    assert synthema.verify(tmp_path).ok


def test_a_private_run_without_its_key_says_so(tmp_path):
    strategy, model = synthema.zero_shot("Describe a headache."), synthema.ngram_model(TEXTS, order=2)
    private = synthema.Schema([synthema.Field("text")], may_leave_machine=False)
    synthema.generate(strategy, model, rows=2, schema=private, out=tmp_path / "run")
    (tmp_path / "run" / "run.key").unlink()
    with pytest.raises(
        synthema.RunFolderError, match=r"run\.key: .*the secret that names them .* is missing"
    ):
        synthema.verify(tmp_path / "run", strategy, model, schema=private)
    with pytest.raises(synthema.RunFolderError, match=r"run\.key: .*is missing"):
        synthema.generate(strategy, model, rows=2, schema=private, out=tmp_path / "run", resume=True)


def test_a_place_that_the_system_refuses_to_look_at_is_told_in_a_sentence(tmp_path):
    """A name too long stands for a closed folder, which the tests may not meet where they run as root."""
    strategy, model = synthema.zero_shot("Describe a headache."), synthema.ngram_model(TEXTS, order=2)
    place = tmp_path / ("n" * 300)
    for use in (
        lambda: synthema.verify(place),
        lambda: synthema.load_run(place),
        lambda: synthema.generate(strategy, model, rows=2, out=place),
        lambda: synthema.generate(strategy, model, rows=2, out=place, resume=True),
    ):
        with pytest.raises(synthema.RunFolderError, match="File name too long"):
            use()
