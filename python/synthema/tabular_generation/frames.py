"""Frames that rows came in, and go back to: their kind, and the order and types of their columns."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthema import _core, tables
from synthema._core import GenerationError, Table

FRAMES = ("table", "pandas", "polars", "arrow", "same")

# Types of columns that rows of a kind go back to; where a schema says another kind, the kind counts.
_FAMILIES = {
    "integer": {"integer", "real"},
    "real": {"real"},
    "time": {"time"},
    "boolean": {"boolean"},
    "category": {"category", "text"},
    "text": {"category", "text"},
}


@dataclass(frozen=True)
class FrameForm:
    """One of FRAMES, and the types of its columns in their order; empty where only the kind is known.

    `index` and the columns of `categories` are those of a pandas frame whose rows were filled: the index of
    its rows, which was read as the columns `levels`, and columns that keep all their categories, whether a
    row has them or not.
    """

    kind: str
    types: Mapping[str, Any] = field(default_factory=dict)
    categories: frozenset[str] = frozenset()
    index: Any = None
    levels: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: Any) -> FrameForm:
        """Return the form of a frame."""
        module = type(data).__module__.partition(".")[0]
        if not hasattr(data, "columns"):  # a reader, a single column
            return cls({"pandas": "pandas", "polars": "polars", "pyarrow": "arrow"}.get(module, "table"))
        if module == "pandas":
            dtypes = {name: data[name].dtype for name in data.columns}
            # A column of objects is told by the class of its values.
            return cls("pandas", {n: _class_of(data[n]) if t == "object" else t for n, t in dtypes.items()})
        if module == "polars":
            return cls("polars", dict(data.collect_schema()))
        if module == "pyarrow":
            return cls("arrow", {one.name: one.type for one in data.schema})
        return cls("table")

    def beside(self, given: FrameForm) -> FrameForm:
        """Return the form of filled rows of another frame: with its types of reals, so that they stay."""
        if given.kind != self.kind:
            return FrameForm(given.kind)
        family = {"pandas": _pandas_family, "polars": _polars_family, "arrow": _arrow_family}.get(self.kind)
        types = dict(self.types)
        for name, type_ in given.types.items():
            if name in types and family and family(type_) == family(types[name]) == "real":
                types[name] = type_
        return FrameForm(self.kind, types)

    def filling(self, data: Any) -> FrameForm:
        """Return this form for the filled rows of a pandas frame: with its index and its categories."""
        given = FrameForm.of(data)
        if not self.kind == given.kind == "pandas" or not given.types:
            return self
        categories = {n: t for n, t in given.types.items() if _pandas_family(t) == "category"}
        types = self.types or dict.fromkeys(given.types, object)  # in their order
        return FrameForm(
            self.kind,
            {**types, **categories},
            frozenset(categories),
            data.index,
            frozenset(index_columns(data)),
        )

    def frame(self, made: Table) -> Any:
        """Return rows in this form.

        Raises
        ------
        GenerationError
            If a value does not fit the type of its column, with the column.
        """
        names = [name for name in self.types if name in made]
        names += [name for name in made.names if name not in self.types]
        made = made.select(names)
        if self.kind == "pandas":
            return _to_pandas(made, self)
        give = {"polars": _to_polars, "arrow": _to_arrow}.get(self.kind)
        return give(made, self.types) if give else made


def _goes(made: Table, name: str, family: str) -> bool:
    return name in made and family in _FAMILIES.get(made.schema[name].kind, ())


def _misfit(name: Any, type_: Any, kind: str) -> GenerationError:
    return GenerationError(
        f"field '{name}': A value that was made does not fit {type_}, the type of this column in the frame "
        f"that was fitted; name the frame, as in frame='{kind}', for types that hold all values."
    )


def _labels(made: Table, name: str, first: Sequence[str]) -> list[str]:
    """Labels of a column, in the order of the frame's categories. Those that are held back are not there."""
    labels = _core._labels(made).get(name)
    if labels is None:  # a text
        labels = sorted({text for text in made.values(name) if text is not None})
    there, ordered = set(labels), set(first)
    return [text for text in first if text in there] + [text for text in labels if text not in ordered]


