"""What has to be installed for a browser: the library that drives it, and itself. It starts neither and downloads neither."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from monitor.errors import FetchError

#: Libraries that can drive it, the same to use; the first that is there. Patchright is Playwright with fewer marks of automation.
LIBRARIES = ("patchright", "playwright")
#: Names under which it is looked for on PATH.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_EXTRA = "pip install 'notice-monitor[browser]'"
_SYSTEM = "Chromium of the system, on Debian: apt-get install chromium"


def library() -> str:
    """The library that is installed. Raises FetchError, reason "no browser"."""
    for name in LIBRARIES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise _lacking(f'needs the extra "browser" ({_EXTRA}) and {_SYSTEM}')


def program(named: str = "") -> str:
    """The browser's path: that of `named`, else the first that is found. Raises FetchError, reason "no browser"."""
    if named:
        found = shutil.which(str(Path(named).expanduser()))
        if found is None:
            raise _lacking(f'needs a browser, and {named} ("browser" in [http]) is no program that can be run')
        return found
    names: tuple[str, ...] = (*NAMES, *_MAC) if sys.platform == "darwin" else NAMES
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    raise _lacking(f'needs {_SYSTEM}; or name one that is not on PATH: browser = "/path" in [http]')


def version(path: str) -> str:
    """What the browser says of itself ("Chromium 140.0"); "" where it says nothing."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False)  # noqa: S603 - found by ourselves
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip().partition("\n")[0][:100]


def _lacking(what: str) -> FetchError:
    return FetchError(f'via = "browser" {what}', reason="no browser", transient=False)
