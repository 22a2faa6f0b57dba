"""What the commands print: progress on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from synthema._core import CancelToken
from synthema.reporting.numbers import duration

__all__ = ["Progress", "Terminated", "first_interrupt", "table", "terminable"]


class Progress:
    """Progress by phase: one line that updates on a terminal, a plain line now and then elsewhere.

    Call it with anything that has `phase`, `done`, `total` and `note`, or use `phase()` for work that does
    not count.
    """

    def __init__(self, stream: TextIO | None = None, every: float = 10.0):
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.every = every
        self.seconds: dict[str, float] = {}
        self._phase = ""
        self._started = self._shown = 0.0
        self._first: tuple[float, int, int] | None = None
        self._line = ""

    def __call__(self, state: Any) -> None:
        """Take a progress state of a running phase."""
        if state.phase != self._phase:
            self.phase(state.phase)
        count = (
            f"{state.done:,} of {state.total:,}" if state.total else f"{state.done:,}" if state.done else ""
        )
        now = time.monotonic()
        notes = ", ".join(part for part in (state.note, self._rates(state, now)) if part)
        text = " ".join(part for part in (count, f"({notes})" if notes else "") if part)
        if self.live or now - self._shown >= self.every:
            self._shown = now
            self._show(f"{self._phase}: {text}" if text else self._phase)

    def _rates(self, state: Any, now: float) -> str:
        """Records and tokens a second since the first state of this phase that told tokens."""
        tokens = getattr(state, "tokens", 0)
        if not tokens:
            return ""
        if self._first is None:
            self._first = (now, state.done, tokens)
        since, done, told = self._first
        if now - since < 1:
            return ""
        spent = now - since
        return f"{(state.done - done) / spent:.2g} records/s, {(tokens - told) / spent:,.0f} tokens/s"

    def phase(self, name: str) -> None:
        """Begin a phase; the one before is done."""
        self.close()
        self._phase, self._started, self._shown = name, time.monotonic(), time.monotonic()
        self._first = None
        if self.live:
            self._show(name)

    def close(self) -> None:
        """End the phase under way and print how long it took."""
        if not self._phase:
            return
        spent = time.monotonic() - self._started
        self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + spent
        self._show(f"{self._phase}: done in {duration(spent)}", last=True)
        self._phase = ""

    def tell(self, text: str) -> None:
        """Print a line of its own; the phase under way goes on below it."""
        if self.live and self._line:
            print(file=self.stream)
            self._line = ""
        print(text, file=self.stream, flush=True)

    def abandon(self) -> None:
        """Leave the line under way as it is, for an error message to follow."""
        if self._phase and self.live and self._line:
            print(file=self.stream)
        self._phase = self._line = ""

    def _show(self, text: str, last: bool = False) -> None:
        if not self.live:
            print(text, file=self.stream, flush=True)
            return
        width = shutil.get_terminal_size().columns - 1
        text = text if len(text) <= width else text[: width - 1] + "…"
        pad = " " * max(0, len(self._line) - len(text))
        print(f"\r{text}{pad}", end="\n" if last else "", file=self.stream, flush=True)
        self._line = "" if last else text


@contextlib.contextmanager
def _at_first(which: signal.Signals, usual: Any, then: Callable[[], None]) -> Iterator[None]:
    """Do this at the first signal of a kind; the second does what is usual."""
    is_main = threading.current_thread() is threading.main_thread()
    # Ignored, somebody else's, or of no concern to this thread.
    if not is_main or signal.getsignal(which) is not usual:
        yield
        return

    def first(*_: Any) -> None:
        signal.signal(which, usual)
        then()

    signal.signal(which, first)
    try:
        yield
    finally:
        signal.signal(which, usual)


def first_interrupt(cancel: CancelToken, progress: Progress) -> contextlib.AbstractContextManager[None]:
    """Let the first Ctrl-C only ask for a stop; a second one interrupts as ever."""

    def ask() -> None:
        cancel.cancel()
        progress.tell("Stopping, the best so far is kept; Ctrl-C again ends at once and keeps nothing.")

    return _at_first(signal.SIGINT, signal.default_int_handler, ask)


class Terminated(KeyboardInterrupt):
    """The system asked the process to end, as schedulers and `timeout` do."""


def terminable() -> contextlib.AbstractContextManager[None]:
    """Let the first SIGTERM end as Ctrl-C does, so that no unfinished file stays; a second ends at once."""

    def end() -> None:
        raise Terminated

    return _at_first(signal.SIGTERM, signal.SIG_DFL, end)


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Columns as wide as their widest cell; numbers are the caller's business."""
    cells = [[str(cell) for cell in row] for row in rows]
    lines = [list(head), *cells] if head else cells
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    if head:
        text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(text)
