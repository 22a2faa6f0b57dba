"""Run folders: killed, resumed, verified."""

import json
import random
import subprocess
import sys
import time

import pytest
import synthema

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


def test_private_rows_are_named_with_a_key(tmp_path):
    schema = synthema.Schema([synthema.Field("text")], may_leave_machine=False)
    a, b = run(tmp_path / "a", schema=schema), run(tmp_path / "b", schema=schema)
    assert a.rows.records() == b.rows.records()
    assert [p["digest"] for p in a.provenance] != [p["digest"] for p in b.provenance]
    assert all(r["must_not_leave"] for r in a.rejected.records())
    assert (tmp_path / "a" / "run.key").stat().st_mode & 0o077 == 0
    assert verify(tmp_path / "a", schema=schema).ok
