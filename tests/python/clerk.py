"""A model for tests of the front: writes the record line of the prompt as a sentence, now and then wrongly.

It is no language model, so what is tested with it is the way from recipe to report, not the text.
"""

import re

import synthema

TAILS = ("", "", "", " No pain was seen.", " for 99 years", " and dyspnea")


class Clerk:
    """Picks an opening by the request's random stream, then states the facts of the record in its order."""

    digest = "clerk-1"
    numeric_path = "clerk"
    location = "in_process"

    def __init__(self, tails=TAILS):
        self.tails = tails
        self.asked = 0

    def complete(self, requests):
        self.asked += len(requests)
        return [self._answer(one) for one in requests]

    def _answer(self, request):
        prompt, random = request.prompt, request.random
        if prompt.choices:
            return synthema.Completion(
                random.choice(prompt.choices),
                finish="constraint",
                tokens=synthema.TokenCounts(prompt=9, masked=2, forced=5),
            )
        record = re.findall(r"Record: (.*)\.\nText:", prompt.text)[-1].split("; ")
        history = "history" in record[1]
        finding, time = (
            (record[2], record[1]) if "history" in record[1] or record[1].startswith("for") else record[1:3]
        )
        opening = prompt.text.rsplit("Text:", 1)[1]
        verb = " have had" if opening.startswith((" I", " As")) else " has had"
        said = f"{verb} {finding} {time}" if not history else f" has a {time} of {finding}"
        ending = record[3] if record[3].startswith(("which", "worse")) else ""
        text = f"{said}, {ending}{random.choice(self.tails)}."
        return synthema.Completion(text, tokens=synthema.TokenCounts(prompt=200, free=20))


def clerk(**options):
    """The clerk as a completion model."""
    return synthema.completion_model(Clerk(**options))
