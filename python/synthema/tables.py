"""Tables in and out: frames of other libraries, files by their suffix, and how a table shows itself."""

from __future__ import annotations

import difflib
import gzip
import html as _html
import os
import pathlib
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthema._core import ConfigError, Field, ParseError, Schema, SchemaError, Table
from synthema.arguments import checked, kind_of
from synthema.callers import warn
from synthema.column_kinds import restated
from synthema.files import whole_file

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["read", "table", "write"]

_SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
_SHOWN_ROWS = 10
_SHOWN_CHARACTERS = 120


@checked
def table(
    frame: Any,
    schema: Schema | None = None,
    *,
    nan_as_missing: bool = False,
    roles: Mapping[str, str | Sequence[str]] | None = None,
) -> Table:
    """Make a table of whatever holds rows and columns.

    Parameters
    ----------
    frame : Table, frame, dict of columns or list of dicts
        A frame is anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``: pandas (2.2 or later),
        polars, pyarrow, DuckDB. A dict maps column names to lists or arrays; a list holds one dict a row.
        Times without a zone stay without one.
    schema : Schema, optional
        What the columns mean. Without one the kinds follow from the column types.
    nan_as_missing : bool
        Whether NaN in polars, numpy or plain floats means missing. It is refused otherwise. (pandas itself
        hands its NaN over as missing.)
    roles : dict, optional
        Roles of some columns beside those of the schema, as in ``{"patient": "subject"}``: "identifier",
        "subject", "label", "time", "target" or "sensitive", or a list of them.

    Returns
    -------
    Table
        Null-free int64, float64 and microsecond columns of one chunk share the frame's memory.

    Raises
    ------
    SchemaError
        If a column holds what a table cannot, with its name; if there is no such role, or no such column.
    ConfigError
        If it is none of these, or an argument has another type than it should.

    Notes
    -----
    The unnamed row index of a pandas frame is not a column and is left out.

    Examples
    --------
    >>> table({"age": [63, 41], "sex": ["f", "m"]}).names
    ['age', 'sex']
    """
    if roles:
        return with_roles(table(frame, schema, nan_as_missing=nan_as_missing), roles)
    if isinstance(frame, Table):
        return frame if schema is None else Table.from_arrow(frame, schema, nan_as_missing=nan_as_missing)
    if isinstance(frame, Mapping):
        return _from_rows(_rows_of(frame), schema, nan_as_missing, list(frame))
    if isinstance(frame, Sequence) and not isinstance(frame, (str, bytes)):
        return _from_rows(frame, schema, nan_as_missing)
    if hasattr(frame, "collect") and not hasattr(frame, "__arrow_c_stream__"):
        raise ConfigError(
            f"A frame that is {kind_of(frame)} is not computed yet; pass what .collect() gives."
        )
    _refuse_twins(frame)
    if not any(hasattr(frame, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "columns")):
        hint = "; read a file with synthema.read(path)" if isinstance(frame, str | os.PathLike) else ""
        raise ConfigError(
            "A table is a Table, a frame (pandas, polars, pyarrow, DuckDB or another with "
            f"__arrow_c_stream__), a dict of columns or a list of dicts, not {kind_of(frame)}{hint}."
        )
    return Table.from_arrow(_exporter(frame), schema, nan_as_missing=nan_as_missing)


def with_roles(rows: Table, roles: Mapping[str, str | Sequence[str]]) -> Table:
    """Return the rows with more roles of some columns."""
    for name in roles:
        if name not in rows:
            raise SchemaError(no_such_column(name, rows.names))

    def restate(field: dict[str, Any]) -> None:
        given = roles[field["name"]]
        more = [given] if isinstance(given, str) else given
        field["roles"] = list(dict.fromkeys([*field.get("roles", []), *more]))

    try:
        return restated(rows, restate, roles)
    except ParseError as error:  # there is no such role
        raise SchemaError(str(error)) from None


def no_such_column(name: str, names: Sequence[str]) -> str:
    """Say that a column is not there, and which are written alike.

    The others are not listed: of a file without a header line they would be the values of somebody.
    """
    alike = difflib.get_close_matches(name, names, n=3)
    hint = (
        "did you mean " + " or ".join(f"'{one}'" for one in alike) + "?"
        if alike
        else "are the names in the first line?"
    )
    return f"There is no column '{name}' among the {len(names)} columns; {hint}"


