"""How root runs a program that refuses to run as root, without adding users or opening folders to others."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass

from helpdesk.embedded.errors import CannotStart

# Inside a user namespace root's files stay root's, and the program sees itself as user 1000.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """A command prefix, and the user and group that must own the program's files (None: whoever owns them now)."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None


def unprivileged() -> Unprivileged:
    """Nothing to do for an ordinary user; a user namespace for root, else the user `nobody`."""
    if os.geteuid() != 0:
        return Unprivileged()
    if shutil.which("unshare") and _works([*NAMESPACE, "true"]):
        return Unprivileged(prefix=NAMESPACE)
    return as_nobody()


def as_nobody() -> Unprivileged:
    """`nobody` who may walk through folders that are closed to it: the wheel may lie under root's home.

    Without the secure bit access(2), which initdb asks about its own binaries, would not heed that right.
    """
    nobody = pwd.getpwnam("nobody")
    prefix = (
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
        "--",
    )
    if not (shutil.which("setpriv") and _works([*prefix, "true"])):
        raise CannotStart(
            "PostgreSQL refuses to run as root, and neither user namespaces nor setpriv work here: "
            "start as an ordinary user, or set DATABASE_URL and DATABASE_OWNER_URL to a server of your own."
        )
    return Unprivileged(prefix=prefix, owner=(nobody.pw_uid, nobody.pw_gid))


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0
