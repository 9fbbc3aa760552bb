"""A few answers kept in one JSON file, apart from the values: they outlive a cleared cache."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from nodeflow.errors import StoreError


class JsonMemory:
    """Answers by kind and question, in one small file that is whole at every moment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, kind: str, keys: Sequence[str]) -> dict[str, JsonValue]:
        """The answers that are known; none if the file is absent or damaged."""
        known = self._read().get(kind)
        if not isinstance(known, dict):
            return {}
        return {key: known[key] for key in keys if key in known}

    def remember(self, kind: str, items: Mapping[str, JsonValue]) -> None:
        """Add answers.

        Raises:
            StoreError: The file cannot be written.
        """
        all_kinds = self._read()
        known = all_kinds.get(kind)
        all_kinds[kind] = {**(known if isinstance(known, dict) else {}), **items}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(all_kinds, file, indent=1, sort_keys=True)
            os.replace(temporary, self._path)
        except OSError as error:
            raise StoreError(f"The file {self._path} cannot be written: {error}.") from error

    def _read(self) -> dict[str, JsonValue]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
