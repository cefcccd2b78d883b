"""The values that Codex's flags accept, as its help lists them."""

from __future__ import annotations

from enum import StrEnum


class SandboxMode(StrEnum):
    READ_ONLY = "read-only"
    WORKSPACE_WRITE = "workspace-write"
    DANGER_FULL_ACCESS = "danger-full-access"


class ApprovalPolicy(StrEnum):
    """``on-failure`` is refused from 0.146.0 on, ``untrusted`` from 0.153.0 on."""

    ON_REQUEST = "on-request"
    NEVER = "never"
    UNTRUSTED = "untrusted"
    ON_FAILURE = "on-failure"


class Color(StrEnum):
    ALWAYS = "always"
    NEVER = "never"
    AUTO = "auto"


class CyberAccessProgram(StrEnum):
    STANDARD = "standard"
    DAYBREAK_BLUE = "daybreak_blue"
    DAYBREAK_RED = "daybreak_red"


class WebSocketAuth(StrEnum):
    CAPABILITY_TOKEN = "capability-token"  # noqa: S105 - the name of a mode
    SIGNED_BEARER_TOKEN = "signed-bearer-token"  # noqa: S105 - the name of a mode


class RemoteTransport(StrEnum):
    """``direct`` needs ``--aws-sigv4``."""

    NOISE = "noise"
    DIRECT = "direct"


class PidNamespace(StrEnum):
    """Named in the help's text, not as possible values."""

    ISOLATE = "isolate"
    INHERIT = "inherit"


class ClientRegistration(StrEnum):
    AUTO = "auto"
    CIMD = "cimd"
    DCR = "dcr"
