"""transformers: static batches that start from one copy of the prefix's cache, or its continuous batching.

Knobs: ``mode`` ('static', 'continuous'), ``batch``, ``dtype``.
"""

from __future__ import annotations

import copy

import transformers
from peer import length_sorted_batches, serve
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, GenerationConfig

import torch


def load(job):
    torch.set_num_threads(job["threads"])
    transformers.logging.set_verbosity_error()
    folder, variant = job["model"]["hf"], job["variant"]
    attention = {"attn_implementation": variant["attention"]} if "attention" in variant else {}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, variant["dtype"]), **attention)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def sampling(job):
    return {"do_sample": True, "temperature": job["temperature"], "top_k": 0, "top_p": 1.0, "pad_token_id": 0}


def static(model, job):
    requests, prefix = job["requests"], job["prefix"]
    cache = None
    if prefix:
        cache = DynamicCache(config=model.config)
        model(torch.tensor([requests[0]["ids"][:prefix]]), past_key_values=cache, logits_to_keep=1)
    made = [None] * len(requests)
    for batch in length_sorted_batches(requests, job["variant"]["batch"]):
        private = [requests[i]["ids"][prefix:] for i in batch]
        longest = max(map(len, private))
        # Padding stands between the prefix and the private part, so that all rows share the prefix.
        ids = torch.zeros(len(batch), prefix + longest, dtype=torch.long)
        mask = torch.ones_like(ids)
        for row, some in enumerate(private):
            ids[row, :prefix] = torch.tensor(requests[batch[row]]["ids"][:prefix])
            ids[row, prefix + longest - len(some) :] = torch.tensor(some)
            mask[row, prefix : prefix + longest - len(some)] = 0
        arguments = sampling(job)
        new = max(requests[i]["new"] for i in batch)
        if not job.get("schema"):
            arguments["min_new_tokens"] = new
        if cache is not None:
            own = copy.deepcopy(cache)
            own.batch_repeat_interleave(len(batch))
            arguments["past_key_values"] = own
        out = model.generate(ids, attention_mask=mask, max_new_tokens=new, **arguments)
        for row, i in enumerate(batch):
            made[i] = out[row, prefix + longest :][: requests[i]["new"]].tolist()
    return made


def continuous(model, job):
    requests = job["requests"]
    made = [None] * len(requests)
    # One length per call; the longest is generated and what a record did not ask for is not counted.
    config = GenerationConfig(
        max_new_tokens=max(r["new"] for r in requests), eos_token_id=-1, use_cuda_graph=False, **sampling(job)
    )
    from transformers import ContinuousBatchingConfig

    settings = ContinuousBatchingConfig(
        num_blocks=256, max_batch_tokens=256, allow_block_sharing=job["prefix"] > 0, use_cuda_graph=False
    )
    out = model.generate_batch(
        [r["ids"] for r in requests],
        generation_config=config,
        continuous_batching_config=settings,
        progress_bar=False,
    )
    by_prompt = {tuple(o.prompt_ids): o.generated_tokens for o in out.values()}
    for i, request in enumerate(requests):
        made[i] = by_prompt[tuple(request["ids"])][: request["new"]]
    return made


def score(model, job):
    order = sorted(job["text_ids"], key=len)
    total, count, size = 0.0, 0, job["variant"]["batch"]
    for begin in range(0, len(order), size):
        some = order[begin : begin + size]
        longest = max(map(len, some))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in some])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in some])
        logits = model(ids, attention_mask=mask).logits[:, :-1].float()
        chosen = logits.gather(2, ids[:, 1:, None])[..., 0] - logits.logsumexp(2)
        total += float((chosen * mask[:, 1:]).sum())
        count += int(mask[:, 1:].sum())
    return {"log_probability": total, "scored_tokens": count}


@torch.inference_mode()
def work(engine, job):
    model, tokenizer = engine
    if job["kind"] == "score":
        result = score(model, job)
    else:
        made = (static if job["variant"]["mode"] == "static" else continuous)(model, job)
        if job.get("schema"):  # no constraint here: an answer ends with the end token
            made = [ids[: ids.index(2)] if 2 in ids else ids for ids in made]
        result = {"answers": [{"tokens": len(ids), "text": tokenizer.decode(ids)} for ids in made]}
    result["versions"] = {"transformers": transformers.__version__, "torch": torch.__version__}
    return result


serve(load, work)