def _to_polars(made: Table, types: Mapping[str, Any]) -> Any:
    frame = made.to_polars()
    return frame.with_columns(
        _polars_column(frame[name], type_, made)
        for name, type_ in types.items()
        if _goes(made, name, _polars_family(type_)) and frame[name].dtype != type_
    )


def _polars_family(type_: Any) -> str:
    import polars

    tests = {
        "integer": type_.is_integer(),
        "real": type_.is_float(),
        "boolean": type_ == polars.Boolean,
        "text": type_ == polars.String,
        "category": type_ in (polars.Categorical, polars.Enum),
        "time": type_ in (polars.Date, polars.Datetime),
    }
    return next((family for family, is_it in tests.items() if is_it), "")


def _polars_column(column: Any, type_: Any, made: Table) -> Any:
    import polars

    if isinstance(type_, polars.Enum):
        type_ = polars.Enum(_labels(made, column.name, type_.categories.to_list()))
    try:
        out = column.cast(type_)
        fits = not out.is_infinite().any() if type_.is_float() else out.cast(column.dtype).equals(column)
    except polars.exceptions.PolarsError:
        fits = False
    if not fits:
        raise _misfit(column.name, type_, "polars")
    return out


def _to_arrow(made: Table, types: Mapping[str, Any]) -> Any:
    out = made.to_arrow()
    for index, name in enumerate(made.names):
        type_, column = types.get(name), out.column(index)
        if type_ is not None and _goes(made, name, _arrow_family(type_)) and column.type != type_:
            out = out.set_column(index, name, _arrow_column(name, column, type_))
    return out


def _arrow_family(type_: Any) -> str:
    from pyarrow import types

    tests = {
        "integer": (types.is_integer,),
        "real": (types.is_floating,),
        "boolean": (types.is_boolean,),
        "text": (types.is_string, types.is_large_string, lambda one: str(one) == "string_view"),
        "category": (types.is_dictionary,),
        "time": (types.is_timestamp, types.is_date),
    }
    return next((family for family, each in tests.items() if any(test(type_) for test in each)), "")


def _arrow_column(name: str, column: Any, type_: Any) -> Any:
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_dictionary(column.type) and not pyarrow.types.is_dictionary(type_):
        column = column.cast(column.type.value_type)
    try:
        if pyarrow.types.is_dictionary(type_):
            return _arrow_dictionary(column, type_)
        out = column.cast(type_)
        if pyarrow.types.is_floating(type_):
            fits = compute.all(compute.is_finite(out)).as_py() is not False
        else:
            fits = out.cast(column.type).equals(column)
    except pyarrow.ArrowException:
        fits = False
    if not fits:
        raise _misfit(name, type_, "arrow")
    return out


def _arrow_dictionary(column: Any, type_: Any) -> Any:
    import pyarrow

    coded = column if pyarrow.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = [
        pyarrow.DictionaryArray.from_arrays(
            one.indices.cast(type_.index_type), one.dictionary.cast(type_.value_type), ordered=type_.ordered
        )
        for one in coded.chunks
    ]
    return pyarrow.chunked_array(chunks, type=type_)


def _to_pandas(made: Table, form: FrameForm) -> Any:
    import pandas

    frame = made.to_pandas()
    for name, type_ in form.types.items():
        if not _goes(made, name, _pandas_family(type_)):
            continue
        if isinstance(type_, type):
            frame[name] = pandas.Series(_objects(made.values(name), type_), dtype=object)
        elif isinstance(type_, pandas.CategoricalDtype):
            frame[name] = _pandas_categories(frame[name], type_, made, whole=name in form.categories)
        elif _pandas_family(type_) == "category":
            frame[name] = _pandas_dictionary(name, type_, made)
        elif frame[name].dtype != type_:
            frame[name] = _pandas_column(frame[name], type_)
    if form.index is None:
        return frame
    frame = frame.drop(columns=[name for name in frame.columns if name in form.levels])
    return frame.set_axis(form.index, axis="index")


