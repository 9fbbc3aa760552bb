"""Which architecture the weights of an upscaler are of, by their names. Without torch.

spandrel tells architectures apart by conditions on these names. Importing it would bring torch
along, so the conditions are read out of its source.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Container, Mapping
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

Condition = Callable[[Container[str]], bool]
"""Whether weights with these names are of an architecture."""


def architecture_of(names: Container[str]) -> str | None:
    """The architecture of weights with these names; None if spandrel knows none.

    Empty if its source does not tell, so that only loading will.
    """
    found = conditions()
    unknown = None if found else ""
    return next((name for name, condition in found.items() if condition(names)), unknown)


@cache
def conditions() -> Mapping[str, Condition]:
    """Architectures in the order that spandrel asks for them; none if its source has changed."""
    # On the path alone: where heavy libraries are refused, looking them up would be too.
    spec = PathFinder.find_spec("spandrel")
    if spec is None or spec.origin is None:
        return {}
    place = Path(spec.origin).parent
    try:
        registry = (place / "__helpers" / "main_registry.py").read_text(encoding="utf-8")
        folders = re.findall(r"from_architecture\((\w+)\.", registry)
        sources = [place / "architectures" / folder / "__init__.py" for folder in folders]
        return dict(_architecture(source.read_text(encoding="utf-8")) for source in sources)
    except (OSError, SyntaxError, ValueError):
        return {}


def _architecture(source: str) -> tuple[str, Condition]:
    """The name and the condition that a module hands to the base of all architectures."""
    for node in ast.walk(ast.parse(source)):
        told = (
            {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
        )
        if "detect" in told and "id" in told:
            name = ast.literal_eval(told.get("name", told["id"]))
            return str(name), _condition(told["detect"])
    raise ValueError("no architecture is told of")


def _condition(expression: ast.expr) -> Condition:
    """Of names, and of `KeyCondition.has_all` and `has_any` of such; nothing else is run."""
    match expression:
        case ast.Constant(value=str(name)):
            return lambda names: name in names
        case ast.Call(func=ast.Attribute(attr="has_all", value=ast.Name("KeyCondition"))):
            every = [_condition(part) for part in expression.args]
            return lambda names: all(condition(names) for condition in every)
        case ast.Call(func=ast.Attribute(attr="has_any", value=ast.Name("KeyCondition"))):
            some = [_condition(part) for part in expression.args]
            return lambda names: any(condition(names) for condition in some)
    raise ValueError(f"this is no condition on names: {ast.unparse(expression)}")
