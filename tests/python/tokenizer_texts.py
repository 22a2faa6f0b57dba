# ruff: noqa: E501, RUF001  (the texts are odd on purpose)
"""Texts that tokenizers stumble over: scripts, emoji, white space, digits, marks, controls, random Unicode."""

import random
import sys
import unicodedata

WORDS = [
    "The",
    "patient's",
    "BP",
    "was",
    "120/80",
    "mmHg;",
    "she'll",
    "return",
    "on",
    "2024-03-05.",
    "It's",
    "I'VE",
    "we'Re",
    "don'T",
    "'S",
    "'ll",
    "'LL",
    "x'ſ",
    "naïve",
    "café",
    "Ångström",
    "ﬁne",
    "ǅ",
    "ʰ",
    "ª",
    "º",
    "ß",
    "İi",
    "ŒUVRE",
    "Ελληνικά",
    "Русский",
    "текст",
    "עברית",
    "שלום",
    "العربية",
    "١٢٣",
    "हिन्दी",
    "देवनागरी",
    "ไทย",
    "ภาษา",
    "中文字符",
    "日本語テキスト",
    "한국어",
    "텍스트",
    "ខ្មែរ",
    "ქართული",
    "አማርኛ",
    "½",
    "²",
    "Ⅷ",
    "①",
    "๑๒",
    "𝟙𝟚",
    "𝔘𝔫𝔦",
    "áè",
    "ñ",
    "👩\u200d⚕️",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳️\u200d🌈",
    "🇩🇪",
    "☤",
    "⚕️",
    "μg",
    "≤5%",
    "±2",
    "°C",
    "C++20",
    "f(x)=x^2;",
    '{"a":',
    "[1,",
    "2.5e-3]}",
    "<b>bold</b>",
    "https://x.org/?q=1&r=2",
    "snake_case",
    "camelCase",
    "ALLCAPS",
    "1234567890",
    "0x1F",
    "3.14159",
]

SPACES = [
    " ",
    "  ",
    "   ",
    "\n",
    "\n\n",
    "\r\n",
    "\r\n\r\n",
    "\t",
    " \t ",
    "\n \n",
    "  \n  ",
    "\u00a0",
    "\u2003",
    "\u2028",
]
SPACES += [
    "\u2029",
    "\u3000",
    "\x85",
    "\x0b",
    "\x0c",
    "\u200b",
    "\ufeff",
    "\u180e",
    " " * 17,
    "\n" * 9,
    "\t" * 5 + " ",
]

CURATED = [
    "", " ", "a", "'", "''", "'s", "' s", " 's", "can't've", "IT'S", "it'ſ", "1", "12", "123", "1234", "a1b22c333d4444",
    "  leading", "trailing  ", "a  1", "1  a", "  1  ", "\n1\n", "x\n\n\ny", "x \n y", "x\r\ny", "\u2029", "a\u2029b",
    "word\u2028\u2029 word", "!!!", "?!\n\n", "...\r\n...", "$ 5", "-5", "#\n#", "\x00\x01\x1f\x7f", "ﷺ", "\U0010ffff",
    "a" * 3000, "ab" * 2000, " " * 1000, "!" * 1000, "1" * 500, "é" * 500, "中" * 400, "\u0301" * 50, "👩‍⚕️" * 30,
    "مرحبا بالعالم", "Zalgo: Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
]  # fmt: skip


def is_stable(char):
    """Say whether all Unicode versions that matter here agree on the character: unassigned ones may change."""
    return unicodedata.category(char) not in ("Cs", "Cn")


def random_text(rng, length):
    """Return characters from all over Unicode, common blocks more often."""
    out = []
    while len(out) < length:
        top = rng.choice([0x80, 0x250, 0x3000, 0x10000, sys.maxunicode + 1])
        char = chr(rng.randrange(top))
        if is_stable(char):
            out.append(char)
    return "".join(out)


def mixed_text(rng):
    """Return words with all sorts of white space between them."""
    return "".join(rng.choice(WORDS) + rng.choice(["", *SPACES]) for _ in range(rng.randrange(1, 12)))


def texts(count=2200, seed=7):
    """Return at least `count` texts, the same for the same seed."""
    rng = random.Random(seed)
    out = [*CURATED, *WORDS, *SPACES, *(f"a{s}b" for s in SPACES), *(f"a{s}{s}1" for s in SPACES)]
    while len(out) < count:
        out.append(mixed_text(rng) if rng.random() < 0.6 else random_text(rng, rng.randrange(1, 24)))
    return out
