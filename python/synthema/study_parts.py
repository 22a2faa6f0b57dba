"""Studies from a configuration, and back from the manifest of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthema._core import Check, ConfigError, RunFolderError, Sampling, Schema
from synthema.study import DataCard, Study

if TYPE_CHECKING:
    from synthema.config import Config
    from synthema.table_study import TableStudy

__all__ = ["again", "as_begun", "from_config"]


def from_config(config: Config) -> Study | TableStudy:
    """Make the study that a configuration describes: a recipe with other values, or all parts.

    Raises
    ------
    ConfigError
        If a part is missing or does not go with the recipe.
    """
    study = _from_recipe(config) if config.recipe else _from_parts(config)
    study.title = config.title or study.title
    study.rows = study.rows if config.rows is None else config.rows
    study.seed = study.seed if config.seed is None else config.seed
    study.model = config.section("model").get("path", study.model)
    study.threads = config.section("model").get("threads", study.threads)
    study.options = {**study.options, **config.section("run")}
    sampling = config.section("sampling")
    if not isinstance(study, Study):  # a comparison: for its language model, which has values of its own
        study.sampling = sampling
    elif sampling:
        study.sampling = _sampling(study.sampling, sampling)
    return study


def _sampling(base: Sampling | None, values: Mapping[str, Any]) -> Sampling:
    names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_tokens", "min_tokens")
    known = {name: getattr(base, name) for name in names} if base else {}
    return Sampling(**{**known, **values})


def _from_recipe(config: Config) -> Study | TableStudy:
    from synthema import recipes

    for part in ("strategy", "exemplars", "conditions", "terms", "schema", "check"):
        if config.sections.get(part):
            raise ConfigError(
                f"The configuration names the recipe '{config.recipe}' and also gives [{part}], but a recipe "
                "brings its own: leave out one of the two."
            )
    return recipes.get(str(config.recipe)).build(config.section("values"))


def _from_parts(config: Config) -> Study:
    from synthema.tables import read, read_schema

    def file(name: str) -> Any:
        given = config.section(name)
        path = given.pop("file", None)
        return read(path, **given) if path else None

    exemplars, conditions, terms = file("exemplars"), file("conditions"), file("terms")
    for name in ("id", "name"):  # the scores need them too, and they come last
        if terms is not None and name not in terms.names:
            raise ConfigError(
                f"[terms]: A term list needs the columns 'id' and 'name'; {config.section('terms')['file']} "
                f"has no '{name}'."
            )
    schema_file = config.section("schema").get("file")
    schema = read_schema(schema_file) if schema_file else None
    options = config.section("strategy")
    label = options.get("label_field", "")
    kind = options.get("kind", "")
    text = options.pop("field", _text_field(schema)) if kind == "json" else options.get("field", "text")
    columns = schema.names if schema else [*(conditions.names if conditions is not None else ()), text]
    return Study(
        name=kind,
        title=config.title or "Generated rows",
        strategy=_strategy(options, terms, schema),
        conditions=lambda seed: conditions,
        settings={
            "config": {k: v for k, v in config.sections.items() if k not in ("model", "run", "sampling")}
        },
        checks=[
            _check(_judging(one, place, text, columns), place, exemplars, terms)
            for place, one in ((f"[[check]] {n}", one) for n, one in enumerate(config.checks, start=1))
        ],
        schema=schema,
        exemplars=exemplars,
        terms=terms,
        fields=tuple(conditions.names) if conditions is not None else (),
        text=text,
        label=label,
        card=DataCard(schema.source, "", schema.licence, schema.terms, "", schema.language)
        if schema
        else DataCard(),
    )


def _text_field(schema: Schema | None) -> str:
    """The first text field of a schema; empty where it has none."""
    return next((field.name for field in schema.fields if field.kind == "text"), "") if schema else ""


def _strategy(options: dict[str, Any], terms: Any, schema: Schema | None) -> Any:
    from synthema import _core

    kind = options.pop("kind", None)
    if kind is None:
        raise ConfigError("The configuration has neither a recipe nor a [strategy] with a kind.")
    if kind == "label_conditioned":
        if terms is None:
            raise ConfigError("The strategy label_conditioned needs a term list: give [terms] with a file.")
        options["terms"] = terms
    if kind == "json":
        if schema is None:
            raise ConfigError("The strategy json needs the fields to write: give [schema] with a file.")
        options["schema"] = schema
    try:
        return getattr(_core, "json_record" if kind == "json" else kind)(**options)
    except (TypeError, ConfigError) as error:  # which key is missing, too many or out of range
        raise ConfigError(f"[strategy]: {error}") from None


def _judging(options: dict[str, Any], place: str, text: str, columns: Sequence[str]) -> dict[str, Any]:
    """The check with the column that it looks at: by default the one that the strategy writes.

    One that no row has would reject every attempt, each after the model has answered.
    """
    from synthema.config import CHECKS

    kind = options["kind"]
    if "field" not in CHECKS[kind]:
        return options
    options = {"field": text, **options} if text else options
    if (field := options.get("field")) is not None and field not in columns:
        known = ", ".join(f"'{name}'" for name in columns)
        raise ConfigError(f"{place}, {kind}: The rows have no column '{field}'; they have {known}.")
    return options


def _check(options: dict[str, Any], place: str, exemplars: Any, terms: Any) -> Check:
    from synthema import _core

    options = dict(options)
    kind = options.pop("kind")
    for needed, name, part in (
        ("no_exemplar_copy", "exemplars", exemplars),
        ("concept_recovered", "terms", terms),
    ):
        if kind == needed:
            if part is None:
                raise ConfigError(f"{place}: The check {kind} needs [{name}] with a file.")
            options[name] = part
    try:
        return getattr(_core, kind)(**options)
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"{place}, {kind}: {str(error).removeprefix(f'{kind}(): ')}") from None


def as_begun(settings: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a study with the paths of the run that was begun with `before`.

    Files and model may have been moved since: the manifest's digests say which they are. The files of a
    recipe are in no digest, so their paths are compared.
    """
    from synthema.config import with_files_of

    out = dict(settings)
    if "config" in out:
        out["config"] = with_files_of(before.get("config"), out["config"])
    if "model" in before:
        out["model"] = before["model"]
    return out


def again(settings: Mapping[str, Any]) -> Study | TableStudy:
    """Make the study of a run again from the settings in its manifest.

    Raises
    ------
    RunFolderError
        If the run was made by code and not by a recipe or a configuration.
    ConfigError
        If what stands there is none that could have been read: a manifest may have been edited.
    """
    from synthema import config

    place = "The settings in run.json"
    if "recipe" in settings:
        asked = {"recipe": settings["recipe"], "values": settings.get("values", {})}
        return from_config(config.from_sections(asked, place))
    if "config" in settings:
        return from_config(config.from_sections(settings["config"], place))
    raise RunFolderError(
        "The run was not made by a recipe or a configuration; use synthema.verify() with its parts."
    )
