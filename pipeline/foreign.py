"""The two stages of a foreign wrapper that a plain build never runs: fetch its package, trace and scan it.

What follows from the evidence, offline, is ``pipeline.report.foreign``. Only ``fetch`` uses the network; ``trace``
needs what it brought.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline import canonical, process
from pipeline.acquire import wrappers
from pipeline.contract.folder import Folder
from pipeline.layout import WrapperRoot
from pipeline.trace import stand_in
from pipeline.trace.answers import read_answers
from pipeline.trace.described import inputs_digest, open_wrapper
from pipeline.trace.evidence import Origin
from pipeline.trace.read import Surface
from pipeline.trace.scan import digest, scan
from pipeline.trace.stage import evidence_of
from pipeline.transaction.hold import exclusive


def fetch(folder: Folder, name: str) -> list[Path]:
    """Bring a wrapper's package into the cache; pins it first where its lock has no row of that version."""
    root, wrapper = open_wrapper(folder, name)
    wrappers.fetch(root, wrapper, folder.rules.union.required_target)
    return [root.lock]


def trace(folder: Folder, name: str) -> list[Path]:
    """Run the wrapper's driver against a stand-in and scan its source. Raises BinaryMissing if it is not fetched."""
    root, wrapper = open_wrapper(folder, name)
    fetched = package_of(folder, name)
    program = folder.require_agent().program
    surface = Surface.of(folder.root.union(wrapper.upstream_version))
    answers = read_answers(root.answers) if root.answers.exists() else ()
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        home, work = Path(scratch, "home"), Path(scratch, "work")
        for path in (home / "tmp", work):
            path.mkdir(parents=True)
        calls = stand_in.run(
            [_filled(word, root, fetched) for word in wrapper.command],
            stand_in.make(Path(scratch, "stand-in"), program, answers),
            cwd=work,
            seconds=wrapper.seconds,
            env=process.clean_environment(home, {}),
        )
    package = wrapper.package
    evidence = evidence_of(
        calls,
        scan(fetched.folder, package.source),
        surface,
        program=program,
        package=Origin(
            registry=package.registry,
            name=package.name,
            version=package.version,
            integrity=fetched.row.integrity,
            sources_sha256=digest(fetched.folder, package.source),
        ),
        inputs_sha256=inputs_digest(root),
        upstream_version=wrapper.upstream_version,
    )
    with exclusive(folder.root.path):
        canonical.write(root.evidence, canonical.encode(evidence))
    return [root.evidence]


def package_of(folder: Folder, name: str) -> wrappers.Fetched:
    """A wrapper's fetched package; raises BinaryMissing with the task that fetches it."""
    root, wrapper = open_wrapper(folder, name)
    task = f"doit fetch-wrapper:{folder.root.path.name}:{name}"
    return wrappers.cached(root, wrapper, folder.rules.union.required_target, task=task)


def _filled(word: str, root: WrapperRoot, fetched: wrappers.Fetched) -> str:
    values = {"folder": root.path.absolute(), "package": fetched.folder, "python": fetched.python}
    for key, value in values.items():
        word = word.replace(f"{{{key}}}", str(value))
    return word
