"""Assets are tried before they are listed: a library's folder in, what is wrong with its assets out.

The examples of an asset lie in ``<examples>/<id>``. A codemod makes ``after.py`` of ``before.py``, and nothing more of
that. A linter, a function from a module's path to its findings, has some in ``before.py`` and none in ``after.py``.
A template is text. Code of assets is executed here and where it is used, never where assets are listed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.patterns.assets import Found, assets


class Failure(NamedTuple):
    """What is wrong with an asset."""

    asset: str
    problem: str

    def __str__(self) -> str:
        return f"{self.asset}: {self.problem}"


def tried(folder: Path, examples: Path | None = None) -> list[Failure]:
    """What is wrong with a library's assets, by id; ``examples`` is a folder beside its ``assets.toml`` by default.

    Raises as ``assets`` and ``loaded`` do, and UsageError where a codemod needs LibCST.
    """
    place = examples or folder / "examples"
    return [
        Failure(one.id, problem)
        for one in assets(folder)
        for problem in _KINDS[one.kind](Found(folder, one), place / one.id)
    ]


def loaded(found: Found) -> Any:
    """The class or function that an asset's entry names. Raises ArtifactInvalid where there is none."""
    file, _, name = found.asset.entry.partition(":")
    spec = importlib.util.spec_from_file_location(f"_parity_asset_{Path(file).stem}", found.path)
    assert spec is not None  # noqa: S101 - it is a file
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look a module up by its name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)
    except (SyntaxError, ImportError, AttributeError) as error:
        raise ArtifactInvalid(f"{name} cannot be had of it: {error}", where=found.path, remedy="correct it") from None


def _codemod(found: Found, examples: Path) -> Iterator[str]:
    from pipeline.patterns.codemods import apply

    codemod, (before, after) = loaded(found), _examples(examples)
    once = apply(codemod, before, examples / "before.py")
    if once == before:
        yield "it changes nothing of before.py"
    if once != after:
        yield "what it makes of before.py is not after.py"
    if apply(codemod, once, examples / "after.py") != once:
        yield "it changes its own result again"


def _linter(found: Found, examples: Path) -> Iterator[str]:
    lint = loaded(found)
    _examples(examples)
    if not list(lint(examples / "before.py")):
        yield "it finds nothing in before.py"
    yield from (f"in after.py it finds {one}" for one in lint(examples / "after.py"))


def _template(found: Found, _examples: Path) -> Iterator[str]:
    if not _text(found.path).strip():
        yield "it is empty"


_KINDS = {"codemod": _codemod, "linter": _linter, "template": _template}


def _examples(folder: Path) -> tuple[str, str]:
    return _text(folder / "before.py"), _text(folder / "after.py")


def _text(path: Path) -> str:
    try:
        return canonical.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtifactInvalid(f"not UTF-8: {error}", where=path, remedy="write it as UTF-8") from None
