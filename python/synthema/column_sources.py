"""Tables that need not fit into memory: their columns, one by one, from files, datasets and readers."""

from __future__ import annotations

import contextlib
import mmap
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from synthema import _core, tables
from synthema._core import ConfigError, ParseError, Schema, SchemaError, Table

_ARROW = (".feather", ".arrow", ".ipc")
_CSV = (".csv",)
# Of a fit of the network, measured: what torch, pyarrow and the network take, and bytes a row while a column
# of numbers is coded (as it was read and as it is wanted, sorted, as codes; whose row it is).
_BASE, _OF_COLUMN = 400 * 2**20, 44
_BROKEN_READER = "the reader: Its rows could not be read to the end; what it reads from is broken."


class ColumnSource:
    """A schema, a number of rows, and a function that reads one column as a table of its own.

    Parameters
    ----------
    schema : Schema
        What the columns mean.
    rows : int
        How many there are.
    read : callable
        Takes the number of a column.
    """

    def __init__(self, schema: Schema, rows: int, read: Callable[[int], Table]):
        self.schema = schema
        self.rows = rows
        self.read = read

    def __len__(self) -> int:
        return self.rows


def is_source(data: Any) -> bool:
    """Whether `data` is a file, a pyarrow dataset or a reader of record batches, and no table."""
    if isinstance(data, (str, os.PathLike, ColumnSource)):
        return True
    module = type(data).__module__.partition(".")[0]
    return module == "pyarrow" and (
        (hasattr(data, "to_batches") and hasattr(data, "count_rows")) or _is_reader(data)
    )


@contextlib.contextmanager
def column_source(
    data: Any, schema: Schema | None = None, *, spill: str = "", **csv_form: str
) -> Iterator[ColumnSource]:
    """Open a file, a dataset or a reader, so that its columns can be read one after the other.

    Parameters
    ----------
    data : path, pyarrow.dataset.Dataset or pyarrow.RecordBatchReader
        A path ends in .parquet, .feather, .arrow, .ipc or .csv. A reader can be read only once: its batches
        are written to a file in the folder `spill`, which only the user can read, has no name and is gone in
        the end.
    schema : Schema, optional
        What the columns mean. Without one it follows from the types of the columns.
    spill : str
        Folder for what a reader gives; it holds the rows themselves for as long as the source is open.
    csv_form
        delimiter, decimal and dates of a CSV file, as for `synthema.read`.

    Raises
    ------
    SchemaError
        If the name of a file says no format that can be read column by column.
    ParseError
        If a file is broken, or a reader fails before its end.
    ConfigError
        If a reader is given without `spill`, or the folder cannot be used or is too small.
    """
    if isinstance(data, ColumnSource):
        yield data
        return
    if not isinstance(data, (str, os.PathLike)):
        if _is_reader(data):
            with _spilled(data, spill) as stored:
                yield _of_stored(stored, schema)
        else:
            yield _of_dataset(data, schema, "the dataset")
        return
    path = pathlib.Path(data)
    if path.is_dir():
        raise ParseError(f"{path}: This is a folder; give its files as a pyarrow dataset.")
    if not path.is_file():
        raise ParseError(f"{path}: There is no such file.")
    name = path.name.lower()
    if name.endswith(_CSV):
        with path.open("rb") as file:
            yield from _of_csv(file, path, schema, csv_form)
        return
    if name.endswith((".parquet", *_ARROW)):
        pyarrow = tables._pyarrow()
        from pyarrow import dataset

        try:
            opened = dataset.dataset(path, format="parquet" if name.endswith(".parquet") else "ipc")
        except (pyarrow.ArrowException, OSError):  # what they say may quote a value
            raise ParseError(
                f"{path}: The file is broken or is of another format than its name says."
            ) from None
        yield _of_dataset(opened, schema, str(path))
        return
    raise SchemaError(
        f"The file name '{path.name}' does not say a format that is read column by column; it must end in "
        ".parquet, .feather, .arrow, .ipc or .csv. Unpack a compressed CSV file first."
    )


def memory_of_fit(source: ColumnSource, *, spilled: bool) -> int:
    """Bytes that a fit takes at most, about: one column, its codes, whose row it is, and the coded rows."""
    return _BASE + source.rows * (_OF_COLUMN + (0 if spilled else len(source.schema.fields)))


def _is_reader(data: Any) -> bool:
    return hasattr(data, "read_next_batch") and hasattr(data, "schema")


