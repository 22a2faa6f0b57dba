"""CTranslate2: batches of similar length with static_prompt, whose state it computes once.

Knobs: ``format`` (a converted model), ``batch``, ``compute_type``.
"""

from __future__ import annotations

import json
import pathlib

import ctranslate2
from peer import length_sorted_batches, serve


def load(job):
    folder = job["model"]["ct2"]
    generator = ctranslate2.Generator(
        folder,
        compute_type=job["variant"]["compute_type"],
        inter_threads=1,
        intra_threads=job["threads"],
    )
    vocabulary = json.loads(pathlib.Path(folder, "vocabulary.json").read_text(encoding="utf-8"))
    return generator, vocabulary


def generate(generator, vocabulary, job):
    requests, prefix = job["requests"], job["prefix"]
    words = [[vocabulary[i] for i in r["ids"]] for r in requests]
    answers = [None] * len(requests)
    for batch in length_sorted_batches(requests, job["variant"]["batch"]):
        new = max(requests[i]["new"] for i in batch)
        results = generator.generate_batch(
            [words[i][prefix:] for i in batch],
            static_prompt=words[0][:prefix] if prefix else None,
            cache_static_prompt=True,
            max_length=new,
            min_length=0 if job.get("schema") else new,
            sampling_topk=0,
            sampling_temperature=job["temperature"],
            include_prompt_in_result=False,
            max_batch_size=0,
        )
        for i, result in zip(batch, results, strict=True):
            ids = result.sequences_ids[0][: requests[i]["new"]]
            answers[i] = {"tokens": len(ids), "ids": ids}
    return {"answers": answers}


def score(generator, vocabulary, job):
    words = [[vocabulary[i] for i in ids] for ids in job["text_ids"]]
    results = generator.score_batch(words, max_batch_size=job["variant"]["batch"])
    return {
        "log_probability": sum(sum(r.log_probs) for r in results),
        "scored_tokens": sum(len(r.log_probs) for r in results),
    }


def work(engine, job):
    result = (score if job["kind"] == "score" else generate)(*engine, job)
    result["versions"] = {
        "ctranslate2": ctranslate2.__version__,
        "flags": "compute types " + ", ".join(sorted(ctranslate2.get_supported_compute_types("cpu"))),
    }
    return result


serve(load, work)
