"""A function's signature read into a NodeSpec, or refused with a sentence: where and why."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import docstring_parser
from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from nodeflow.errors import DeclarationError
from nodeflow.literals import literal_adapter, reason
from nodeflow.sockets import ANY, File, Lazy, Was, Widget, list_of
from nodeflow.spec import MARK, CacheMode, InputSpec, Lane, NodeOptions, NodeSpec, OutputSpec

LITERAL_TYPES = frozenset({"int", "float", "str", "bool", "json", ANY})
SERVICES = {
    "nodeflow.progress.Progress": "progress",
    "nodeflow.devices.Device": "device",
    "nodeflow.models.memory.ModelMemory": "models",
    "nodeflow.models.folders.ModelFolders": "folders",
    "nodeflow.outputs.OutputFiles": "files",
}
"""Class of a service to its name in a NodeSpec."""


@dataclass(frozen=True)
class _Annotation:
    """An annotation taken apart: the bare type, and the marks around it."""

    bare: Any
    whole: Any
    optional: bool
    lazy: bool
    marks: tuple[object, ...]

    def mark(self, kind: type) -> Any:
        return next((mark for mark in reversed(self.marks) if isinstance(mark, kind)), None)


def _take_apart(annotation: Any) -> _Annotation:
    marks: list[object] = []
    optional = lazy = False
    whole = annotation
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            marks = [*found, *marks]
        elif get_origin(annotation) is Lazy:
            (annotation,) = get_args(annotation)
            # Limits may stand inside of `Lazy[...]` or around it.
            whole, lazy = Annotated[(annotation, *marks)] if marks else annotation, True
        elif get_origin(annotation) in (Union, types.UnionType):
            rest = [item for item in get_args(annotation) if item is not type(None)]
            if len(rest) == len(get_args(annotation)) or len(rest) != 1:
                break
            annotation, optional = rest[0], True
        else:
            break
    return _Annotation(annotation, whole, optional, lazy, tuple(marks))


def read_node(function: Callable[..., Any], pack: str, sockets: Mapping[Any, str]) -> NodeSpec:
    """The NodeSpec of a function that `@node` marked; `identity` is left to the registry.

    Args:
        function: The marked function.
        pack: Name of its pack.
        sockets: Python type to socket type name, shared ones and the pack's own.

    Raises:
        DeclarationError: The declaration cannot work; the sentence names file, line and parameter.
    """
    return _Reader(function, pack, sockets).read()


class _Reader:
    def __init__(self, function: Callable[..., Any], pack: str, sockets: Mapping[Any, str]) -> None:
        self._function = function
        self._pack = pack
        self._sockets = sockets
        self._options: NodeOptions = getattr(function, MARK)
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is None:
            raise DeclarationError(
                f"{function.__module__}: @node stands before '{function.__qualname__}', "
                "which is no function; write the node as a function."
            )
        self._line = code.co_firstlineno
        self._where = f"{code.co_filename}:{self._line}, {function.__name__}()"
        self._doc = docstring_parser.parse(inspect.getdoc(function) or "")
        self._described = {
            item.arg_name: " ".join((item.description or "").split()) for item in self._doc.params
        }

    def read(self) -> NodeSpec:
        self._refuse_wrong_options()
        hints = self._hints()
        inputs: list[InputSpec] = []
        services: dict[str, str] = {}
        for parameter in inspect.signature(self._function).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY:
                services[parameter.name] = self._service(parameter.name, hints)
            elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                inputs.append(self._input(parameter, hints))
            else:
                raise self._wrong(
                    parameter.name,
                    f"'{parameter}' cannot be an input; name each input "
                    "(a growing one is `name: tuple[Image, ...]`)",
                )
        outputs = self._outputs(hints)
        is_async = inspect.iscoroutinefunction(self._function)
        if not is_async and (lazy := [item.name for item in inputs if item.lazy]):
            raise self._wrong(lazy[0], "a Lazy input is awaited; make the function `async def`")
        self._unknown_documented(inputs, services)
        options, name = self._options, self._function.__name__
        summary = [self._doc.short_description or "", self._doc.long_description or ""]
        # Without an empty line what follows the first one goes on in its paragraph.
        between = "\n\n" if self._doc.blank_after_short_description else "\n"
        return NodeSpec(
            id=f"{self._pack}.{name}",
            pack=self._pack,
            function=name,
            module=self._function.__module__,
            line=self._line,
            title=options.title or name.replace("_", " ").capitalize(),
            category=options.category,
            description=between.join(part for part in summary if part),
            on=options.on,
            cache=options.cache,
            end=not outputs,
            is_async=is_async,
            deprecated=options.deprecated,
            was=options.was,
            check=self._hook(options.check, "check", inputs),
            facts=self._hook(options.facts, "facts", inputs),
            inputs=tuple(inputs),
            outputs=outputs,
            services=services,
        )

    def _refuse_wrong_options(self) -> None:
        options = self._options
        for option, given, known in (
            ("on", options.on, get_args(Lane)),
            ("cache", options.cache, get_args(CacheMode)),
        ):
            if given not in known:
                choices = ", ".join(f"'{choice}'" for choice in known)
                raise DeclarationError(
                    f"{self._where}: {option}={given!r} is not one of {choices}."
                )
        if options.output is not None and not options.output.isidentifier():
            raise DeclarationError(
                f"{self._where}: output={options.output!r} is no name; use letters, digits and _."
            )
        if "<locals>" in self._function.__qualname__:
            raise DeclarationError(
                f"{self._where}: a node is a module's top-level function, not one inside another."
            )

    def _wrong(self, parameter: str, sentence: str) -> DeclarationError:
        return DeclarationError(f"{self._where}, parameter '{parameter}': {sentence}.")

    def _hints(self) -> dict[str, Any]:
        try:
            hints = typing.get_type_hints(self._function, include_extras=True)
        except Exception as error:
            raise DeclarationError(
                f"{self._where}: its annotations cannot be resolved ({error}). "
                "Import every type of the signature at the module's top, outside TYPE_CHECKING."
            ) from error
        for name in (*inspect.signature(self._function).parameters, "return"):
            if name not in hints:
                raise self._wrong(name, "it has no type annotation; add one")
        return hints

    def _unknown_documented(self, inputs: list[InputSpec], services: dict[str, str]) -> None:
        known = {item.name for item in inputs} | services.keys()
        for name in self._described:
            if name not in known:
                raise self._wrong(
                    name, "the docstring describes it, but there is no such parameter"
                )

    def _service(self, name: str, hints: dict[str, Any]) -> str:
        bare = _take_apart(hints[name]).bare
        path = f"{getattr(bare, '__module__', '')}.{getattr(bare, '__qualname__', bare)}"
        if path not in SERVICES:
            known = ", ".join(sorted(item.rpartition(".")[2] for item in SERVICES))
            raise self._wrong(
                name, f"{bare!r} is no service (those after `*` are); there are: {known}"
            )
        return SERVICES[path]

    def _input(self, parameter: inspect.Parameter, hints: dict[str, Any]) -> InputSpec:
        name = parameter.name
        parts = _take_apart(hints[name])
        grows = get_origin(parts.bare) is tuple
        if grows:
            items = get_args(parts.bare)
            if len(items) != 2 or items[1] is not Ellipsis:
                raise self._wrong(name, "a growing input is written `tuple[T, ...]`")
            inner = _take_apart(items[0])
            parts = _Annotation(inner.bare, items[0], parts.optional, inner.lazy, parts.marks)
        type_name = self._type(name, parts.bare)
        schema = None if grows else self._schema(name, parts, type_name)
        file, widget, was = parts.mark(File), parts.mark(Widget), parts.mark(Was)
        if file is not None and type_name != "Path":
            raise self._wrong(name, "a File mark goes on a `Path`")
        field = parts.mark(FieldInfo)
        required = parameter.default is parameter.empty and not grows
        default = None if required or grows else self._default(parameter, schema, parts, file)
        return InputSpec(
            name=name,
            type=type_name,
            required=required,
            default=default,
            json_schema=schema,
            file=file,
            lazy=parts.lazy,
            grows=grows,
            optional=parts.optional,
            description=self._described.get(name) or (field and field.description) or "",
            widget=widget.name if widget else None,
            widget_options=dict(widget.options) if widget else {},
            was=was.names if was else (),
        )

    def _type(self, name: str, bare: Any) -> str:
        origin = get_origin(bare)
        if origin is list:
            return list_of(self._type(name, _take_apart(get_args(bare)[0]).bare))
        if origin is Literal:
            kinds = {type(choice).__name__ for choice in get_args(bare)}
            if len(kinds) != 1 or kinds - {"str", "int", "bool"}:
                raise self._wrong(name, f"the choices of {bare} are not all text or all int")
            return kinds.pop()
        if isinstance(bare, type) and issubclass(bare, Enum):
            return self._type(name, Literal[tuple(member.value for member in bare)])
        if isinstance(bare, TypeVar):
            return f"~{bare.__name__}"
        if bare in (object, Any):
            return ANY
        if origin is dict or bare in (dict, JsonValue):
            return "json"
        if found := self._sockets.get(bare):
            return found
        raise self._wrong(
            name,
            f"{bare!r} is no socket type; use one of nodeflow's, or declare your own with a module "
            f"constant `NAME = SocketType('NAME', of=..., codec='module:CODEC')`",
        )

    def _schema(self, name: str, parts: _Annotation, type_name: str) -> dict[str, JsonValue] | None:
        base = type_name
        while base.startswith("list["):
            base = base[5:-1]
        if base.startswith("~"):
            return {} if base == type_name else None
        if base == "Path":
            if parts.mark(File) is None:
                return None
            return {"type": "string", "minLength": 1}
        if base not in LITERAL_TYPES:
            return None
        if parts.bare in (object, Any):
            return {}
        try:
            schema = TypeAdapter(parts.whole).json_schema()
            literal_adapter(schema)
        except Exception as error:
            raise self._wrong(name, f"no JSON Schema can be made of it ({error})") from error
        return typing.cast("dict[str, JsonValue]", schema)

    def _default(
        self,
        parameter: inspect.Parameter,
        schema: dict[str, JsonValue] | None,
        parts: _Annotation,
        file: File | None,
    ) -> JsonValue:
        value = parameter.default
        if value is None and parts.optional:
            return None
        if isinstance(value, Enum):
            value = value.value
        if file is not None and isinstance(value, Path):
            value = value.as_posix()
        if value is None and (schema is None or schema):
            raise self._wrong(
                parameter.name, "its default is None, which its type lacks; write `... | None`"
            )
        if isinstance(value, FieldInfo):
            raise self._wrong(
                parameter.name,
                "its default is a Field; write `Annotated[TYPE, Field(...)] = DEFAULT`",
            )
        if schema is None:
            raise self._wrong(
                parameter.name, f"the default {value!r} is no literal; only None can stand here"
            )
        try:
            validated: JsonValue = literal_adapter(schema).validate_python(value)
        except ValidationError as error:
            raise self._wrong(
                parameter.name, f"its default {value!r} is not acceptable: {reason(error)}"
            ) from error
        return validated

    def _outputs(self, hints: dict[str, Any]) -> tuple[OutputSpec, ...]:
        returned = hints["return"]
        if returned is type(None):
            self._refuse_output_name("the node has no output")
            return ()
        parts = _take_apart(returned)
        # A NamedTuple may be generic: `Pairs[A, B]`.
        named = get_origin(parts.bare) or parts.bare
        if isinstance(named, type) and hasattr(named, "_fields"):
            self._refuse_output_name(f"{named.__name__} names the outputs")
            fields = typing.get_type_hints(named, include_extras=True)
            doc = docstring_parser.parse(inspect.getdoc(named) or "")
            described = {item.arg_name: item.description or "" for item in doc.params}
            return tuple(
                self._output(name, hint, described.get(name, "")) for name, hint in fields.items()
            )
        if get_origin(parts.bare) is tuple:
            raise self._wrong("return", "outputs have names; return a NamedTuple, not a tuple")
        returns = self._doc.returns.description if self._doc.returns else ""
        name = self._options.output or _snake(self._type("return", parts.bare))
        return (self._output(name, returned, returns or ""),)

    def _refuse_output_name(self, why: str) -> None:
        if self._options.output is not None:
            raise self._wrong("return", f"output='{self._options.output}' is given, but {why}")

    def _output(self, name: str, hint: Any, description: str) -> OutputSpec:
        parts = _take_apart(hint)
        if parts.optional or parts.lazy:
            raise self._wrong("return", f"the output '{name}' may be neither None nor Lazy")
        was = parts.mark(Was)
        return OutputSpec(
            name=name,
            type=self._type("return", parts.bare),
            description=" ".join(description.split()),
            was=was.names if was else (),
        )

    def _hook(
        self, hook: Callable[..., object] | None, option: str, inputs: list[InputSpec]
    ) -> str | None:
        if hook is None:
            return None
        name = getattr(hook, "__name__", "")
        if not name.isidentifier() or getattr(hook, "__qualname__", "") != name:
            raise DeclarationError(
                f"{self._where}: {option}= must be a module's top-level function."
            )
        known = {item.name for item in inputs}
        for asked in inspect.signature(hook).parameters:
            if asked not in known:
                raise DeclarationError(
                    f"{self._where}: {option}= asks for '{asked}', which is no input of the node."
                )
        return f"{hook.__module__}:{name}"


def _snake(type_name: str) -> str:
    """`TextEncoder` -> `text_encoder`, `list[Image]` -> `images`, `~T` -> `value`."""
    if type_name.startswith("list["):
        return _snake(type_name[5:-1]) + "s"
    if type_name.startswith("~") or type_name == ANY:
        return "value"
    bare = type_name.rpartition(".")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
