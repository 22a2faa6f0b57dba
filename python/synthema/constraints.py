"""What a constraint written in Python is: the ids that may come next, one answer at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy

__all__ = ["TokenConstraint"]


class TokenConstraint(Protocol):
    """Which tokens may come next in one answer; ``Prompt.under(constraint)`` keeps an answer to it.

    Any object with these members is one; there is nothing to derive from. A prompt holds it as a prototype:
    every answer begins with a copy of it, reset. It must be pure: equal calls give equal answers, without
    randomness or a clock. ``synthema.check_constraint`` tries all this.

    Its cost is that of Python: per drawn token one call of ``fill_mask``, ``is_complete`` and ``accept`` each
    under the interpreter's lock, on the thread that steps all answers, and a pass over the mask; some 50
    microseconds for 50,000 tokens beside what the methods do themselves. The forms of a prompt (``among``,
    ``matching``, ``json``) cost about 1.

    Attributes
    ----------
    digest : str
        Names what it allows: constraints with the same digest allow the same answers. It becomes part of the
        digest of every row.
    vocabulary_size : int
        Length of the masks; at most that of the model's tokenizer.
    """

    digest: str
    vocabulary_size: int

    def fill_mask(self, mask: numpy.ndarray) -> None:
        """Set the ids that may come next in an array of bool that is all False.

        End-of-text tokens are not among them: the engine offers them where the answer is complete. Where
        nothing can follow, the mask stays empty and ``is_complete()`` is true.
        """

    def accept(self, id: int) -> bool:
        """Move on by a token; False, and no change, if it may not come."""

    def rollback(self, n: int) -> None:
        """Undo the last n accepted tokens."""

    def is_complete(self) -> bool:
        """Whether the text so far is a whole answer."""

    def reset(self) -> None:
        """Go back to the beginning."""

    def copy(self) -> TokenConstraint:
        """Give another constraint at the same place, which changes on its own."""
