"""Free grammars by way of xgrammar, which is not a dependency: ``pip install xgrammar`` beside synthema.

The forms of a prompt (``among``, ``matching``, ``json``) need none of this. A grammar that nests without end,
such as formulas in brackets, does:

>>> from synthema.xgrammar import GrammarConstraint  # doctest: +SKIP
>>> tokenizer = synthema.Tokenizer(synthema.ModelFile(path))  # doctest: +SKIP
>>> formula = GrammarConstraint(tokenizer, 'root ::= "(" root ")" | [0-9]+')  # doctest: +SKIP
>>> prompt = synthema.Prompt.plain("A formula: ").under(formula)  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy

from synthema import _core

__all__ = ["GrammarConstraint"]


def _vocabulary(tokenizer: _core.Tokenizer, xgrammar: Any) -> Any:
    """All tokens by their bytes; control tokens have none and are never allowed."""
    size = tokenizer.vocabulary_size
    return xgrammar.TokenizerInfo(
        [tokenizer.token_bytes(id) for id in range(size)],
        vocab_type=xgrammar.VocabType.RAW,
        vocab_size=size,
        stop_token_ids=list(tokenizer.end_ids),
    )


class GrammarConstraint:
    """A context-free grammar as a `synthema.TokenConstraint`.

    Parameters
    ----------
    tokenizer : Tokenizer
        Of the model that is asked: ``synthema.Tokenizer(synthema.ModelFile(path))``.
    grammar : str
        In the EBNF of GBNF, as xgrammar reads it; it begins with the rule ``root``.

    Raises
    ------
    ImportError
        xgrammar is not installed.
    ConfigError
        xgrammar does not accept the grammar.
    """

    def __init__(self, tokenizer: _core.Tokenizer, grammar: str) -> None:
        try:
            import xgrammar
        except ImportError as error:
            raise ImportError(
                "A grammar needs the package xgrammar, which is not installed; install it, or use the forms "
                "of a prompt (among, matching, json), which need nothing."
            ) from error
        try:
            compiled = xgrammar.GrammarCompiler(
                _vocabulary(tokenizer, xgrammar), max_threads=1
            ).compile_grammar(grammar)
        except RuntimeError as error:
            raise _core.ConfigError(f"xgrammar does not accept the grammar: {error}") from error
        version = getattr(xgrammar, "__version__", "")
        self.digest = "xgrammar " + version + " " + hashlib.sha256(grammar.encode()).hexdigest()
        self.vocabulary_size = tokenizer.vocabulary_size
        self._ends = list(tokenizer.end_ids)
        self._matcher = xgrammar.GrammarMatcher(compiled)
        self._bits = numpy.zeros((1, -(-self.vocabulary_size // 32)), dtype=numpy.int32)

    def fill_mask(self, mask: numpy.ndarray) -> None:
        """Set the ids that the grammar allows next."""
        if self._matcher.is_terminated():
            return
        self._matcher.fill_next_token_bitmask(self._bits)
        bits = numpy.unpackbits(self._bits.view(numpy.uint8), bitorder="little")
        mask[:] = bits[0, : self.vocabulary_size] if bits.ndim == 2 else bits[: self.vocabulary_size]
        mask[self._ends] = False

    def accept(self, id: int) -> bool:
        """Move on by a token; False, and no change, if the grammar does not allow it."""
        return id not in self._ends and self._matcher.accept_token(id)

    def rollback(self, n: int) -> None:
        """Undo the last n accepted tokens."""
        self._matcher.rollback(n)

    def is_complete(self) -> bool:
        """Whether the text so far is one of the grammar."""
        return self._matcher.is_completed()

    def reset(self) -> None:
        """Go back to the beginning."""
        self._matcher.reset()

    def copy(self) -> GrammarConstraint:
        """Give another constraint at the same place, which changes on its own."""
        other = object.__new__(GrammarConstraint)
        other.__dict__.update(self.__dict__, _matcher=self._matcher.fork(), _bits=self._bits.copy())
        return other
