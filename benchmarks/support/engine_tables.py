"""What benchmarks/engine.py prints and writes: a table a job, ratios, the roofline, where the time went."""

from __future__ import annotations

import machine
from engine_jobs import Job


def variant_text(variant: dict) -> str:
    named = {"library": "", "format": "", "compute_type": "", "mode": "", "dtype": "", "backend": ""}
    return ", ".join(f"{v}" if k in named else f"{k} {v}" for k, v in variant.items())


def table(job: Job, rows: list[dict], peaks: dict | None, config: dict) -> str:
    """Return a job's table: systems by speed, our ratio to the best peer, and the roofline."""
    lines = [f"\n### {job.name}: {job.unit}\n"]
    head = "system|median|best|runs|CPU ms per item|peak MiB|load s|notes"
    lines += ["| " + head.replace("|", " | ") + " |", "|" + "---|" * len(head.split("|"))]
    good = sorted((r for r in rows if r["value"]), key=lambda r: -r["value"])
    for r in good:
        notes = [variant_text(r["variant"])]
        notes += ["short form only"] if r["short"] else []
        notes += [f"perplexity {r['perplexity']:.2f}"] if "perplexity" in r else []
        notes += [f"{100 * r['valid']:.0f} % valid"] if "valid" in r else []
        notes += [f"sampled {r['sampled_s']:.1f}/s"] if r.get("sampled_s", 0) != r.get("emitted_s", 0) else []
        if "valid" not in r and r.get("asked") != r.get("emitted") and "asked" in r:
            notes.append(f"made {r['emitted']} of {r['asked']} tokens" if not r["short"] else "")
        notes += [r["note"]] if r["note"] else []
        notes += [f"cosine to {r['cosine'][0]} at least {r['cosine'][1]:.5f}"] if "cosine" in r else []
        said = "; ".join(n for n in notes if n)
        lines.append(
            f"| {r['system']} | {r['value']:.1f} | {r['best']:.1f} | {len(r['runs'])} "
            f"| {r['cpu_ms_per_item']:.2f} | {r['peak_mib']:.0f} | {r['load_s']:.1f} | {said} |"
        )
    for r in rows:
        if not r["value"]:
            lines.append(f"| {r['system']} | - | | | | | | {r['failure'].replace('|', '/')} |")
    peers = [r for r in good if not r["ours"]]
    for r in (r for r in good if r["ours"]):
        if peers:
            ratio = r["value"] / peers[0]["value"]
            by_cpu = peers[0]["cpu_ms_per_item"] / r["cpu_ms_per_item"]
            best = peers[0]["system"]
            lines.append(f"\n{r['system']} / best peer ({best}): **{ratio:.2f}** (by CPU time {by_cpu:.2f})")
        if peaks and job.kind != "embed":
            lines.append(roofline(job, r, peaks, machine.Work(config)))
        if r.get("parts"):
            spent = time_by_part(r["parts"], r["wall_s"] * job.full["threads"])
            lines.append(f"{r['system']}, time of the cores: {spent}")
    return "\n".join(lines)


def time_by_part(parts: dict, seconds: float) -> str:
    """Return the shares of `seconds` of all cores that each part took, the largest first."""
    parts = parts | {"engine and idle": max(0.0, seconds - sum(parts.values()))}
    order = sorted(parts, key=parts.get, reverse=True)
    return ", ".join(f"{part} {100 * parts[part] / seconds:.0f} %" for part in order)


def roofline(job: Job, row: dict, peaks: dict, work: machine.Work) -> str:
    if job.kind == "score":
        operations = work.score(job.full["text_ids"])
    else:
        operations = work.generate(job.full["requests"], job.full["prefix"], row["tokens"])
    int8 = "int8" in row["system"]
    peak, name = (peaks["int8_gops"], "int8") if int8 else (peaks["fp32_gflops"], "fp32")
    rate = operations / row["wall_s"] / 1e9
    share = 100 * rate / peak
    text = f"{row['system']}: {rate:.0f} Gop/s, {share:.0f} % of the measured {name} peak of {peak:.0f}"
    if job.kind == "single":
        each = 0.625 if int8 else 4  # bytes: Q4_1, as the shipped model and the shapes are coded
        read = (work.body + work.head) * each * row["value"] / 1e9
        most = peaks["read_gb_s"]
        text += f"; {read:.1f} GB/s of weights, {100 * read / most:.0f} % of the measured {most:.1f}"
    return text


def compare_vectors(rows: list[dict]) -> None:
    """Add to every embedding row its smallest cosine to the first peer's vectors, and drop the vectors."""
    import numpy as np

    reference = next((r for r in rows if "vectors" in r and not r["ours"]), None)
    expected = np.array(reference["vectors"]) if reference else None
    for row in rows:
        vectors = row.pop("vectors", None)
        if expected is not None and vectors is not None:
            got = np.array(vectors)
            lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
            row["cosine"] = (reference["system"], float(((got * expected).sum(1) / lengths).min()))


def memory_rows(rows: list[dict]) -> list[dict]:
    """Return peak memory and loading time of every measured system as figures of their own."""
    out = []
    for row in rows:
        if row["value"]:
            for name, key, unit in (("peak memory", "peak_mib", "MiB"), ("load time", "load_s", "s")):
                out.append(
                    {
                        "job": f"{row['job']}: {name}",
                        "system": row["system"],
                        "value": row[key],
                        "unit": unit,
                        "better": "lower",
                    }
                )
    return out
