"""Targets: the platform that one names, sets of them as bit masks, and the scopes that claims hold in.

A target is a triple (``aarch64-apple-darwin``) or a package's name for one (``darwin-arm64``). Names of platforms are
Rust's: linux, macos, windows; x86_64, aarch64. Refuses a target that says no system or no processor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.contract.rules import Rules
from pipeline.errors import UsageError
from pipeline.surface.coverage import Scope
from pipeline.surface.snapshot import Platform

SYSTEMS = {
    "linux": "linux",
    "darwin": "macos",
    "macos": "macos",
    "apple": "macos",
    "windows": "windows",
    "win32": "windows",
}
PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def platform_of(target: str, os_name: str | None = None) -> Platform:
    """The platform that ``target`` names; ``os_name`` overrides its system. Raises UsageError."""
    words = re.split(r"[-.]", target.lower())
    system = os_name or next((SYSTEMS[word] for word in words if word in SYSTEMS), None)
    arch = next((PROCESSORS[word] for word in words if word in PROCESSORS), None)
    if system is None or arch is None:
        missing = "system" if system is None else "processor"
        raise UsageError(
            f"{target!r} does not say which {missing} it is",
            remedy="write a target triple such as x86_64-unknown-linux-musl",
        )
    return Platform(os=system, arch=arch)


class TargetSet:
    """Masks for sets of targets; bit 0 is the first expected target."""

    def __init__(self, rules: Rules, others: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys((*rules.targets, *others)))
        self._bit = {name: 1 << index for index, name in enumerate(self.names)}
        self._masks: dict[tuple[str, ...], int] = {}
        self.expected = self.mask(rules.targets)
        self._platforms: dict[str, int] = {}
        for target, platform in rules.union.platform_mapping.items():
            self._platforms[platform] = self._platforms.get(platform, 0) | self._bit.get(target, 0)

    def mask(self, targets: tuple[str, ...]) -> int:
        """The set of the named targets; names that nobody expects count for nothing."""
        found = self._masks.get(targets)
        if found is None:
            found = 0
            for target in targets:
                found |= self._bit.get(target, 0)
            self._masks[targets] = found
        return found

    def scope(self, scope: Scope | None) -> int:
        """Where a claim holds: everywhere expected without a scope, else all that the scope names."""
        if scope is None:
            return self.expected
        found = self.mask(scope.target_triples or ())
        for platform in scope.platforms or ():
            found |= self._platforms.get(platform, 0)
        return found & self.expected

    def list(self, mask: int) -> tuple[str, ...]:
        return tuple(name for name, bit in self._bit.items() if mask & bit)
