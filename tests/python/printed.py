"""What a command printed."""


def lines(capsys):
    """(stdout, stderr) of what ran."""
    said = capsys.readouterr()
    return said.out, said.err