def _refuse_twins(frame: Any) -> None:
    """Name a column of a pandas frame that is there twice; pyarrow refuses it with an error of its own."""
    columns = getattr(frame, "columns", None)
    if columns is None or getattr(columns, "is_unique", True):
        return
    twice = next(name for name in columns if list(columns).count(name) > 1)
    raise SchemaError(f"field '{twice}': The frame has two columns of this name; rename one of them.")


@checked
def read(
    path: str | os.PathLike[str],
    schema: Schema | None = None,
    *,
    delimiter: str = ",",
    decimal: str = ".",
    dates: str = "ymd",
    missing: Sequence[str] = ("",),
    trim: bool = False,
    header: Sequence[str] = (),
    roles: Mapping[str, str | Sequence[str]] | None = None,
) -> Table:
    """Read a table from a file; its suffix names the format.

    Parameters
    ----------
    path : path
        Ends in .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet (which needs pyarrow).
    schema : Schema, optional
        What the columns mean. Without one it is inferred, or read from the Parquet file if
        `write` left it there.
    delimiter, missing, trim, header
        For CSV: the separator (one character), the unquoted texts that mean "no value", whether to drop
        blanks around unquoted fields, and the column names of a file without a header line.
    decimal : {".", ","}
        For CSV: what stands before the decimals of a number. With "," a point is no part of a number.
    dates : {"ymd", "dmy", "mdy"}
        For CSV: how dates are written, "dmy" for 31.10.1959 or 31/10/1959 (the year has four digits; a time
        may follow). Dates with the year first are read besides.
    roles : dict, optional
        Roles of some columns, as for `table`.

    Raises
    ------
    ParseError
        If the text is broken, with file, line, column and field.
    SchemaError
        If the contents do not fit the schema.
    ConfigError
        If the delimiter is not one ASCII character, or one that CSV needs itself; if `decimal` or `dates` is
        none of these.
    """
    form = {"delimiter": delimiter, "decimal": decimal, "dates": dates}
    if roles:
        return with_roles(read(path, schema, **form, missing=missing, trim=trim, header=header), roles)
    path = pathlib.Path(path)
    if path.is_dir():
        raise ParseError(f"{path}: This is a folder; name a file in it that holds a table.")
    suffix = suffix_of(path)
    if suffix == ".parquet":
        found = Table.from_arrow(_read_parquet(path), schema)
        if schema is None:
            warn_of_spellings(found)
        return found
    text = path.read_bytes()
    if suffix.endswith(".gz"):
        text = _unpacked(text, path)
    if suffix.startswith(".jsonl"):
        return Table.from_jsonl(text, schema=schema, file=str(path))
    found = Table.from_csv(
        text,
        **csv_form(**form),
        missing=list(missing),
        trim=trim,
        header=list(header),
        schema=schema,
        file=str(path),
    )
    if schema is None:
        if not header:
            _warn_of_names(found, path)
        warn_of_spellings(found)
    return found


_VALUE = r"[+-]?[0-9]+([.,][0-9]+)?|[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}.*"


def _warn_of_names(rows: Table, path: str | os.PathLike[str]) -> None:
    """Warn of a first line that looks like values; which ones is not told, they may be somebody's."""
    values = sum(re.fullmatch(_VALUE, name) is not None for name in rows.names)
    if 3 * values >= len(rows.names):
        warn(
            f"{os.fspath(path)}: {values} of the {len(rows.names)} names of columns are numbers or dates. If "
            "the first line holds values, write a line of names before it."
        )


# What a column of texts may hold that is no text, as other countries write it.
_SPELLINGS = {
    r"[+-]?[0-9]{1,3}(,[0-9]{3})+": "numbers whose thousands are set apart by commas; write them without",
    r"[+-]?[0-9.]*[0-9],[0-9]+": "numbers with a decimal comma; read the file with decimal=',' (on the "
    "command line --decimal ,), without points between thousands, or write them as in 1.5",
    r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}.*": "dates; read the file with dates='dmy' or 'mdy' (on the "
    "command line --dates dmy), or write them as in 1959-10-31",
    # In files of text these are times already.
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?": "dates; convert them, or give a schema that says it is a time",
}
_LOOKED_AT = 200  # rows


def warn_of_spellings(rows: Table) -> None:
    """Warn of numbers and dates that were read as texts, because they are written otherwise."""
    head = rows.head(_LOOKED_AT)
    for field in rows.schema.fields:
        if field.kind not in ("text", "category"):
            continue
        texts = [text for text in head.values(field.name) if text is not None]
        others = [text for text in texts if not re.fullmatch(r"[+-]?[0-9]+", text)]
        for pattern, what in _SPELLINGS.items():
            if others and all(re.fullmatch(pattern, text) for text in others):
                warn(f"The column '{field.name}' was read as text and seems to hold {what}.")
                break


