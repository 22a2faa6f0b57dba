"""synthema's own side of benchmarks/engine.py: the same jobs, read and printed the same way as by the peers.

Knobs: ``format``, ``dtype``, ``slots``.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).with_name("peers")))
import synthema
from peer import serve
from synthema import Prompt, Sampling


def load(job):
    variant = job["variant"]
    if job["kind"] == "embed":
        return synthema.Embedder(job["model"]["minilm"], dtype=variant["dtype"], threads=job["threads"])
    return synthema.Model(
        job["model"][variant["format"]],
        dtype=variant["dtype"],
        threads=job["threads"],
        slots=variant.get("slots"),
        kv_dtype=variant.get("kv_dtype", "auto"),
    )


def sampling(job, request):
    values = {"temperature": job["temperature"], "max_tokens": request["new"]}
    if not job.get("schema"):
        try:
            return Sampling(min_tokens=request["new"], **values)
        except TypeError:  # this version has no minimum: records may end early, and what was made is counted
            pass
    return Sampling(**values)


def prompt(job, request):
    made = Prompt.plain(request["text"]).with_sampling(sampling(job, request))
    return made.json(job["schema"]) if job.get("schema") else made


def generate(model, job):
    requests = job["requests"]
    done = model.complete([prompt(job, r) for r in requests], sampling(job, requests[0]), seed=job["seed"])
    answers = [
        {
            "tokens": c.tokens.free + c.tokens.masked + c.tokens.forced,
            "forced": c.tokens.forced,
            "prompt": c.tokens.prompt,
            "text": c.text,
            # Random weights write random bytes, which are no text.
            "failure": "" if job.get("random_weights") and "UTF-8" in (c.failure or "") else c.failure,
        }
        for c in done
    ]
    return {"answers": answers}


def score(model, job):
    values = model.score(job["texts"])
    # A first token that is scored after a begin token is left out, as the peers leave it out.
    values = [v[len(v) - (len(ids) - 1) :] for v, ids in zip(values, job["text_ids"], strict=True)]
    return {"log_probability": sum(map(sum, values)), "scored_tokens": sum(map(len, values))}


def embed(model, job):
    vectors = model.embed(job["texts"])
    return {"vectors": [[float(x) for x in v] for v in vectors[:64]], "embedded": len(vectors)}


def work(model, job):
    parts = getattr(model, "seconds_by_part", dict)
    before = parts()
    result = {"generate": generate, "score": score, "embed": embed}[job["kind"]](model, job)
    result["parts"] = {part: seconds - before[part] for part, seconds in parts().items()}
    result["versions"] = {
        "synthema": importlib.metadata.version("synthema"),
        "torch": importlib.metadata.version("torch"),
        "flags": getattr(model, "numeric_path", ""),
    }
    return result


serve(load, work)
