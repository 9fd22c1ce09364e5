"""
From a toolset to its one canonical source, of which the digest is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from memp.script.formatter import format_parameter
from memp.script.nodes import Parameter
from memp.script.texts import quote
from memp.script.toolset import Action, AnyEntry, Condition, Finder, ToolClass, Toolset
from memp.script.types import type_text


def format_toolset(toolset: Toolset) -> str:
    """Return the canonical source of *toolset*; one line for each declaration, ending with a newline."""
    lines = [quote(toolset.doc), ""] if toolset.doc else []
    lines.append(f"toolset({quote(toolset.name)})")
    if toolset.no_effect:
        lines.append(f"no_effect({', '.join(quote(marker) for marker in toolset.no_effect)})")
    lines += [line for tool_class in toolset.classes for line in ("", *_class_lines(tool_class))]
    lines += [line for entry in toolset.entries for line in ("", *_entry_lines(entry))]
    return "\n".join(lines) + "\n"


def _class_lines(tool_class: ToolClass) -> list[str]:
    head = f"class {tool_class.name}{f'({tool_class.parent})' if tool_class.parent else ''}:"
    body = [quote(tool_class.doc)] if tool_class.doc else []
    body += [format_parameter(field) for field in tool_class.fields]
    if tool_class.open or not body:
        body.append("..." if tool_class.open else '""')
    keys = [field for field in tool_class.fields if field.key is not None]
    lines = [_keys_line(keys)] if keys else []
    return [*lines, head, *(f"    {line}" for line in body)]


def _keys_line(parameters: Sequence[Parameter]) -> str:
    return f"@keys({', '.join(f'{p.name}={quote(p.wire)}' for p in parameters if p.key is not None)})"


def _entry_lines(entry: AnyEntry) -> list[str]:
    forms = [quote(form.text) for form in entry.forms if form.dialect is None]
    forms += [f"{form.dialect}={quote(form.text)}" for form in entry.forms if form.dialect is not None]
    parameters = ", ".join(format_parameter(parameter) for parameter in entry.parameters)
    returns, extra = "", []
    match entry:
        case Action(no_effect=markers, observing=observing, undoes=undoes, overrides=overrides):
            word = "action"
            extra += [f"@no_effect({', '.join(quote(marker) for marker in markers)})"] if markers else []
            extra += ["@observing"] if observing else []
            extra += [f"@undoes({', '.join(undoes)})"] if undoes else []
            extra += [f"@overrides({', '.join(overrides)})"] if overrides else []
            keys = [parameter for parameter in entry.parameters if parameter.key is not None]
            extra += [_keys_line(keys)] if keys else []
        case Condition():
            word = "condition"
        case Finder(by=by, returns=returned):
            word = "finder"
            forms += [f"by=[{', '.join(by)}]"] if by else []
            returns = f" -> {type_text(returned)}"
    body = quote(entry.doc) if entry.doc else "..."
    return [f"@{word}({', '.join(forms)})", *extra, f"def {entry.name}({parameters}){returns}: {body}"]
