"""Who gives a command, for the audit."""

import os
import pwd

ROLE = "command"
"""Stands in the audit where a role would: whoever may use the data folder may do everything."""


def os_user() -> str:
    """The operating system's name of the user; behind `sudo`, of both."""
    own = _name(os.getuid())
    behind = os.environ.get("SUDO_UID", "")
    if os.getuid() == 0 and behind.isdigit() and behind != "0":
        return f"{own} ({_name(int(behind))})"
    return own


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