def index_columns(frame: Any) -> list[str]:
    """The columns as which the levels of the index of a pandas frame are read: none where none has a name."""
    names = frame.index.names if any(frame.index.names) else []
    taken = set(frame.columns)
    return [f"__index_level_{i}__" if name is None or name in taken else name for i, name in enumerate(names)]


def without_levels(data: Any, known: Collection[str]) -> Any:
    """The rows without the levels of the index of a pandas frame that are none of these columns."""
    if FrameForm.of(data).kind != "pandas" or not hasattr(data, "columns"):
        return data
    unknown = [i for i, name in enumerate(index_columns(data)) if name not in known]
    return data.reset_index(level=unknown, drop=True) if unknown else data


def _pandas_family(type_: Any) -> str:
    import pandas
    from pandas.api import types

    if isinstance(type_, type):
        return _CLASSES.get(type_, "")
    arrow = getattr(type_, "pyarrow_dtype", None)
    if isinstance(type_, pandas.CategoricalDtype) or (arrow and _arrow_family(arrow) == "category"):
        return "category"
    tests = {
        "boolean": types.is_bool_dtype,
        "integer": types.is_integer_dtype,
        "real": types.is_float_dtype,
        "time": types.is_datetime64_any_dtype,
        "text": types.is_string_dtype,
    }
    return next((family for family, test in tests.items() if test(type_)), "")


# Of the values of a pandas column of objects.
_CLASSES = {bool: "boolean", int: "integer", float: "real", str: "text", datetime.date: "time"}


def _class_of(column: Any) -> type:
    import pandas

    there = column.dropna()
    return object if there.empty or pandas.api.types.is_list_like(there.iloc[0]) else type(there.iloc[0])


def _objects(values: list[Any], class_: type) -> list[Any]:
    if class_ is not datetime.date:
        return values
    return [None if value is None else value.date() for value in values]


def _pandas_column(column: Any, type_: Any) -> Any:
    from pandas.api import types

    plain = types.is_bool_dtype(type_) or types.is_integer_dtype(type_)
    if plain and not types.is_extension_array_dtype(type_) and column.isna().any():
        return column  # the frame had no missing value here, and its type has none
    try:
        out = column.astype(type_)
        if types.is_float_dtype(type_):
            fits = bool((out.dropna().abs() < math.inf).all())
        else:
            fits = bool((out.astype(column.dtype).dropna() == column.dropna()).all())
    except (ValueError, TypeError, OverflowError):
        fits = False
    if not fits:
        raise _misfit(column.name, type_, "pandas")
    return out


def _pandas_dictionary(name: str, type_: Any, made: Table) -> Any:
    import pandas

    arrow = made.select([name]).to_arrow().column(0)
    return pandas.Series(pandas.arrays.ArrowExtensionArray(_arrow_column(name, arrow, type_.pyarrow_dtype)))


def _pandas_categories(column: Any, type_: Any, made: Table, *, whole: bool) -> Any:
    import pandas

    coded = pandas.Categorical.from_codes(range(len(type_.categories)), dtype=type_)
    texts = tables.table(pandas.DataFrame({"label": coded})).values("label")
    values = dict(zip(texts, type_.categories, strict=True))
    labels = _labels(made, column.name, texts)
    if whole:
        labels = [*texts, *(text for text in labels if text not in values)]
    codes = pandas.Categorical(column.astype(object), categories=labels).codes
    same = all(text in values for text in labels)  # a schema may have more
    categories = pandas.Index(
        [values.get(text, text) for text in labels], dtype=type_.categories.dtype if same else object
    )
    return pandas.Series(pandas.Categorical.from_codes(codes, categories=categories, ordered=type_.ordered))
