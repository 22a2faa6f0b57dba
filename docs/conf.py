"""Sphinx settings of the guide. Notebooks run while the guide is built; a failing cell fails the build."""

import pathlib
from importlib.metadata import version as installed_version

import synthema
from synthema import config, recipes

project = "synthema"
version = release = installed_version("synthema")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.autosummary"]
html_theme = "furo"
html_show_copyright = False
html_title = f"synthema {version}"
exclude_patterns = ["_build", "_generated"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False


# --- tables that the guide shows come from the code

_GENERATED = pathlib.Path(__file__).parent / "_generated"


def _cell(text):
    return str(text).replace("|", "\\|").replace("*", "\\*")


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines) + "\n"


def _range(key):
    if key.choices:
        return ", ".join(f"`{one}`" for one in key.choices)
    low, high = key.minimum, key.maximum
    if low is None and high is None:
        return ""
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _keys():
    """Every key of a configuration file, section by section."""
    for section, keys in config.SECTIONS.items():
        if keys:
            title = (
                "Top of the file"
                if not section
                else f"`[[{section}]]`"
                if section == "check"
                else f"`[{section}]`"
            )
            rows = [[f"`{name}`", key.kind, _range(key), key.help] for name, key in keys.items()]
            yield f"**{title}**\n\n" + _table(["key", "type", "range", "meaning"], rows)


def _metrics():
    """Every evaluator with its definition, as its own score says it."""
    fields = [
        synthema.Field("text"),
        synthema.Field("age", "integer"),
        synthema.Field("patient", roles=["subject"]),
        synthema.Field("day", "integer", roles=["time"]),
    ]
    rows = synthema.table(
        {"text": ["my chest hurts", "my head hurts"], "age": [40, 71], "patient": ["p", "q"], "day": [1, 2]},
        synthema.Schema(fields),
    )
    report = synthema.evaluate(
        rows,
        rows,
        holdout=rows,
        target="age",
        embedder=lambda texts: [[1.0]] * len(texts),
        metrics=synthema.evaluator_names(),
    )
    untold = [s.name for s in report.scores if not s.estimand or not s.definition]
    assert not untold, f"Evaluators that do not say what they are: {untold}"
    return _table(
        ["metric", "better", "what it estimates", "definition", "convention"],
        [[f"`{s.name}`", s.direction, s.estimand, s.definition, s.convention] for s in report.scores],
    )


_GENERATED.mkdir(exist_ok=True)
_RECIPE = recipes.get("phenotype_sentences")
(_GENERATED / "recipe_keys.md").write_text(
    _table(
        ["recipe", "key", "type", "range", "meaning"],
        [
            [f"`{_RECIPE.name}`", f"`{name}`", key.kind, _range(key), key.help]
            for name, key in _RECIPE.keys.items()
        ],
    ),
    encoding="utf-8",
)
(_GENERATED / "config_keys.md").write_text("\n".join(_keys()), encoding="utf-8")
(_GENERATED / "metrics.md").write_text(_metrics(), encoding="utf-8")
