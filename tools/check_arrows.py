"""Check which rooms include which; the table is that of docs/design.md. Exit 1 on a wrong arrow."""

import pathlib
import re
import sys

CORE = {"core"}
DATA = CORE | {"data"}
TEXT = DATA | {"text"}
ALLOWED = {
    "core": CORE,
    "data": DATA,
    "text": TEXT,
    "learn": DATA | {"learn", "cpu"},
    "privacy": DATA | {"privacy"},
    "prompt": TEXT | {"prompt"},
    "model": TEXT | {"prompt", "model", "cpu"},
    "torch": TEXT | {"prompt", "model", "cpu", "generate", "privacy", "torch"},
    "generate": TEXT | {"prompt", "model", "learn", "privacy", "generate"},
    "evaluate": TEXT | {"learn", "privacy", "evaluate"},
    "report": TEXT | {"learn", "privacy", "evaluate", "report"},
    "cpu": CORE | {"cpu"},
}
INCLUDE = re.compile(r'#\s*include\s*[<"]([^>"]+)[>"]')
TORCH = re.compile(r"^(torch|ATen|c10)/")
PRIVATE = re.compile(r"^(fmt|nlohmann)/")


def problems(root):
    """Yield one line for every include that goes the wrong way."""
    for base in ("include/synthema", "src", "bindings"):
        for path in sorted((root / base).rglob("*.[ch]pp")):
            parts = path.relative_to(root / base).parts
            room = parts[0] if base != "bindings" and len(parts) > 1 else None
            if room is not None and room not in ALLOWED:
                yield f"{path.relative_to(root)}: '{room}' is not a room of the design"
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line.strip())
                if not found:
                    continue
                where, name = f"{path.relative_to(root)}:{number}", found[1]
                if TORCH.match(name) and not (base == "src" and room == "torch"):
                    yield f"{where}: torch headers belong in src/torch only"
                if PRIVATE.match(name) and base == "include/synthema":
                    yield f"{where}: {name} must not be in a public header"
                target = re.match(r"(?:synthema|src)/(\w+)/", name)
                if room and target and target[1] not in ALLOWED[room]:
                    allowed = ", ".join(sorted(ALLOWED[room]))
                    yield f"{where}: '{room}' must not include '{target[1]}' (allowed: {allowed})"


if __name__ == "__main__":
    found = list(problems(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) or "all includes follow the arrows of the design")
    sys.exit(1 if found else 0)
