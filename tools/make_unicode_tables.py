"""Write src/model/unicode_tables.inc (letters, numbers) and src/text/nfc_tables.inc of one pinned Unicode.

The version is that of the regular expressions in Hugging Face's `tokenizers` (Oniguruma, Unicode 16), because
the split rules of byte-level tokenizers are defined by them. Python's own tables are older or newer depending
on the interpreter, so the data come from the package of that version:
``pip install unicodedata2==16.0.0``.
"""

import pathlib
import sys

PINNED = "16.0.0"
OUTPUT = pathlib.Path(__file__).parent.parent / "src" / "model" / "unicode_tables.inc"
NORMALISATION = OUTPUT.parent.with_name("text") / "nfc_tables.inc"


def ranges(category, first_letter):
    """Yield (first, last) of each run of code points whose general category starts with the letter."""
    start = None
    for point in range(0x110001):
        inside = point < 0x110000 and category(chr(point)).startswith(first_letter)
        if inside and start is None:
            start = point
        elif not inside and start is not None:
            yield start, point - 1
            start = None


def table(name, pairs):
    """Return a C++ array of ranges, several to a line."""
    cells = [f"{{0x{a:X}, 0x{b:X}}}" for a, b in pairs]
    lines = [", ".join(cells[i : i + 6]) for i in range(0, len(cells), 6)]
    body = ",\n    ".join(lines)
    return f"constexpr Range {name}[] = {{\n    {body}}};\n"


def classes(combining):
    """Yield (first, last, class) of each run of code points with one combining class other than zero."""
    start, last = None, 0
    for point in range(0x110001):
        now = combining(chr(point)) if point < 0x110000 else 0
        if now != last:
            if last:
                yield start, point - 1, last
            start, last = point, now


def decompositions(source):
    """Yield (point, first, second, composes) of canonical decompositions but Hangul's; second may be 0."""
    for point in range(0x110000):
        text = source.decomposition(chr(point))
        if text and not text.startswith("<"):
            first, second = ([int(part, 16) for part in text.split()] + [0])[:2]
            pair = chr(first) + (chr(second) if second else "")
            yield point, first, second, int(source.normalize("NFC", pair) == chr(point))


def rows(kind, name, values):
    """Return a C++ array of numbers, several to a line."""
    cells = ["{" + ", ".join(f"0x{v:X}" for v in value) + "}" for value in values]
    lines = [", ".join(cells[i : i + 4]) for i in range(0, len(cells), 4)]
    body = ",\n    ".join(lines)
    return f"constexpr {kind} {name}[] = {{\n    {body}}};\n"


def main():
    try:
        import unicodedata2 as source
    except ImportError:
        import unicodedata as source
    if source.unidata_version != PINNED:
        sys.exit(
            f"Unicode {PINNED} is wanted, not {source.unidata_version}: pip install unicodedata2=={PINNED}"
        )
    head = f"// Unicode {PINNED}, made by tools/make_unicode_tables.py.\n"
    OUTPUT.write_text(
        head
        + table("kLetters", ranges(source.category, "L"))
        + table("kNumbers", ranges(source.category, "N"))
    )
    NORMALISATION.write_text(
        head
        + rows("Combining", "kCombining", classes(source.combining))
        + rows("Decomposition", "kDecompositions", decompositions(source))
    )


if __name__ == "__main__":
    main()