@checked
def write(
    data: Any, path: str | os.PathLike[str], *, delimiter: str = ",", missing: str = "", decimal: str = "."
) -> pathlib.Path:
    """Write a table to a file; its suffix names the format, as in `read`. Equal tables give equal text.

    Parameters
    ----------
    data : Table or anything that `table` accepts
        What to write. CSV and JSONL keep values, not the schema; Parquet keeps both.
    path : path
        Ends in .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet (needs pyarrow). Replaced when complete,
        through links.
    delimiter, missing, decimal
        For CSV: the separator, the text that stands for "no value", and "." or "," before decimals. Dates are
        written as in 1959-10-31.
    """
    path = pathlib.Path(path)
    suffix = suffix_of(path)
    data = table(data)
    if suffix == ".parquet":
        pyarrow = _pyarrow("parquet")
        with whole_file(path, "table") as unfinished:
            pyarrow.parquet.write_table(pyarrow.table(data), unfinished)
        return path
    text = (
        data.to_jsonl()
        if ".jsonl" in suffix
        else data.to_csv(
            delimiter=_one_character(delimiter), missing=missing, decimal=_one_character(decimal, "decimal")
        )
    )
    with whole_file(path, "table") as unfinished:
        unfinished.write_bytes(gzip.compress(text, mtime=0) if suffix.endswith(".gz") else text)
    return path


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a UTF-8 text file; ConfigError where it cannot be read, ParseError where it is not UTF-8."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8-sig")  # some editors begin files with a mark
    except OSError as error:
        raise ConfigError(f"{path}: The file could not be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ParseError(f"{path}: The file is not UTF-8 (byte {error.start}).") from None


@checked
def read_schema(path: str | os.PathLike[str]) -> Schema:
    """Read a schema from a file in its JSON form."""
    return Schema.from_json(read_text(path), os.fspath(path))


def to_arrow(data: Table) -> pyarrow.Table:
    """Make a pyarrow table that shares memory with ours; the schema is in its metadata."""
    return _pyarrow().table(data)


def to_pandas(data: Table) -> pandas.DataFrame:
    """Make a pandas frame: integers and booleans with missing values become its nullable types."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("A pandas frame needs the package pandas: pip install pandas pyarrow.") from error
    arrow = to_arrow(data)
    nullable = {"integer": pandas.Int64Dtype(), "boolean": pandas.BooleanDtype()}
    frame = arrow.to_pandas(strings_to_categorical=False)
    for field in data.schema.fields:
        if field.kind in nullable and data.null_count(field.name):
            frame[field.name] = pandas.array(data.values(field.name), dtype=nullable[field.kind])
    return frame


def to_polars(data: Table) -> polars.DataFrame:
    """Make a polars frame."""
    try:
        import polars
    except ImportError as error:
        raise ImportError("A polars frame needs the package polars: pip install polars.") from error
    return polars.DataFrame(data)


def html(data: Table) -> str:
    """Show the first rows as an HTML table: kinds under the names, long texts cut, missing values marked."""
    from synthema.reporting.numbers import counted

    look = 'style="text-align:left;vertical-align:top;padding:3px 16px 3px 0"'  # notebooks align to the right
    head = "".join(
        f"<th {look}>{_html.escape(f.name)}<br>"
        f'<small style="font-weight:normal">{_html.escape(" ".join([f.kind, *f.roles]))}</small></th>'
        for f in data.schema.fields
    )
    rows = "".join(
        "<tr>" + "".join(f"<td {look}>{_cell(value)}</td>" for value in row.values()) + "</tr>"
        for row in data.head(_SHOWN_ROWS).records()
    )
    shown = min(len(data), _SHOWN_ROWS)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>{counted(len(data), 'row')}, {counted(len(data.schema), 'column')}; {shown} shown</p>"
    )


def _cell(value: Any) -> str:
    if value is None:
        return "<em>missing</em>"
    text = str(value)
    return _html.escape(text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…")


def csv_form(*, delimiter: str = ",", decimal: str = ".", dates: str = "ymd") -> dict[str, Any]:
    """Return how a CSV file is written, as the core takes it."""
    return {
        "delimiter": _one_character(delimiter),
        "decimal": _one_character(decimal, "decimal"),
        "dates": dates,
    }


def _one_character(given: str, what: str = "delimiter") -> str:
    if len(given) != 1 or not given.isascii():
        such = {"delimiter": "';'", "decimal": "','"}[what]
        raise ConfigError(f"The {what} must be one ASCII character, such as {such}, not {given!r}.")
    return given


def suffix_of(path: str | os.PathLike[str]) -> str:
    """Return the part of a file name that says the format; SchemaError where none does."""
    path = pathlib.Path(path)
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return suffix
    raise SchemaError(
        f"The file name '{path.name}' does not say the format; it must end in {', '.join(_SUFFIXES)}."
    )


def _read_parquet(path: pathlib.Path) -> Any:
    pyarrow = _pyarrow("parquet")
    # A file of Python's would be let go by a thread of Arrow's, which kills a process that ends.
    with path.open("rb"), pyarrow.OSFile(os.fspath(path)) as file:
        try:
            return pyarrow.parquet.read_table(file)
        except (pyarrow.ArrowException, OSError):  # what they say may quote a value
            raise ParseError(f"{path}: The file is broken or is no Parquet file.") from None


def _unpacked(text: bytes, path: pathlib.Path) -> bytes:
    try:
        return gzip.decompress(text)
    except (EOFError, OSError, zlib.error):
        raise ParseError(f"{path}: The file is broken or is not compressed by gzip.") from None


def _pyarrow(part: str | None = None) -> Any:
    try:
        import pyarrow

        if part == "parquet":
            import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Parquet files and pyarrow or pandas frames need the package pyarrow: pip install pyarrow."
        ) from error
    return pyarrow


def _rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    for name, values in columns.items():
        if isinstance(values, str | bytes) or not (
            hasattr(values, "__len__") and hasattr(values, "__iter__")
        ):
            raise SchemaError(
                f"field '{name}': A column is a list or an array of values, one a row, not {kind_of(values)}."
            )
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"'{name}' {length}" for name, length in lengths.items())
        raise SchemaError(f"The columns differ in length ({listed}); a table needs them all alike.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _from_rows(
    rows: Sequence[Mapping[str, Any]],
    schema: Schema | None,
    nan_as_missing: bool,
    names: Sequence[str] = (),
) -> Table:
    if schema is None and not rows:
        schema = Schema([Field(name) for name in names])
    return Table.from_records(schema, rows, nan_as_missing=nan_as_missing)


def _exporter(frame: Any) -> Any:
    """Return what exports Arrow data for a frame; for pandas without its unnamed row index."""
    if type(frame).__module__.partition(".")[0] != "pandas":
        return frame
    if not hasattr(frame, "columns"):
        raise SchemaError(
            "A pandas Series is a single column; pass a frame with named columns, or a row of one as a dict, "
            "with .to_dict()."
        )
    arrow = _pyarrow()
    if any(not isinstance(name, str) for name in frame.columns):
        raise SchemaError(
            "A column name of the frame is not a text; rename it, for example with columns.map(str)."
        )
    if not frame.columns.is_unique:
        twice = next(name for name in frame.columns if list(frame.columns).count(name) > 1)
        raise SchemaError(f"field '{twice}': Two columns of the frame have this name; rename one.")
    try:
        return arrow.Table.from_pandas(frame, preserve_index=any(frame.index.names) or False)
    except (arrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SchemaError(_not_handed_over(frame, error)) from None


def _not_handed_over(frame: Any, error: Exception) -> str:
    """Say why pandas cannot hand a frame over; the original message may quote a value."""
    if isinstance(error, UnicodeEncodeError):
        for name in frame.columns:
            if not _is_utf8(name):
                return "A column name holds a lone surrogate, so it cannot be written as UTF-8; rename it."
            if any(isinstance(value, str) and not _is_utf8(value) for value in frame[name]):
                return f"field '{name}': A text holds a lone surrogate, so it cannot be written as UTF-8."
    for name in frame.columns:
        if type(frame[name].dtype).__name__ == "SparseDtype":
            return f"field '{name}': The column is sparse; make it dense first, with sparse.to_dense()."
        if isinstance(error, OverflowError) and any(
            isinstance(value, int) and not -(2**63) <= value < 2**63 for value in frame[name]
        ):
            return f"field '{name}': An integer does not fit 64 bits; make the column float or text."
    # Of Arrow's errors the second part names the column.
    column = error.args[1] if len(error.args) > 1 else "a column has mixed or unknown types"
    return f"pandas cannot hand the frame over: {column}. Make the column one type, for example astype(str)."


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
