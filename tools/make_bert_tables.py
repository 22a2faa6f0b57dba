"""Write src/model/bert_tables.inc: what BERT's normalizer and pre-tokenizer do to each code point.

Hugging Face's `tokenizers` is the reference, and its tables come from several versions of Unicode
(categories of version 8, decompositions of 12, lower case of its compiler's). So the reference itself is
asked about every code point, and our tables are its answers: ``pip install tokenizers==0.23.3``.
"""

import pathlib
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

OUTPUT = pathlib.Path(__file__).parent.parent / "src" / "model" / "bert_tables.inc"
MARK = "|"  # stands between code points; nothing decomposes to it
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c != ord(MARK)]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
STEP = 2048


def bert(**wanted):
    """Return a BertNormalizer that does only what is named."""
    steps = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return normalizers.BertNormalizer(**{step: wanted.get(step, False) for step in steps})


def changed(normalizer):
    """Return what a normalizer makes of each code point that it changes."""
    found = {}
    for begin in range(0, len(POINTS), STEP):
        some = POINTS[begin : begin + STEP]
        text = MARK + MARK.join(map(chr, some)) + MARK
        results = normalizer.normalize_str(text)[1:-1].split(MARK)
        found.update((c, t) for c, t in zip(some, results, strict=True) if t != chr(c))
    return found


def punctuation():
    """Return the code points that the pre-tokenizer makes words of their own."""
    pre, found = pre_tokenizers.BertPreTokenizer(), [ord(MARK)]
    for begin in range(0, len(POINTS), STEP):
        some = POINTS[begin : begin + STEP]
        words = pre.pre_tokenize_str(" ".join(f"a{chr(c)}b" for c in some))
        alone = {start for _, (start, end) in words if end == start + 1}
        found.extend(c for i, c in enumerate(some) if 4 * i + 1 in alone)
    return sorted(found)


def combining_classes():
    """Return (first, last, class) of the marks that the reference moves."""
    nfd, runs = normalizers.NFD(), []
    for c in POINTS:
        order = unicodedata.combining(chr(c))
        higher = "\u0345" if order < 240 else "\u0334"  # classes 240 and 1
        pair = higher + chr(c) if order < 240 else chr(c) + higher
        if order == 0 or nfd.normalize_str(pair) == pair:
            continue
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == order:
            runs[-1][1] = c
        else:
            runs.append([c, c, order])
    return runs


def ranges(points):
    """Return (first, last) of each run of neighbours."""
    runs = []
    for c in sorted(points):
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return runs


def table(kind, name, rows, per_line):
    """Return a C++ array."""
    cells = ["{" + ", ".join(f"0x{x:X}" for x in row) + "}" for row in rows]
    lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    body = ",\n    ".join(lines)
    return f"constexpr {kind} {name}[] = {{\n    {body}}};\n"


def main():
    clean = changed(bert(clean_text=True))
    lower = changed(bert(lowercase=True))
    accents = changed(bert(strip_accents=True))
    decomposed = changed(normalizers.NFD())
    apart = [(c, *map(ord, text)) for c, text in decomposed.items() if c not in HANGUL]
    single = [(c, ord(text)) for c, text in lower.items() if len(text) == 1]
    assert max(map(len, apart)) <= 5
    assert {c: t for c, t in lower.items() if len(t) != 1} == {0x130: "i\u0307"}  # written out in the code
    OUTPUT.write_text(
        f"// The answers of tokenizers {tokenizers.__version__}, by tools/make_bert_tables.py.\n"
        + table("Range", "kRemoved", ranges(c for c, t in clean.items() if t == ""), 6)
        + table("Range", "kAccents", ranges(c for c, t in accents.items() if t == ""), 6)
        + table("Range", "kChinese", ranges(changed(bert(handle_chinese_chars=True))), 6)
        + table("Range", "kPunctuation", ranges(punctuation()), 6)
        + table("CombiningClass", "kCombiningClasses", combining_classes(), 4)
        + table("Lower", "kLower", single, 6)
        + table("Decomposition", "kDecompositions", apart, 4)
    )


if __name__ == "__main__":
    main()
