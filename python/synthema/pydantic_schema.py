"""The JSON Schema of a pydantic model, with the bounds of times that pydantic leaves out of it."""

from __future__ import annotations

import datetime
import functools
import inspect
import sys
from typing import Any

__all__ = ["json_schema_of"]


def json_schema_of(model: Any) -> dict[str, Any]:
    """Return what ``model.model_json_schema()`` gives, and what bounds its times.

    pydantic's own JSON Schema says nothing of ``ge``, ``gt``, ``le`` and ``lt`` of dates and times, nor of
    times that must have no zone: answers under it would not be read back. Bounds of dates and date-times
    become ``formatMinimum`` and ``formatMaximum``; what masks do not know stays as a keyword of its own,
    which they refuse with its place.

    Parameters
    ----------
    model
        Has ``model_json_schema``; one that is not pydantic's, or a model's own, is called as it is.
    """
    pydantic = sys.modules.get("pydantic")  # whoever gives one of its models has it
    kind = model if inspect.isclass(model) else type(model)
    if pydantic is None or not issubclass(kind, pydantic.BaseModel):
        return model.model_json_schema()
    own = inspect.getattr_static(kind, "model_json_schema")
    if own is not inspect.getattr_static(pydantic.BaseModel, "model_json_schema"):
        return model.model_json_schema()
    return model.model_json_schema(schema_generator=_generator())


@functools.cache
def _generator() -> type:
    from pydantic.json_schema import GenerateJsonSchema

    class WithTimes(GenerateJsonSchema):
        def date_schema(self, schema: Any) -> dict[str, Any]:
            return super().date_schema(schema) | _bounds(schema, datetime.timedelta(days=1))

        def datetime_schema(self, schema: Any) -> dict[str, Any]:
            zone = {"tz_constraint": "naive"} if schema.get("tz_constraint") == "naive" else {}
            # Between two microseconds there is none, and a second that is written is a whole one.
            return (
                super().datetime_schema(schema) | zone | _bounds(schema, datetime.timedelta(microseconds=1))
            )

        def time_schema(self, schema: Any) -> dict[str, Any]:
            return super().time_schema(schema) | _unknown(schema)

        def timedelta_schema(self, schema: Any) -> dict[str, Any]:
            return super().timedelta_schema(schema) | _unknown(schema)

    return WithTimes


def _bounds(schema: Any, step: datetime.timedelta) -> dict[str, str]:
    lowest = [schema[name] + away for name, away in (("ge", 0 * step), ("gt", step)) if name in schema]
    highest = [schema[name] - away for name, away in (("le", 0 * step), ("lt", step)) if name in schema]
    bounds = {"formatMinimum": max(lowest, default=None), "formatMaximum": min(highest, default=None)}
    return {name: _written(bound) for name, bound in bounds.items() if bound is not None}


def _written(bound: datetime.date) -> str:
    """ISO 8601; a bound without a zone is in UTC, as pydantic compares it with the times that are written."""
    if isinstance(bound, datetime.datetime) and bound.tzinfo is None:
        bound = bound.replace(tzinfo=datetime.timezone.utc)
    return bound.isoformat()


def _unknown(schema: Any) -> dict[str, str]:
    return {name: str(schema[name]) for name in ("ge", "gt", "le", "lt") if name in schema}
