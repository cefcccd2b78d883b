"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from fake_registries import cache, messages, registry, root  # noqa: F401 - fixtures of the acquire tests
from hypothesis.internal.conjecture import providers
from running import place  # noqa: F401 - the fixture of tests of runs

from pipeline import canonical, stages
from pipeline.cache import VARIABLE
from pipeline.contract.folder import Folder, open_folder
from pipeline.errors import BinaryMissing
from pipeline.snapshot import take_snapshot

MANIFESTS = Path(__file__).resolve().parents[1] / "cli_manifests"
CODEX = MANIFESTS / "codex"
LINUX = "x86_64-unknown-linux-musl"

# What is drawn depends on the test alone, so that whoever breaks something sees it before others do: not on the
# constants of whatever modules the tests before it have imported, nor on how fast the machine is.
# HYPOTHESIS_PROFILE=default draws anew each time.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")
hypothesis.settings.load_profile(_PROFILE)
if _PROFILE == "same":
    providers._get_local_constants = providers.Constants

# Here, not in a fixture: those of a whole module are made before any of a test is.
os.environ.pop("SOURCE_DATE_EPOCH", None)

# Under nohup, or in the background of a script, some signals are ignored, and by all programs that are started from
# here too. A handler is not inherited: they are still ignored here, and end the programs.
for _name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files from what the code says now")
    parser.addoption(
        "--require-real", action="store_true", help="fail, not skip, where a real binary or a browser is not there"
    )


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are rewritten. CI refuses: a golden file is changed by a person who looks at the diff."""
    asked: bool = request.config.getoption("--update")
    if asked and os.environ.get("CI"):
        pytest.fail("--update is refused in CI: run it locally and commit the difference", pytrace=False)
    return asked


@pytest.fixture(autouse=True)
def _own_surroundings(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the developer's shell says must not decide a result, nor a test fill the developer's cache."""
    if not request.node.get_closest_marker("real"):
        monkeypatch.setenv(VARIABLE, str(tmp_path_factory.getbasetemp() / "cache"))


def acquired(request: pytest.FixtureRequest, agent: str, version: str, target: str) -> Folder:
    """The agent's folder; skips, and says how to get it, where the locked binary is not in the cache."""
    folder = open_folder(MANIFESTS / agent)
    try:
        stages.subject(folder, version, target)
    except BinaryMissing as error:
        reason = f"not acquired: {error.remedy}"
        if request.config.getoption("--require-real"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


def read_again(folder: Folder, version: str, target: str, raw_help: Path) -> bytes:
    """The snapshot as it is taken here and now, whatever is remembered and whatever the environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOURCE_DATE_EPOCH", raising=False)
        subject = stages.subject(folder, version, target)
        return canonical.encode(take_snapshot(subject, collected_at=folder.stamp(version), raw_help=raw_help))


@pytest.fixture(scope="session")
def real_binary(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The acquired Linux binary of a locked version of Codex."""

    def find(version: str) -> Path:
        return stages.subject(acquired(request, CODEX.name, version, LINUX), version, LINUX).binary

    return find


@pytest.fixture
def config_program(request: pytest.FixtureRequest) -> Path:
    """The program that config parity is proven with; skips where it cannot sandbox, which most of what is asked of it needs."""
    import shutil

    found: Path = request.getfixturevalue("real_binary")("0.169.0")
    if not shutil.which("bwrap"):
        reason = "no bwrap on the PATH: apt-get install bubblewrap"
        if request.config.getoption("--require-real"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found
