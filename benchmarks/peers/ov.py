"""OpenVINO GenAI: continuous batching with its prefix cache; guided decoding by JSON schema.

Knobs: ``format``, ``max_num_seqs``, ``max_num_batched_tokens``, ``properties`` (of the CPU plug-in, for
example the precision of keys and values), ``guide`` (how the form of an answer is given: 'grammar',
'json_schema').
"""

from __future__ import annotations

import json
import pathlib

import numpy as np
import openvino
import openvino_genai as genai
from peer import serve


def load(job):
    variant = job["variant"]
    config = genai.SchedulerConfig()
    config.cache_size = 4
    config.max_num_seqs = variant.get("max_num_seqs", 256)
    config.max_num_batched_tokens = variant.get("max_num_batched_tokens", 256)
    config.enable_prefix_caching = job["prefix"] > 0
    properties = {"INFERENCE_NUM_THREADS": job["threads"], **variant.get("properties", {})}
    path = pathlib.Path(job["model"][variant["format"]])
    return genai.ContinuousBatchingPipeline(path, config, "CPU", properties)


def configuration(job, request):
    config = genai.GenerationConfig()
    config.max_new_tokens = request["new"]
    config.do_sample, config.temperature = True, job["temperature"]
    config.rng_seed = job["seed"]
    if job.get("schema"):
        guide = job["variant"]["guide"]
        form = {"grammar": job["gbnf"], "json_schema": json.dumps(job["schema"])}[guide]
        config.structured_output_config = genai.StructuredOutputConfig(**{guide: form})
    else:
        config.ignore_eos = True
        config.min_new_tokens = request["new"]
    return config


def work(pipeline, job):
    requests = job["requests"]
    configs = [configuration(job, r) for r in requests]
    prompts = [openvino.Tensor(np.array([r["ids"]], dtype=np.int64)) for r in requests]
    head = 0
    if job["prefix"]:  # one record first, so that the prefix is in the cache when the others come
        first, head = pipeline.generate(prompts[:1], configs[:1]), 1
    rest = pipeline.generate(prompts[head:], configs[head:]) if len(prompts) > head else []
    done = (first if head else []) + rest
    tokenizer = pipeline.get_tokenizer()
    answers = []
    for result in done:
        ids = list(result.m_generation_ids[0])
        answers.append({"tokens": len(ids), "text": tokenizer.decode(ids)})
    versions = {"openvino": openvino.__version__, "openvino-genai": genai.__version__}
    return {"answers": answers, "versions": versions}


serve(load, work)
