"""`synthema schema`: what a table's columns are, as a file to complete."""

from __future__ import annotations

import argparse
import json
from typing import Any

from synthema.commands.options import Result, command, csv_form, form_of, naming, output, roles, writable
from synthema.terminal import Progress


def add(commands: Any) -> None:
    """Add this command to the parsers of the command line."""
    one = command(
        commands, "schema", _schema, "write what the columns of a table are, to complete by hand",
        "synthema schema patients.csv --subject patient --out schema.json",
    )  # fmt: skip
    one.add_argument("table", metavar="TABLE", help="CSV, JSONL or Parquet file")
    output(one, "FILE", "JSON file for the schema")
    csv_form(one)
    naming(one)


def _schema(args: argparse.Namespace, progress: Progress) -> Result:
    from synthema import tables
    from synthema.files import whole_file
    from synthema.reporting.numbers import counted
    from synthema.subjects import warn_of_subject

    writable(args, args.table)
    progress.phase("read the table")
    rows = tables.read(args.table, **form_of(args), roles=roles(args))
    warn_of_subject(rows)
    stated = json.loads(rows.schema.to_json())
    for field in stated["fields"]:
        field.pop("categories", None)  # what a schema states is public in private fits
    with whole_file(args.out, "schema") as unfinished:
        unfinished.write_text(_text(stated), encoding="utf-8")
    return {
        "command": "schema",
        "schema": str(args.out),
        "columns": len(rows.names),
        "tables": {
            "Columns": [
                ["column", "kind", "role", "missing"],
                *(
                    [field.name, field.kind, ", ".join(field.roles), f"{rows.null_count(field.name)}"]
                    for field in rows.schema.fields
                ),
            ]
        },
        "message": f"\nSchema: {args.out} ({counted(len(rows.names), 'column')}). It holds names, kinds and "
        "roles, and no value of the table. Correct the kinds, and state what is known: minimum, maximum, "
        "categories, unit, rules. Then give it with --schema.",
    }


def _text(stated: dict[str, Any]) -> str:
    """The schema in JSON, a column on each line."""
    rest = {name: value for name, value in stated.items() if name != "fields"}
    head = json.dumps(rest, ensure_ascii=False, indent=1)[:-2]
    fields = ",\n".join("  " + json.dumps(field, ensure_ascii=False) for field in stated["fields"])
    return f'{head},\n "fields": [\n{fields}\n ]\n}}\n'
