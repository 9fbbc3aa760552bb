"""Hooks: what a pack itself says of a node before it runs (`check=`, `facts=`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodeflow.checking.checked import CheckedNode, problem_at
from nodeflow.checking.flat import FlatNode
from nodeflow.errors import PackError
from nodeflow.findings import Findings
from nodeflow.registry import Registry
from nodeflow.spec import Facts, NodeSpec
from nodeflow.workflow import Link

READS = "reads"
"""The fact that names further files that a node reads: they count for its key. Not handed on."""


class Hooks:
    """Asks the hooks of nodes in order, and hands what they know on to those that follow."""

    def __init__(self, registry: Registry, findings: Findings) -> None:
        self._registry = registry
        self._findings = findings
        self._facts: dict[Link, Facts] = {}

    def ask(self, node: FlatNode, checked: CheckedNode) -> None:
        """Call the hooks of a node that is otherwise without fault."""
        spec = checked.spec
        if spec.check is None and spec.facts is None:
            return
        known: dict[str, object] = {**checked.literals, **checked.files}
        for name, link in checked.links.items():
            known[name] = {} if isinstance(link, tuple) else self._facts.get(link, {})
        try:
            if spec.check is not None:
                self._call(spec, spec.check, known)
            if spec.facts is not None:
                self._keep(node, checked, self._call(spec, spec.facts, known))
        except ValueError as error:
            self._refuse(node, checked, f"{error}")
        except OSError as error:
            # The pack is not to blame for a disk, a link or a permission.
            what = "a file that it reads" if error.filename is None else f"{error.filename}"
            reason = error.strerror or type(error).__name__
            way_out = "see that it is there and may be read"
            self._refuse(node, checked, f"{what} cannot be read: {reason}; {way_out}")
        except PackError as error:
            way_out = f"Mend the pack '{spec.pack}', or remove the node."
            self._findings.add(problem_at(node, "broken_pack", str(error), None, way_out))
        except Exception as error:  # noqa: BLE001  # a pack's code may raise anything
            sentence = (
                f"The node '{node.id}' ({spec.id}) cannot be checked: "
                f"its pack raised {type(error).__name__}: {error}."
            )
            way_out = f"Mend the pack '{spec.pack}', or remove the node."
            self._findings.add(problem_at(node, "broken_pack", sentence, None, way_out))

    def _refuse(self, node: FlatNode, checked: CheckedNode, reason: str) -> None:
        """Say why, at the input whose file is meant, if it is one."""
        meant = [name for name, path in checked.files.items() if str(path) in reason]
        name = meant[0] if len(meant) == 1 else None
        place = f"The node '{node.id}' ({checked.spec.id})"
        place += "" if name is None else f", input '{name}'"
        self._findings.add(problem_at(node, "check_failed", f"{place}: {reason}", name))

    def _call(self, spec: NodeSpec, reference: str, known: Mapping[str, object]) -> object:
        hook = self._registry.hook(spec, reference)
        code = hook.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return hook(**{name: known.get(name) for name in names})

    def _keep(self, node: FlatNode, checked: CheckedNode, found: object) -> None:
        if not isinstance(found, Mapping):
            raise TypeError(f"facts= gave a {type(found).__name__}, not facts by output")
        for output, facts in found.items():
            reads = facts.get(READS, ())
            if isinstance(reads, list):
                paths = (*checked.reads, *(Path(str(path)) for path in reads))
                checked.reads = tuple(dict.fromkeys(paths))
            self._facts[Link(node.id, output)] = {n: v for n, v in facts.items() if n != READS}
