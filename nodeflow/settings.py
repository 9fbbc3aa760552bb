"""Folders and budgets: from `NODEFLOW_` variables, else from `nodeflow.toml`, else as said here."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import psutil
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from nodeflow.errors import SettingsError

PREFIX = "NODEFLOW_"
CONFIG = "NODEFLOW_CONFIG"
"""Names the settings file; the only variable that is not a setting itself."""

DEFAULT_PORT = 8420
"""Where a server listens, and clients look for one, unless they are told otherwise."""

_GB = 1000**3


def config_path() -> Path:
    """The settings file: `NODEFLOW_CONFIG`, else `nodeflow.toml` in the user's config folder."""
    chosen = os.environ.get(CONFIG)
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_config_path("nodeflow") / "nodeflow.toml"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _split(folders: object) -> object:
    """`a:b` into its parts, as in PATH (`;` on Windows)."""
    if isinstance(folders, str):
        return [part for part in folders.split(os.pathsep) if part]
    return folders


def _not_negative(size: ByteSize) -> ByteSize:
    if size < 0:
        raise ValueError("a size cannot be negative")
    return size


def _true_false_or_blocks(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value.strip().lower() if isinstance(value, str) else value)
    except ValidationError:
        raise ValueError("write true, false or blocks") from None


def _share_of_ram(share: float) -> ByteSize:
    return ByteSize(psutil.virtual_memory().total * share)


Folder = Annotated[Path, AfterValidator(_absolute)]
Folders = Annotated[tuple[Folder, ...], NoDecode, BeforeValidator(_split)]
Size = Annotated[ByteSize, AfterValidator(_not_negative)]
"""Bytes as a number, or as a text such as `8GB` or `512 MiB`."""
Compiling = Annotated[bool | Literal["blocks"], WrapValidator(_true_false_or_blocks)]
"""Whether networks are compiled: whole, or only the blocks that they repeat."""


class Settings(BaseSettings):
    """What the user chose. Raises `SettingsError` with one sentence for each thing that is wrong.

    Attributes:
        packs: Folders that hold packs; `packs/` in the data folder if none is named.
        models: Folders that hold `checkpoints/`, `loras/` ...; likewise `models/`.
        cache: Folder of the disk store and of what is remembered about packs and devices.
        data: Folder of the user's own things: `inputs/`, `packs/`, `models/`.
        memory: Budget for values kept in RAM, in bytes.
        device_memory: Budget for values kept on the device, in bytes.
        model_memory: Budget for models kept in RAM, in bytes.
        device_model_memory: Budget for models kept on the device, in bytes; by default four
            fifths of what the device has.
        disk: Budget of the disk store, in bytes.
        history: Budget of a server's journal, in bytes; the oldest finished jobs leave first.
        history_days: Days after which a finished job leaves the journal.
        cpu_threads: How many nodes may compute on the CPU at once.
        compile: Compile the networks that denoise: whole, so that the first step takes minutes, or
            with `blocks` only the blocks that a network repeats, which takes far less.
        lower_precision: Where memory is too small for a model, go on in a lower precision, which
            changes pictures a little.
        server: Address of the server that clients talk to; empty for the one on this machine.
        token: What that server wants from clients on other machines.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True
    )

    packs: Folders = ()
    models: Folders = ()
    cache: Folder = Field(default_factory=lambda: platformdirs.user_cache_path("nodeflow"))
    data: Folder = Field(default_factory=lambda: platformdirs.user_data_path("nodeflow"))
    memory: Size = Field(default_factory=lambda: _share_of_ram(0.25))
    device_memory: Size = ByteSize(_GB)
    model_memory: Size = Field(default_factory=lambda: _share_of_ram(0.5))
    device_model_memory: Size | None = None
    disk: Size = ByteSize(20 * _GB)
    history: Size = ByteSize(2 * _GB)
    history_days: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 90.0
    cpu_threads: Annotated[int, Field(ge=1, le=256)] = min(4, os.cpu_count() or 1)
    compile: Compiling = False
    lower_precision: bool = False
    server: str = ""
    token: str = Field("", repr=False)

    def __init__(self, **values: Any) -> None:
        problems = _unknown_variables(os.environ)
        try:
            super().__init__(**values)
        except ValidationError as error:
            problems += _sentences(error, values)
        if problems:
            raise SettingsError("\n".join(problems))

    def model_post_init(self, context: object, /) -> None:
        for name in ("packs", "models"):
            if not getattr(self, name):
                # The model is frozen for everybody else; here it is still being made.
                self.__dict__[name] = (self.data / name,)

    @property
    def inputs(self) -> Path:
        """Folder of the user's own pictures."""
        return self.data / "inputs"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = InitSettingsSource(settings_cls, init_kwargs=_read_config())
        return init_settings, env_settings, file


def _read_config() -> dict[str, Any]:
    """The settings file; relative folders in it are meant from its own folder."""
    path = config_path()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if CONFIG in os.environ:
            raise SettingsError(
                f"{CONFIG} names '{path}', which does not exist. Create it or unset the variable."
            ) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file '{path}' cannot be read: {error}.") from error
    home = path.absolute().parent
    for name in ("cache", "data"):
        if isinstance(values.get(name), str):
            values[name] = home / Path(values[name]).expanduser()
    for name in ("packs", "models"):
        folders = _split(values.get(name))
        if isinstance(folders, list):
            values[name] = [
                home / Path(item).expanduser() if isinstance(item, str) else item
                for item in folders
            ]
    return values


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return near[0] if near else ""


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each `NODEFLOW_` variable that is no setting: a typo must not be silent."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG}
    problems = []
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = _nearest(name[len(PREFIX) :].lower())
            hint = f"Did you mean {PREFIX}{near.upper()}?" if near else f"Known: {_list(known)}."
            problems.append(f"The variable {name} is no setting of nodeflow. {hint}")
    return problems


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _sentences(error: ValidationError, values: Mapping[str, Any]) -> list[str]:
    problems = []
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0])
        where = f"'{name}' in {_origin(name, values)}"
        if fault["type"] == "extra_forbidden":
            near = _nearest(name)
            hint = (
                f"Did you mean '{near}'?" if near else f"Known: {_list({*Settings.model_fields})}."
            )
            problems.append(f"{where} is no setting. {hint}")
            continue
        reason = fault["msg"].removeprefix("Value error, ")
        if fault["type"].startswith("byte_size"):
            reason = "write a size such as 8GB or 512 MB"
        problems.append(f"The setting {where} cannot be {fault['input']!r}: {reason}.")
    return problems


def _origin(name: str, values: Mapping[str, Any]) -> str:
    """Where the value of a setting came from."""
    if name in values:
        return "the call"
    variable = PREFIX + name.upper()
    if any(key.upper() == variable for key in os.environ):
        return f"the variable {variable}"
    return f"the file '{config_path()}'"
