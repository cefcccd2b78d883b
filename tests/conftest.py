"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_registries import cache, messages, registry, root  # noqa: F401 - fixtures of the acquire tests

from pipeline.acquire.store import cached_binary
from pipeline.contract.folder import open_folder

CODEX = Path(__file__).resolve().parents[1] / "cli_manifests" / "codex"
LINUX = "x86_64-unknown-linux-musl"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files from what the code says now")
    parser.addoption("--require-real", action="store_true", help="fail, not skip, where a real binary is not acquired")


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are rewritten. CI refuses: a golden file is changed by a person who looks at the diff."""
    asked: bool = request.config.getoption("--update")
    if asked and os.environ.get("CI"):
        pytest.fail("--update is refused in CI: run it locally and commit the difference", pytrace=False)
    return asked


@pytest.fixture(scope="session")
def real_binary(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The acquired Linux binary of a locked version; skips, and says how to get it, where it is not in the cache."""
    folder = open_folder(CODEX)

    def find(version: str) -> Path:
        row = folder.lock().row(version, LINUX)
        started = cached_binary(folder.require_agent(), row) if row else None
        if started is None:
            reason = f"not acquired: run `doit acquire:codex:{version}:{LINUX}`"
            if request.config.getoption("--require-real"):
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        return started.path

    return find
