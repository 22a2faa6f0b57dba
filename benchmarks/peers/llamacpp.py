"""llama.cpp through its C API: continuous batching, the shared prefix decoded once and shared by seq_cp.

Two prebuilt libraries: that of the Python package xllamacpp (one build for AVX2) and that of the npm package
@node-llama-cpp/linux-x64 (a backend for each kind of CPU, the best one is loaded). Both are driven directly.

Knobs: ``library`` ('xllamacpp', 'node'), ``format`` (key of the model's path), ``slots``, ``unified`` (one KV
buffer for all sequences: seq_cp copies nothing; otherwise one buffer each, and seq_cp copies the prefix).
"""

from __future__ import annotations

import ctypes
import glob
import importlib.metadata
import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from peer import serve

FLAGS = (
    0x01010100  # no embeddings, offload_kqv, no_perf, op_offload: where the booleans of the defaults begin
)


class Parameters(ctypes.Structure):
    """Room for a parameter struct of any version; fields are found by their place and checked by default."""

    _fields_ = [("words", ctypes.c_uint32 * 128)]


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


class Candidate(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class Candidates(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.POINTER(Candidate)),
        ("size", ctypes.c_size_t),
        ("selected", ctypes.c_int64),
        ("sorted", ctypes.c_bool),
    ]


def open_library(name: str):
    if name == "xllamacpp":
        folder = os.path.dirname(importlib.util.find_spec("xllamacpp").origin)
        return ctypes.CDLL(glob.glob(folder + "/xllamacpp*.so")[0])
    folder = glob.glob(os.environ["LLAMACPP_NODE"] + "/bins/*")[0]
    ggml = ctypes.CDLL(glob.glob(folder + "/libggml.*so")[0])
    if os.environ.get("SYNTHEMA_INSTRUCTION_SET") == "avx2":  # the whole comparison is held to it
        ggml.ggml_backend_load(ctypes.c_char_p(f"{folder}/libggml-cpu-haswell.so".encode()))
    else:
        ggml.ggml_backend_load_all_from_path(ctypes.c_char_p(folder.encode()))
    return ctypes.CDLL(glob.glob(folder + "/libllama.*so")[0])


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def quiet(level, text, data):
    pass


POINTERS = (
    "llama_model_load_from_file",
    "llama_init_from_model",
    "llama_get_memory",
    "llama_model_get_vocab",
    "llama_sampler_chain_init",
    "llama_sampler_init_temp",
    "llama_sampler_init_dist",
    "llama_sampler_init_grammar",
    "llama_get_logits",
    "llama_get_logits_ith",
)


