"""HTML that cannot forget to escape: whatever is not already `Html` is escaped when it becomes a child."""

from __future__ import annotations

import html
from collections.abc import Iterable


class Html(str):
    """Text that is already HTML. Only this module and literals of ours create it."""

    __slots__ = ()


VOID = frozenset({"meta", "br", "hr"})


def escape(value: object) -> Html:
    """`value` as HTML: unchanged if it is `Html`, else escaped (quotes too)."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(children: Iterable[object]) -> Html:
    """Children one after another; `None` is left out."""
    return Html("".join(escape(child) for child in children if child is not None))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """One element; `class_` stands for `class`, `_` for `-`; `None` and `False` attributes are left out."""
    parts = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{html.escape(str(value))}"')
    opening = f"<{name}{''.join(parts)}>"
    return Html(opening if name in VOID else f"{opening}{join(children)}</{name}>")


def definition_list(pairs: Iterable[tuple[object, object]], **attributes: object) -> Html:
    """`<dl>` of names and values; pairs without a value are left out."""
    rows = [
        element("div", element("dt", name), element("dd", value))
        for name, value in pairs
        if value is not None and value != ""
    ]
    return element("dl", *rows, **attributes)


def details(summary: object, *children: object, **attributes: object) -> Html:
    """A part that opens on demand, without any script."""
    return element("details", element("summary", summary), *children, **attributes)


def figure(title: str, caption: str, *children: object) -> Html:
    """A picture with its title above and what it says below."""
    return element("figure", element("h3", title), *children, element("figcaption", caption))


def section(title: str, *children: object, id_: str, lead: str | None = None) -> Html:
    """One titled part of the page."""
    opening = element("p", lead, class_="lead") if lead else None
    return element("section", element("h2", title), opening, *children, id=id_)
