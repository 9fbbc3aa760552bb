"""What surrounds the code: versions, commands, licence, what import-linter cannot hold."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(wanted for extra in PROJECT["optional-dependencies"].values() for wanted in extra),
]
MODULES = [
    path for folder in ("nodeflow", "nodes") for path in sorted((ROOT / folder).rglob("*.py"))
]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_every_dependency_has_one_exact_version_that_fits(text):
    wanted = Requirement(text)

    assert wanted.specifier.contains(constraints()[canonicalize_name(wanted.name)])


def test_constraints_name_no_place_and_no_package_twice():
    lines = (ROOT / "constraints.txt").read_text().splitlines()[1:]

    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert list(constraints()) == sorted(constraints())
    assert len(constraints()) == len(lines)


@pytest.mark.parametrize(
    "word", ["demo", "test", "check", "web", "web-check", "schema", "serve", "bench"]
)
def test_make_knows_every_word(word):
    assert re.search(rf"^{word}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_names_the_two_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()

    for command in ("make demo", "make test"):
        assert command in readme
        assert f"step {command}" in ci


def test_the_licence_is_the_whole_text_of_the_one_that_is_declared():
    text = (ROOT / "LICENSE").read_text()

    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def scheduler_imports(path: Path) -> Iterator[str]:
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            names = {alias.name for alias in statement.names}
            of_diffusers = statement.module.split(".")[0] == "diffusers"
            if of_diffusers and (
                "schedulers" in statement.module.split(".")
                or "schedulers" in names
                or any(name.endswith("Scheduler") for name in names)
            ):
                yield statement.module
        elif isinstance(statement, ast.Import):
            yield from (
                alias.name for alias in statement.names if alias.name.startswith("diffusers.sched")
            )


def test_only_families_may_import_a_scheduler_of_diffusers():
    # Training is no node: it measures with the field's reference sampler.
    allowed = ("diffusion/families/", "emoji/training/")
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if not any(part in path.as_posix() for part in allowed) and any(scheduler_imports(path))
    ]

    assert guilty == []


@pytest.mark.parametrize(
    "line",
    [
        "from diffusers import DDIMScheduler",
        "from diffusers.schedulers import scheduling_ddim",
        "from diffusers import schedulers",
        "import diffusers.schedulers.scheduling_ddim",
    ],
)
def test_an_import_of_a_scheduler_is_seen(line, tmp_path):
    (tmp_path / "module.py").write_text(line)

    assert any(scheduler_imports(tmp_path / "module.py"))


def third_party_imports(path: Path) -> set[str]:
    names = set()
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.add(statement.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"nodeflow", "nodeflow_nodes"}


def test_whatever_is_imported_is_a_declared_dependency():
    declared = {canonicalize_name(Requirement(text).name) for text in REQUIREMENTS}
    providers = importlib.metadata.packages_distributions()
    undeclared = {
        name
        for path in MODULES
        for name in third_party_imports(path)
        if not declared & {canonicalize_name(item) for item in providers.get(name, ())}
    }

    assert undeclared == set()