class Llama:
    def __init__(self, job, slots, cells):
        variant = job["variant"]
        self.c = c = open_library(variant["library"])
        for name in POINTERS:
            getattr(c, name).restype = ctypes.c_void_p
        c.llama_batch_init.restype = Batch
        c.llama_print_system_info.restype = ctypes.c_char_p
        c.llama_model_default_params.restype = c.llama_context_default_params.restype = Parameters
        c.llama_log_set(quiet, None)
        c.llama_backend_init()
        self.model = c.llama_model_load_from_file(
            job["model"][variant["format"]].encode(), c.llama_model_default_params()
        )
        if not self.model:
            raise SystemExit("llama.cpp could not load the model")
        self.rows = 512
        self.ctx = ctypes.c_void_p(
            c.llama_init_from_model(
                ctypes.c_void_p(self.model), self.parameters(job, slots, cells, variant["unified"])
            )
        )
        if not self.ctx:
            raise SystemExit("llama.cpp could not make a context")
        self.memory = ctypes.c_void_p(c.llama_get_memory(self.ctx))
        self.vocab = ctypes.c_void_p(c.llama_model_get_vocab(ctypes.c_void_p(self.model)))
        self.n_vocab = c.llama_vocab_n_tokens(self.vocab)
        self.batch = c.llama_batch_init(self.rows, 0, 1)
        self.filled = 0

    def parameters(self, job, slots, cells, unified):
        parameters = self.c.llama_context_default_params()
        words = parameters.words
        if (
            list(words[0:4]) != [512, 2048, 512, 1]
            or list(words[7:9]) != [4, 4]
            or list(words[26:28]) != [1, 1]
        ):
            raise SystemExit("this llama.cpp has other context parameters than the ones known here")
        flags = next(i for i in range(28, 40) if words[i] == FLAGS)
        words[0], words[1], words[2], words[3] = cells, self.rows, self.rows, slots
        words[7] = words[8] = job["threads"]
        words[flags + 1] |= 0x100 if unified else 0
        return parameters

    def sampler(self, job, index):
        c = self.c
        chain = ctypes.c_void_p(c.llama_sampler_chain_init(ctypes.c_bool(True)))
        for made in (
            c.llama_sampler_init_temp(ctypes.c_float(job["temperature"])),
            c.llama_sampler_init_dist(job["seed"] * 1000 + index),
        ):
            c.llama_sampler_chain_add(chain, ctypes.c_void_p(made))
        return chain

    def add(self, token, position, sequence, output):
        i, b = self.filled, self.batch
        b.token[i], b.pos[i], b.n_seq_id[i], b.logits[i] = token, position, 1, output
        b.seq_id[i][0] = sequence
        self.filled += 1
        return i

    def decode(self):
        self.batch.n_tokens, self.filled = self.filled, 0
        code = self.c.llama_decode(self.ctx, self.batch)
        if code != 0:
            raise SystemExit(f"llama_decode failed with code {code}")

    def share(self, source, target):
        self.c.llama_memory_seq_rm(self.memory, target, -1, -1)
        if source is not None:
            self.c.llama_memory_seq_cp(self.memory, source, target, -1, -1)

    def text(self, ids):
        ids = (ctypes.c_int32 * len(ids))(*ids)
        buffer = ctypes.create_string_buffer(64 * len(ids) + 64)
        n = self.c.llama_detokenize(self.vocab, ids, len(ids), buffer, len(buffer), True, False)
        return buffer.raw[: max(n, 0)].decode("utf-8", "replace")


