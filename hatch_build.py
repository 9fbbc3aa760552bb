"""Build hook: a wheel and an sdist hold the editor's site, so that nobody who gets one needs Node.

Made from an sdist, a wheel takes the site that came along: its stamp says that it is of the same
sources. An editable install holds none; `nodeflow serve` builds it in the checkout.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SiteHook(BuildHookInterface[Any]):
    """Named by `tool.hatch.build.hooks.custom`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        web_build = _web_build(root)
        site = root / web_build.SITE
        if not web_build.is_fresh(root, site):
            try:
                web_build.build(root, site, self.app.display_info)
            except web_build.BuildError as error:
                raise RuntimeError(f"{error}\n{error.output}".rstrip()) from error
        # Git ignores it, and hatchling what git ignores.
        build_data["artifacts"].append(f"/{web_build.SITE}/**")


def _web_build(root: Path) -> ModuleType:
    """`nodeflow.web_build` by its path: to import nodeflow takes all that it depends on."""
    spec = importlib.util.spec_from_file_location(
        "nodeflow_web_build", root / "nodeflow" / "web_build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
