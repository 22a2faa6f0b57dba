"""What every measured system shares: it reads a job, is timed while it works, and prints a result.

A script calls ``serve(load, work)``. ``load(job)`` opens the model and returns whatever ``work(engine, job)``
needs. ``work`` returns a dict; for a ``generate`` job ``answers`` (one dict per request, in order, with
``tokens`` and ``text``, and ``forced`` where some were not sampled), for ``score`` the sum
``log_probability`` over ``scored_tokens``, for ``embed`` the first ``vectors``. What stands under ``untimed``
is a function that is called once the time is taken.

The job (a JSON file, the only argument):

- ``kind``: generate, score or embed
- ``model``: paths by format (``gguf_q8_0``, ``hf``, ``ct2_int8_float32``, ...)
- ``variant``: the values of this system's own knobs
- ``threads``, ``seed``, ``temperature``
- ``requests``: list of {"ids", "text", "new"}: tokens of the prompt, the same as text, tokens to generate
- ``prefix``: how many leading ids all requests share (0: nothing worth caching)
- ``schema``: JSON schema that every answer should satisfy, and ``gbnf``, the same as a grammar; or absent
- ``texts``, ``text_ids``: what to score or embed
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time


def cpu_seconds() -> float:
    """Return the CPU time of this process, its threads and the children it waited for."""
    own, children = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def own_peak() -> int:
    """Return the peak resident KiB of this process."""
    # Not ru_maxrss where it can be helped: Linux begins it with the peak of the process that started it.
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_memory() -> int:
    """Return the peak resident bytes of this process, or of its largest child if that is more."""
    return 1024 * max(own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def serve(load, work) -> None:
    """Run one job and print its result as the last line of the output."""
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    # What the library prints must not mix with the result.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    start, cpu = time.perf_counter(), cpu_seconds()
    engine = load(job)
    loaded, loaded_cpu, loaded_memory = time.perf_counter(), cpu_seconds(), peak_memory()
    result = work(engine, job)
    end = time.perf_counter()
    untimed = result.pop("untimed", None)
    result.update(
        load_s=loaded - start,
        load_cpu_s=loaded_cpu - cpu,
        wall_s=end - loaded,
        cpu_s=cpu_seconds() - loaded_cpu,
        load_memory=loaded_memory,
        peak_memory=peak_memory(),
    )
    if untimed is not None:
        untimed()
    out.write("\n" + json.dumps(result) + "\n")
    out.flush()
    os._exit(0)  # some libraries hang or crash when they unload


def length_sorted_batches(requests: list[dict], size: int) -> list[list[int]]:
    """Return indices in batches of similar length: the best order for engines that cannot refill a batch."""
    order = sorted(range(len(requests)), key=lambda i: -requests[i]["new"])
    return [order[i : i + size] for i in range(0, len(order), size)]
