"""The pages of docs/reference, made of the code: the key tree, the parsers of the commands, the exit codes.

``python -m tests.docs.reference`` (part of ``make golden``) writes them; a test compares them with the code.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from sdrl.cli.main import COMMANDS, ENVIRONMENT
from sdrl.compiler import graph
from sdrl.compiler.plan import STAGES
from sdrl.spec import diagnostics
from sdrl.spec.base import Table
from sdrl.spec.diagnostics import Exit
from sdrl.spec.model import Spec
from sdrl.spec.presets import PRESETS
from sdrl.spec.schema import descriptions
from sdrl.spec.shapes import Shape, fields_of

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
MADE = "<!-- Made by 'make golden' from the code; edit the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """File name → text."""
    return {"spec.md": spec_page(), "cli.md": cli_page(), "exit-codes.md": exit_page()}


def spec_page() -> str:
    """Every table of the key tree with its keys, and where the presets differ."""
    lines = [
        "# Keys of the spec, version 1\n",
        "Required: `sdrl`, `name`, `task.description`, `task.output_format`, `answer`. Everything else has a default,",
        "here under the preset `recommended`. *Re-runs from* is the first stage whose rows a change makes anew; all",
        "before it are kept. `specs/_reference.yaml` shows the same keys in one commented spec, `sdrl schema` prints",
        "the JSON Schema.\n",
        "## Presets\n",
        "Keys in which the three presets differ; `extends` names one.\n",
        "| key | " + " | ".join(f"`{name}`" for name in PRESETS) + " |",
        "|---|" + "---|" * len(PRESETS),
    ]
    flat = {name: dict(_flat(values)) for name, values in PRESETS.items()}
    paths = list(dict.fromkeys(path for each in flat.values() for path in each))
    for path in paths:
        cells = [_code(each[path]) if path in each else _code(_default(path)) for each in flat.values()]
        if len(set(cells)) > 1:
            lines.append(f"| `{path}` | " + " | ".join(cells) + " |")
    for path, table in _tables(Spec, ""):
        lines += ["", *_section(path, table)]
    return MADE + "\n".join(lines) + "\n"


def _tables(table: type[Table], path: str, above: tuple[type[Table], ...] = ()) -> Iterator[tuple[str, type[Table]]]:
    yield path, table
    for key, field in fields_of(table).items():
        for suffix, below in _below(field.shape):
            if below not in above and below is not table:
                yield from _tables(below, f"{path}.{key}{suffix}".lstrip("."), (*above, table))


def _below(shape: Shape) -> Iterator[tuple[str, type[Table]]]:
    if shape.table is not None:
        yield "", shape.table
    if shape.item is not None:
        for suffix, table in _below(shape.item):
            yield f"[]{suffix}", table
    if shape.values is not None:
        for suffix, table in _below(shape.values):
            yield f".NAME{suffix}", table


def _section(path: str, table: type[Table]) -> Iterator[str]:
    yield f"## `{path}`\n" if path else "## The spec\n"
    yield " ".join(inspect.cleandoc(table.__doc__ or "").split("\n\n")[0].split()) + "\n"
    yield "| key | value | default | re-runs from | |"
    yield "|---|---|---|---|---|"
    texts = descriptions(table)
    for key, field in fields_of(table).items():
        whole = f"{path}.{key}".lstrip(".")
        default = "**required**" if field.required else _code(_default(whole, table, key))
        cells = (f"`{key}`", field.shape.expected(), default, _from(whole), texts.get(key, ""))
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _default(path: str, table: type[Table] | None = None, key: str = "") -> Any:
    """The preset's value, else the model's own."""
    recommended = dict(_flat(PRESETS["recommended"]))
    if path in recommended:
        return recommended[path]
    if table is None:
        *above, key = path.split(".")
        table = dict(_tables(Spec, ""))[".".join(above)]
    info = next(info for name, info in table.model_fields.items() if (info.alias or name) == key)
    value = info.get_default(call_default_factory=True)
    return {} if isinstance(value, Table) else value


def _flat(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _flat(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, values


def _from(path: str) -> str:
    """The first stage of a plan that a key belongs to; a table is left to its keys."""
    plain = path.replace("[]", "").replace(".NAME", "")
    if any(_is_under(plain, each) for each in graph.NOT_HASHED):
        return "nothing"
    own = [stage for stage in STAGES if any(_is_under(plain, each) for each in graph.SETTINGS[stage])]
    for key, kind in graph.RESOLVED.items():
        if _is_under(plain, key):
            own += _RESOLVED_STAGES.get(key) or _RESOLVED_STAGES[kind]
    return next((stage for stage in STAGES if stage in own), "")


_RESOLVED_STAGES: dict[str, tuple[str, ...]] = {
    "demos": tuple(stage for stage, fields in graph.PART_FIELDS.items() if "demos" in fields),
    "parts": tuple(graph.PART_FIELDS),
    "verifier": graph.VERIFIED,
    "prompts": tuple(graph.PROMPTS),
    "corpus": ("keywords", "retrieve"),
    "evaluations": (*graph.FILTERED, "evaluate"),
    "embedder": graph.FILTERED,
    "instructor": graph.INSTRUCTED,
    "base": graph.ANSWERED,
    "seed": STAGES,
}


def _is_under(path: str, key: str) -> bool:
    return path == key or path.startswith(f"{key}.")


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`" if value != {} else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def cli_page() -> str:
    """Every command with its arguments, from its own parser."""
    lines = ["# Commands\n", "Data goes to stdout, talk to stderr. [Exit codes](exit-codes.md).\n"]
    lines += ["| command | does |", "|---|---|"]
    lines += [f"| [`sdrl {name}`](#sdrl-{name}) | {summary} |" for name, (_, summary) in COMMANDS.items()]
    for name, (module, summary) in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"sdrl {name}")
        importlib.import_module(f"sdrl.cli.{module}").configure(parser)
        lines += ["", *_command(name, summary, parser)]
    lines += ["", "## Environment\n", "A spec names the variables that hold keys (`models.instructor.key_env`); beside"]
    lines += ["them these are read:\n", "| variable | says |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in ENVIRONMENT.items()]
    return MADE + "\n".join(lines) + "\n"


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## sdrl {name}\n"
    yield f"{summary[0].upper()}{summary[1:]}."
    actions = [action for action in parser._actions if action.dest != "help"]
    if not actions:
        return
    yield "\n| argument | |"
    yield "|---|---|"
    for action in actions:
        value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        words = ", ".join(action.option_strings)
        shown = f"{words} {value}".strip() if words else str(value)
        more = {"+": " …", "*": " …", "?": ""}.get(str(action.nargs), "")
        choices = f"; one of {', '.join(map(str, action.choices))}" if action.choices and words else ""
        help_ = (action.help or "") % {"default": action.default, "prog": parser.prog}
        if choices and all(str(choice) in help_ for choice in action.choices or ()):
            choices = ""
        yield f"| `{shown}{more}` | {_cell(help_ + choices)} |"


def exit_page() -> str:
    """The codes of ``Exit`` with the strings under them."""
    tree = ast.parse(inspect.getsource(diagnostics))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Exit").body
    meaning = {
        statement.targets[0].id: ast.literal_eval(below.value)
        for statement, below in pairwise(body)
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(below, ast.Expr)
    }
    rows = "".join(f"| {int(code)} | {meaning[code.name]} |\n" for code in Exit)
    head = "# Exit codes\n\nThe same for every command; scripts may rely on them.\n\n| exit | means |\n|--:|---|\n"
    return MADE + head + rows


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
