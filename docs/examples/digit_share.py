"""A metric: the share of texts that hold a digit."""

import synthema


@synthema.evaluator(direction="none", range=(0, 1))
def digit_share(real, synthetic, context):
    """Texts with one of 0-9 / texts. Undefined where there is no text."""
    texts = [text for text in synthetic.values(context.text_column) if text]
    if not texts:
        return {"undefined": "There are no texts."}
    found = sum(any("0" <= c <= "9" for c in text) for text in texts)
    return {
        "value": found / len(texts),
        "n": len(texts),
        "estimand": "Share of texts that hold a digit.",
        "definition": "texts with one of 0-9 / texts",
        "no_interval": "An example keeps to the value.",
    }
