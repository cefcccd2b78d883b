"""Who is logged in, and tasks in the cloud."""

from __future__ import annotations

from typing import ClassVar

from pipeline.wrapper.constraint import Constraint, at_most_one
from pipeline.wrapper.declare import Command, arg, flag, required


class Login(Command, path=("login",)):
    """Log in with a key or a token, which go to standard input, or with a code on another device."""

    # 0.169.0 says so for the two keys; given device_auth as well, it ignores the key.
    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("with_api_key", "with_access_token", "device_auth"),)

    with_api_key: str | None = flag("--with-api-key", stdin=True)
    with_access_token: str | None = flag("--with-access-token", stdin=True, guarded=True)
    device_auth: bool = flag("--device-auth")


class LoginStatus(Command, path=("login", "status")):
    """Say who is logged in."""


class Logout(Command, path=("logout",)):
    """Forget the credentials."""


class Apply(Command, path=("apply",)):
    """Apply a task's latest diff to the working tree."""

    task_id: str = required("TASK_ID")


class CloudExec(Command, path=("cloud", "exec")):
    """Submit a task. ``attempts`` is 1 to 4."""

    env: str = required("--env")
    attempts: int | None = flag("--attempts")
    branch: str | None = flag("--branch", guarded=True)
    query: str | None = arg("QUERY")


class CloudList(Command, path=("cloud", "list"), guarded=True):
    env: str | None = flag("--env")
    limit: int | None = flag("--limit")
    cursor: str | None = flag("--cursor")
    json: bool = flag("--json")


class CloudStatus(Command, path=("cloud", "status"), guarded=True):
    task_id: str = required("TASK_ID")


class CloudDiff(Command, path=("cloud", "diff"), guarded=True):
    attempt: int | None = flag("--attempt")
    task_id: str = required("TASK_ID")


class CloudApply(Command, path=("cloud", "apply"), guarded=True):
    attempt: int | None = flag("--attempt")
    task_id: str = required("TASK_ID")
