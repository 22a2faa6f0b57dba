"""A constraint in Python: an even number of one to three digits, in any model's tokens."""

import synthema


class EvenNumber:
    """Allows the tokens that are digits, as long as the number can still become even."""

    digest = "even number of 1 to 3 digits, 1"

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.vocabulary_size = tokenizer.vocabulary_size
        self.digits = {}  # id -> text, of the tokens that are digits
        for id in range(self.vocabulary_size):
            token = tokenizer.token_bytes(id)
            if token.isdigit():
                self.digits[id] = token.decode()
        self.written = []  # the text of each accepted token

    def fits(self, text):
        """Whether `text` is such a number or the beginning of one."""
        return len(text) < 3 or (len(text) == 3 and int(text) % 2 == 0)

    def fill_mask(self, mask):
        """Set the ids that may come next."""
        before = "".join(self.written)
        for id, digits in self.digits.items():
            mask[id] = self.fits(before + digits)

    def accept(self, id):
        """Move on by a token."""
        digits = self.digits.get(id)
        if digits is None or not self.fits("".join(self.written) + digits):
            return False
        self.written.append(digits)
        return True

    def rollback(self, n):
        """Undo the last n tokens."""
        del self.written[len(self.written) - n :]

    def is_complete(self):
        """Whether the number is even."""
        text = "".join(self.written)
        return bool(text) and int(text) % 2 == 0

    def reset(self):
        """Go back to the beginning."""
        self.written.clear()

    def copy(self):
        """Give another one at the same place."""
        other = object.__new__(EvenNumber)
        other.__dict__.update(self.__dict__, written=list(self.written))
        return other


def prompt(tokenizer):
    """Ask for a dose that is an even number."""
    return synthema.Prompt.plain("Paracetamol, dose in mg: ").under(EvenNumber(tokenizer))
