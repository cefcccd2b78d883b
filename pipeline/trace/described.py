"""``wrapper.toml``: a foreign wrapper as data: where it is published, and how its driver is run.

Strict: an unknown key is an error that names the file and the key. In the words of ``command`` stand ``{folder}`` (the
wrapper's own folder in the tree), ``{package}`` (the fetched package), ``{python}`` (the Python of its environment) and
``{stand_in}``.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.contract.folder import Folder
from pipeline.errors import ArtifactMissing, ParityError
from pipeline.layout import Root, WrapperRoot, is_version, relative
from pipeline.surface.units import Shape
from pipeline.toml import read_toml

_PLACEHOLDERS = {"{folder}", "{package}", "{python}", "{stand_in}"}


class PublishedPackage(Shape, frozen=True, kw_only=True):
    """A published package. ``source`` is the folder in it that is scanned (default: all of it).

    ``from_source`` takes the source archive where the wheels hold more than the wrapper, such as the CLI itself.
    """

    registry: Literal["npm", "pypi"]
    name: str
    version: str
    source: str = ""
    from_source: bool = False

    def __post_init__(self) -> None:
        if not is_version(self.version):
            raise ValueError(f"version = {self.version!r} is not a version")
        if self.from_source and self.registry != "pypi":
            raise ValueError('from_source needs registry = "pypi"')
        if self.source.startswith("/") or ".." in self.source.split("/"):
            raise ValueError(f"source = {self.source!r} leads out of the package")

    @property
    def spec(self) -> str:
        """The package in the words of its registry's own program."""
        if self.registry == "npm":
            return f"{self.name}@{self.version}"
        return f"{self.name}=={self.version}" + (f" --no-binary {self.name}" if self.from_source else "")


class ForeignWrapper(Shape, frozen=True, kw_only=True):
    """``upstream_version`` is the version of the CLI whose union names the units, and that is reported on.

    ``not_in_argv`` says of each option of the wrapper that never becomes a word of the command line where it goes.
    """

    upstream_version: str
    package: PublishedPackage
    command: tuple[str, ...]
    seconds: float = 600.0
    not_in_argv: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("command names no driver")
        if not is_version(self.upstream_version):
            raise ValueError(f"upstream_version = {self.upstream_version!r} is not a version")
        for word in self.command:
            if unknown := set(re.findall(r"\{\w+\}", word)) - _PLACEHOLDERS:
                raise ValueError(f"command: {min(unknown)} is no placeholder; {', '.join(sorted(_PLACEHOLDERS))} are")
        if "{python}" in self.command and self.package.registry != "pypi":
            raise ValueError('command: {python} needs registry = "pypi"')


def read_described(path: Path) -> ForeignWrapper:
    """Read ``wrapper.toml``; raises RulesInvalid for bad TOML, ArtifactInvalid for a key that does not fit."""
    return read_toml(path, ForeignWrapper)


def named_by_wrappers(root: Root) -> dict[str, tuple[str, ...]]:
    """Version of the CLI → the descriptions that name it; one that cannot be read names none."""
    found: dict[str, tuple[str, ...]] = {}
    for name in root.wrapper_names():
        path = root.wrapper(name).description
        with contextlib.suppress(ParityError):
            version = read_described(path).upstream_version
            found[version] = (*found.get(version, ()), relative(path, root.path))
    return found


def inputs_digest(root: WrapperRoot) -> str:
    """The sha256 of all that decides what is recorded: of what ``sha256sum`` prints for the files, by path.

    That is every file of the wrapper's folder that is not derived (description, answers, driver, lock), and its
    requirements; hidden files are nobody's. Raises ArtifactInvalid for one that cannot be read.
    """
    derived = {root.evidence, root.wrapper_coverage, root.summary}
    files = [path for path in root.path.iterdir() if path.is_file() and path not in derived]
    files += [path for path in (root.path / "requirements").rglob("*") if path.is_file()]
    names = {relative(path, root.path): path for path in files if not path.name.startswith(".")}
    lines = (
        f"{hashlib.sha256(canonical.read_bytes(path)).hexdigest()}  {name}\n" for name, path in sorted(names.items())
    )
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def open_wrapper(folder: Folder, name: str) -> tuple[WrapperRoot, ForeignWrapper]:
    """A wrapper's folder and description; raises ArtifactMissing, which names those that there are."""
    root = folder.root.wrapper(name)
    if not root.description.exists():
        known = ", ".join(folder.root.wrapper_names()) or "none"
        raise ArtifactMissing("no such file", where=root.description, remedy=f"wrappers described here: {known}")
    return root, read_described(root.description)
