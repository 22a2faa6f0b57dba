"""Sentence embeddings: sentence-transformers on torch, or the same network compiled by OpenVINO.

Knobs: ``backend`` ('torch', 'openvino'), ``batch``.
"""

from __future__ import annotations

import numpy as np
import sentence_transformers
from peer import serve
from sentence_transformers import SentenceTransformer

import torch


def load(job):
    torch.set_num_threads(job["threads"])
    model = SentenceTransformer(job["model"]["minilm"], device="cpu")
    return compiled(model, job) if job["variant"]["backend"] == "openvino" else model


class compiled:  # noqa: N801  (stands where the torch model stands)
    def __init__(self, model, job):
        import openvino

        self.tokenizer = model.tokenizer
        self.limit = model.max_seq_length
        network = model[0].auto_model.eval()
        example = dict(self.tokenizer(["an example"], return_tensors="pt"))
        converted = openvino.convert_model(network, example_input=example)
        self.network = openvino.Core().compile_model(
            converted, "CPU", {"INFERENCE_NUM_THREADS": job["threads"], "INFERENCE_PRECISION_HINT": "f32"}
        )
        self.names = [i.get_any_name() for i in converted.inputs]

    def encode(self, texts, batch_size, **_):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        out = np.empty((len(texts), 384), dtype=np.float32)
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            some = self.tokenizer(
                [texts[i] for i in rows],
                padding=True,
                truncation=True,
                max_length=self.limit,
                return_tensors="np",
            )
            states = self.network({n: some[n] for n in self.names if n in some})[0]
            mask = some["attention_mask"][..., None].astype(np.float32)
            vectors = (states * mask).sum(1) / mask.sum(1)
            out[rows] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return out


def work(model, job):
    with torch.inference_mode():
        vectors = model.encode(
            job["texts"],
            batch_size=job["variant"]["batch"],
            normalize_embeddings=True,
            show_progress_bar=False,
        )
    versions = {"sentence-transformers": sentence_transformers.__version__, "torch": torch.__version__}
    if job["variant"]["backend"] == "openvino":
        versions["openvino"] = __import__("openvino").__version__
    return {"vectors": np.asarray(vectors[:64]).tolist(), "embedded": len(vectors), "versions": versions}


serve(load, work)
