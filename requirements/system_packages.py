"""The few things that do not come from a Python index: a browser, Chinese fonts, one library. Standard library only."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class CannotInstall(Exception):
    """Something is missing; the message says what, in one sentence."""


def ensure_browser() -> None:
    """A Chromium for the browser tests, and fonts with Chinese characters."""
    packages = []
    named = os.environ.get("GLASSDESK_CHROMIUM")
    if named and shutil.which(named) is None:
        raise CannotInstall(f"GLASSDESK_CHROMIUM names {named}, which is no program.")
    if not named and not any(map(shutil.which, BROWSERS)):
        packages.append("chromium")
    if not has_chinese_fonts():
        packages.append("fonts-noto-cjk")
    if packages:
        install(packages, purpose="the browser tests")


def has_chinese_fonts() -> bool:
    """Whether fontconfig knows a font for Chinese; without fontconfig, whether the package's folder is there."""
    if shutil.which("fc-list") is None:
        return Path("/usr/share/fonts/opentype/noto").is_dir()
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout.strip())


def ensure_library(name: str, *, package: str) -> None:
    """A shared library that the engine is linked against."""
    try:
        ctypes.CDLL(name)
    except OSError:
        install([package], purpose="the engine")


def install(packages: list[str], *, purpose: str) -> None:
    """Install Debian packages as root or with a password-free sudo; else say what to install."""
    wanted = " and ".join(packages)
    prefix = _root_prefix()
    if shutil.which("apt-get") is None or prefix is None:
        raise CannotInstall(
            f"{purpose} need{'s' if purpose == 'the engine' else ''} {wanted}: install with "
            f"`sudo apt-get install {' '.join(packages)}` or what your system has in its place."
        )
    sys.stderr.write(f"Installing {wanted} for {purpose}.\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run([*prefix, "apt-get", *step], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["apt-get said nothing"])[-1]
        raise CannotInstall(f"installing {wanted} failed: {said}")


def _root_prefix() -> list[str] | None:
    """What to put before a command to run it as root; None when that takes a password."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None
