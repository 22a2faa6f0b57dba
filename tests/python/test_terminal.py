"""Progress: one line on a terminal, plain lines elsewhere."""

from synthema import terminal


class State:
    """A progress state as the driver sends it."""

    def __init__(self, phase, done, total, note=""):
        self.phase, self.done, self.total, self.note = phase, done, total, note


class Stream:
    """A stream that may say it is a terminal."""

    def __init__(self, tty):
        self.tty, self.text = tty, ""

    def isatty(self):
        return self.tty

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_updates_one_line_on_a_terminal():
    stream = Stream(True)
    progress = terminal.Progress(stream)
    progress(State("rows", 1, 40))
    progress(State("rows", 2, 40, "3 drafts"))
    progress.close()
    assert stream.text.count("\n") == 1
    assert "\rrows: 2 of 40 (3 drafts)" in stream.text


def test_progress_tells_records_and_tokens_a_second(monkeypatch):
    clock = iter([0, 0, 10, 20, 20, 20])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    stream = Stream(True)
    progress = terminal.Progress(stream)
    for done, tokens in ((10, 500), (15, 2_500)):
        state = State("rows", done, 40, "acceptance 0.50")
        state.tokens = tokens
        progress(state)
    assert stream.text.rstrip().endswith("rows: 15 of 40 (acceptance 0.50, 0.5 records/s, 200 tokens/s)")


def test_progress_is_plain_lines_elsewhere():
    stream = Stream(False)
    progress = terminal.Progress(stream)
    for i in range(100):
        progress(State("rows", i, 100))
    progress.phase("report")
    progress.close()
    assert "\r" not in stream.text
    assert [line.split(":")[0] for line in stream.text.splitlines()] == ["rows", "report"]
    assert set(progress.seconds) == {"rows", "report"}
