"""The tasks of benchmarks/engine.py: prompts, lengths and forms, the same for every engine."""

from __future__ import annotations

import dataclasses

import model_files
import workload


@dataclasses.dataclass
class Job:
    """A measured task: `kind` picks the variants, `short` is the form in which variants are compared."""

    name: str
    kind: str
    unit: str
    full: dict
    short: dict


def make_jobs(arguments, texts: workload.Texts, model: str, paths: dict[str, str]) -> list[Job]:
    tokenizer = model_files.tokenizer(paths)
    quick, base = (
        arguments.quick,
        {
            "threads": arguments.threads,
            "isa": arguments.isa,
            "seed": 1,
            "temperature": 0.8,
            "model": paths,
            "random_weights": model != model_files.SMOLLM2,
        },
    )
    label = "" if model == model_files.SMOLLM2 else f" {model}"

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    def generation(name, kind, unit, requests, short_count, short_new=None, **more):
        prefix = workload.common_prefix(requests) if kind in ("shared", "template") else 0
        full = base | {"kind": "generate", "requests": requests, "prefix": prefix} | more
        some = [r | {"new": min(r["new"], short_new or r["new"])} for r in requests[:short_count]]
        return Job(name + label, kind, unit, full, full | {"requests": some})

    jobs = []
    wanted = arguments.jobs.split(",") if arguments.jobs else [""]

    def want(name: str) -> bool:
        return any(w in name for w in wanted)

    if want("prefix"):
        records, prefix, new = (32, 1000, (20, 60)) if quick else (256, 1000, (50, 350))
        requests = texts.requests(encode, 1, records, prefix, 100, new, "\nNote:")
        jobs.append(generation("prefix", "shared", "tokens/s", requests, 32, 100))
    if want("template"):
        records, prefix, new = (16, 1000, 0) if quick else (256, 1000, 0)
        requests = texts.requests(
            encode, 2, records, prefix, 100, workload.RECORD_TOKENS, "\nRecord as JSON:\n"
        )
        form = {"schema": workload.RECORD_SCHEMA, "gbnf": workload.grammar(workload.RECORD_SCHEMA)}
        jobs.append(generation("template", "template", "records/s", requests, 16, **form))
    for batch in (32,) if quick else (32, 128):
        if want(f"distinct-{batch}"):
            requests = texts.requests(encode, 3, batch, 0, 32, 32 if quick else 128, "\nNote:")
            jobs.append(generation(f"distinct-{batch}", "distinct", "tokens/s", requests, batch, 32))
    if want("single"):
        requests = texts.requests(encode, 4, 1, 0, 32, 32 if quick else 128, "\nNote:")
        jobs.append(generation("single", "single", "tokens/s", requests, 1))
    if want("score"):
        made = texts.to_score(encode, 5, 64 if quick else 1000, 128)
        full = base | {"kind": "score", "texts": made, "text_ids": [encode(t) for t in made]}
        short = full | {"texts": full["texts"][:64], "text_ids": full["text_ids"][:64]}
        jobs.append(Job("score" + label, "score", "tokens/s", full, short))
    if want("embed") and model == model_files.SMOLLM2:
        full = base | {"kind": "embed", "texts": texts.sentences[: 500 if quick else 10_000]}
        jobs.append(Job("embed", "embed", "sentences/s", full, full | {"texts": full["texts"][:500]}))
    if not jobs:
        raise SystemExit(f"--jobs {arguments.jobs}: no job{label} is called so; see --help")
    return jobs
