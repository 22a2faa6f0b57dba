"""A strategy: one question, then a second one about its answer."""

import synthema
from synthema import Prompt


@synthema.strategy
def paraphrase(task, rng):
    """Write a sentence about the topic, then say it in other words."""
    tone = rng.choice(["plain", "worried"])
    plain = yield Prompt.user(f"One {tone} sentence of a patient about {task['topic']}.")
    other = yield Prompt.user(f"Say this in other words: {plain.text}")
    return {"topic": task["topic"], "tone": tone, "text": plain.text, "paraphrase": other.text}