def _of_csv(
    file: Any, path: pathlib.Path, schema: Schema | None, csv_form: Mapping[str, str]
) -> Iterator[ColumnSource]:
    if os.fstat(file.fileno()).st_size == 0:
        raise ParseError(f"{path}: The file is empty; a header line with column names is needed.")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        form = tables.csv_form(**csv_form)
        kinds, rows = _core._csv_shape(text, **form, schema=schema, file=str(path))

        def read(number: int) -> Table:
            name = kinds.fields[number].name
            inferred = schema is None
            return _core._csv_column(text, name, kinds, inferred, **form, file=str(path))

        yield ColumnSource(kinds, rows, read)


def _of_dataset(dataset: Any, schema: Schema | None, where: str) -> ColumnSource:
    import pyarrow

    def column(name: str) -> Any:
        try:
            return dataset.to_table(columns=[name])
        except (pyarrow.ArrowException, OSError):
            raise ParseError(f"{where}: The column '{name}' could not be read; the file is broken.") from None

    try:
        rows = dataset.count_rows()
    except (pyarrow.ArrowException, OSError):  # what they say may quote a row
        raise ParseError(f"{where}: Its rows could not be counted; a file of it is broken.") from None
    return _of_arrow(dataset.schema, rows, column, schema)


def _of_arrow(types: Any, rows: int, column: Callable[[str], Any], schema: Schema | None) -> ColumnSource:
    import pyarrow

    if len(set(types.names)) < len(types.names):
        raise SchemaError("Two columns of the table have the same name; rename one.")
    if schema is not None:
        for field in schema.fields:
            if field.name not in types.names:
                raise SchemaError(f"field '{field.name}': The schema has this field, but the table does not.")
        kinds = schema
    else:
        kinds = Table.from_arrow(types.empty_table(), None).schema
        if any(pyarrow.types.is_dictionary(one) for one in types.types):
            fields = list(kinds.fields)
            for i, one in enumerate(types.types):
                if pyarrow.types.is_dictionary(one):  # what its labels are stands in the rows
                    fields[i] = Table.from_arrow(column(types.names[i]), None).schema.fields[0]
            kinds = Schema(fields, rules=kinds.rules, groups=kinds.groups, name=kinds.name)

    def read(number: int) -> Table:
        field = kinds.fields[number]
        out = Table.from_arrow(column(field.name), Schema([field]))
        pyarrow.default_memory_pool().release_unused()
        return out

    return ColumnSource(kinds, rows, read)


@contextlib.contextmanager
def _spilled(reader: Any, spill: str) -> Iterator[Any]:
    if not spill:
        raise ConfigError(
            "A reader of record batches can be read only once, but a fit reads the table several times: name "
            "a folder on a disk with spill=, where its rows are kept meanwhile in a file that only you can "
            "read, or give a file or a dataset."
        )
    try:
        file = tempfile.TemporaryFile(dir=spill)  # noqa: SIM115
    except OSError as error:
        raise ConfigError(
            f"field 'spill': In the folder '{spill}' no file can be made: {error.strerror}; name another one."
        ) from None
    try:
        try:
            rows = _write(reader, file)
        except OSError as error:
            raise ConfigError(
                f"field 'spill': In the folder '{spill}' the rows of the reader could not be written: "
                f"{error.strerror or 'the disk may be full'}; name another one."
            ) from None
        yield file, reader.schema, rows
    finally:
        with contextlib.suppress(OSError):  # of what could not be written before
            file.close()


def _write(reader: Any, file: Any) -> int:
    """Write all batches of a reader to a file; the number of their rows."""
    import pyarrow

    rows = 0
    try:
        with pyarrow.ipc.new_stream(file, reader.schema) as out:
            for batch in _batches(reader):
                rows += batch.num_rows
                out.write_batch(batch)
    except pyarrow.ArrowException:
        raise ParseError(_BROKEN_READER) from None
    file.flush()
    return rows


def _batches(reader: Any) -> Iterator[Any]:
    """What a reader gives; whatever fails in it, its own code included, may quote a row."""
    try:
        yield from reader
    except Exception:
        raise ParseError(_BROKEN_READER) from None


def _of_stored(stored: tuple[Any, Any, int], schema: Schema | None) -> ColumnSource:
    import pyarrow

    file, types, rows = stored

    def column(name: str) -> Any:
        options = pyarrow.ipc.IpcReadOptions(included_fields=[types.get_field_index(name)])
        try:
            file.seek(0)
            return pyarrow.ipc.open_stream(file, options=options).read_all()
        except (pyarrow.ArrowException, OSError):
            raise ParseError(
                f"the reader: The column '{name}' could not be read back from 'spill'."
            ) from None

    return _of_arrow(types, rows, column, schema)
