"""What is added to Codex: MCP servers, plugins and features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pipeline.wrapper.codex.values import ClientRegistration
from pipeline.wrapper.constraint import Constraint, exactly_one, requires
from pipeline.wrapper.declare import Command, arg, flag, required


class McpAdd(Command, path=("mcp", "add")):
    """Configure an MCP server: a ``command`` with its environment, or a ``url`` with its credentials."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        requires("env", "command"),
        requires("bearer_token_env_var", "url"),
        requires("oauth_client_secret", "oauth_client_id"),
        requires("oauth_client_id", "url"),
        requires("oauth_client_registration", "url"),
        requires("oauth_resource", "url"),
        exactly_one("url", "command"),
    )

    url: str | None = flag("--url")
    env: Mapping[str, str] | None = flag("--env")
    bearer_token_env_var: str | None = flag("--bearer-token-env-var")
    oauth_client_id: str | None = flag("--oauth-client-id", guarded=True)
    oauth_client_secret: str | None = flag("--oauth-client-secret", guarded=True)
    oauth_client_registration: ClientRegistration | None = flag("--oauth-client-registration", guarded=True)
    oauth_resource: str | None = flag("--oauth-resource", guarded=True)
    name: str = required("NAME")
    command: tuple[str, ...] = arg("COMMAND")


class McpGet(Command, path=("mcp", "get")):
    json: bool = flag("--json")
    name: str = required("NAME")


class McpList(Command, path=("mcp", "list")):
    json: bool = flag("--json")


class McpLogin(Command, path=("mcp", "login")):
    scopes: tuple[str, ...] = flag("--scopes", separator=",")
    no_browser: bool = flag("--no-browser", guarded=True)
    oauth_client_registration: ClientRegistration | None = flag("--oauth-client-registration", guarded=True)
    name: str = required("NAME")


class McpLogout(Command, path=("mcp", "logout")):
    name: str = required("NAME")


class McpRemove(Command, path=("mcp", "remove")):
    name: str = required("NAME")


class PluginAdd(Command, path=("plugin", "add"), guarded=True):
    """Install ``name``, or ``name@marketplace``."""

    marketplace: str | None = flag("--marketplace", "-m")
    json: bool = flag("--json")
    plugin: str = required("PLUGIN[@MARKETPLACE]")


class PluginRemove(Command, path=("plugin", "remove"), guarded=True):
    marketplace: str | None = flag("--marketplace", "-m")
    json: bool = flag("--json")
    plugin: str = required("PLUGIN[@MARKETPLACE]")


class PluginList(Command, path=("plugin", "list"), guarded=True):
    marketplace: str | None = flag("--marketplace", "-m")
    available: bool = flag("--available")
    json: bool = flag("--json")


class MarketplaceAdd(Command, path=("plugin", "marketplace", "add"), guarded=True):
    """Add a folder or a Git repository; ``sparse`` are the paths that are checked out."""

    ref: str | None = flag("--ref")
    sparse: tuple[Path, ...] = flag("--sparse")
    json: bool = flag("--json")
    source: str = required("SOURCE")


class MarketplaceList(Command, path=("plugin", "marketplace", "list"), guarded=True):
    json: bool = flag("--json")


class MarketplaceRemove(Command, path=("plugin", "marketplace", "remove"), guarded=True):
    json: bool = flag("--json")
    marketplace_name: str = required("MARKETPLACE_NAME")


class MarketplaceUpgrade(Command, path=("plugin", "marketplace", "upgrade"), guarded=True):
    """Fetch one marketplace again, or all that come from Git."""

    json: bool = flag("--json")
    marketplace_name: str | None = arg("MARKETPLACE_NAME")


class FeaturesList(Command, path=("features", "list")):
    """List the feature flags with their stage and state."""


class FeaturesEnable(Command, path=("features", "enable"), guarded=True):
    feature: str = required("FEATURE")


class FeaturesDisable(Command, path=("features", "disable"), guarded=True):
    feature: str = required("FEATURE")