class Grammar:
    """What llama.cpp's own server does: draw freely, and only if the grammar refuses, draw again under it."""

    def __init__(self, llama, source, sampler):
        self.llama, self.sampler = llama, sampler
        self.grammar = ctypes.c_void_p(
            llama.c.llama_sampler_init_grammar(llama.vocab, source.encode(), b"root")
        )
        if not self.grammar:
            raise SystemExit("llama.cpp does not take the grammar")

    def draw(self, row):
        llama, c = self.llama, self.llama.c
        token = c.llama_sampler_sample(self.sampler, llama.ctx, row)
        one = (Candidate * 1)(Candidate(token, 1.0, 0.0))
        candidates = Candidates(one, 1, -1, False)
        c.llama_sampler_apply(self.grammar, ctypes.byref(candidates))
        if one[0].logit == float("-inf"):
            token = self.draw_again(row)
        c.llama_sampler_accept(self.grammar, token)
        return token

    def draw_again(self, row):
        llama, c = self.llama, self.llama.c
        logits = np.ctypeslib.as_array(
            ctypes.cast(c.llama_get_logits_ith(llama.ctx, row), ctypes.POINTER(ctypes.c_float)),
            (llama.n_vocab,),
        )
        every = np.zeros(llama.n_vocab, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
        every["id"], every["logit"] = np.arange(llama.n_vocab), logits
        candidates = Candidates(every.ctypes.data_as(ctypes.POINTER(Candidate)), llama.n_vocab, -1, False)
        c.llama_sampler_apply(self.grammar, ctypes.byref(candidates))
        c.llama_sampler_apply(self.sampler, ctypes.byref(candidates))
        return candidates.data[candidates.selected].id


class Record:
    def __init__(self, llama, job, index, slot):
        request = job["requests"][index]
        self.index, self.slot = index, slot
        self.pending, self.position, self.new = request["ids"][job["prefix"] :], job["prefix"], request["new"]
        self.made, self.row = [], None
        self.sampler = llama.sampler(job, index)
        self.grammar = Grammar(llama, job["gbnf"], self.sampler) if job.get("gbnf") else None

    def feed(self, llama):
        """Put the next tokens into the batch as far as there is room."""
        room = llama.rows - llama.filled
        some, self.pending = self.pending[:room], self.pending[room:]
        self.row = None
        for k, token in enumerate(some):
            last = k + 1 == len(some) and not self.pending
            row = llama.add(token, self.position, self.slot, last)
            self.position += 1
            if last:
                self.row = row

    def draw(self, llama):
        """Draw the next token; true if the record is finished."""
        if self.grammar:
            token = self.grammar.draw(self.row)
            if llama.c.llama_vocab_is_eog(llama.vocab, token):
                return True
        else:
            token = llama.c.llama_sampler_sample(self.sampler, llama.ctx, self.row)
        self.made.append(token)
        self.pending = [token]
        return len(self.made) == self.new


def load(job):
    requests = job.get("requests")
    if not requests:
        return Llama(job, 32, 32 * 256)
    slots = min(job["variant"]["slots"], len(requests))
    private = max(len(r["ids"]) - job["prefix"] + r["new"] for r in requests)
    unified = job["variant"]["unified"]
    cells = job["prefix"] + slots * private if unified else (slots + 1) * (job["prefix"] + private)
    return Llama(job, slots + 1, (cells + 255) // 256 * 256 + (slots + 1) * 256 * (not unified))


def generate(llama, job):
    slots, prefix = min(job["variant"]["slots"], len(job["requests"])), job["prefix"]
    shared = job["requests"][0]["ids"][:prefix]
    for begin in range(0, prefix, llama.rows):
        for k, token in enumerate(shared[begin : begin + llama.rows]):
            llama.add(token, begin + k, slots, False)
        llama.decode()

    answers = [None] * len(job["requests"])
    waiting = list(range(len(answers)))[::-1]
    free, active = list(range(slots)), []
    while waiting or active:
        while waiting and free:
            record = Record(llama, job, waiting.pop(), free.pop())
            llama.share(slots if prefix else None, record.slot)
            active.append(record)
        for record in active:
            record.feed(llama)
        llama.decode()
        for record in [r for r in active if r.row is not None]:
            if record.draw(llama):
                answers[record.index] = {"tokens": len(record.made), "text": llama.text(record.made)}
                active.remove(record)
                free.append(record.slot)
    return {"answers": answers}


def score(llama, job):
    total, count = 0.0, 0
    # Log-softmax over the vocabulary on all cores: numpy lets go of the interpreter.
    with ThreadPoolExecutor(job["threads"]) as pool:
        for group in groups(job["text_ids"], llama.rows):
            for sequence, ids in enumerate(group):
                for position, token in enumerate(ids):
                    llama.add(token, position, sequence, True)
            llama.decode()
            rows = sum(map(len, group))
            pointer = ctypes.cast(llama.c.llama_get_logits(llama.ctx), ctypes.POINTER(ctypes.c_float))
            logits = np.ctypeslib.as_array(pointer, (rows, llama.n_vocab))
            starts = np.cumsum([0, *map(len, group)])
            parts = [logits[start : start + len(ids)] for start, ids in zip(starts, group, strict=False)]
            sums = pool.map(log_probability, parts, group)
            total += sum(sums)
            count += rows - len(group)
            llama.c.llama_memory_clear(llama.memory, True)
    return {"log_probability": float(total), "scored_tokens": count}


def groups(texts, rows):
    group = []
    for ids in texts:
        if group and (sum(map(len, group)) + len(ids) > rows or len(group) == 32):
            yield group
            group = []
        group.append(ids)
    if group:
        yield group


def log_probability(logits, ids):
    some = logits[: len(ids) - 1]
    top = some.max(axis=1, keepdims=True)
    norm = top[:, 0] + np.log(np.exp(some - top).sum(axis=1))
    return float((some[np.arange(len(some)), ids[1:]] - norm).sum())


def work(llama, job):
    result = score(llama, job) if job["kind"] == "score" else generate(llama, job)
    version = getattr(llama.c, "llama_version", None)
    if version:
        version.restype = ctypes.c_char_p
    result["versions"] = {
        "llama.cpp": version().decode() if version else "unknown",
        "xllamacpp": importlib.metadata.version("xllamacpp"),
        "flags": llama.c.llama_print_system_info().decode(),
    }
    return result


serve(load, work)
