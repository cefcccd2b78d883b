"""A binary -> its snapshot: version, help tree, features, supplement, put together.

Everything is asked of the binary at the same time (a bounded number of calls), while its digest is taken.
Refuses a binary that cannot be started, that promises a version and gives none, or whose root help cannot be
had; all else that goes wrong is recorded in ``known_omissions`` or in the record of the feature probe.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline import helptext
from pipeline.contract.targets import platform_of
from pipeline.errors import BinaryFailed
from pipeline.helptext import Page
from pipeline.snapshot.calls import calling
from pipeline.snapshot.crawl import Walker, require_root
from pipeline.snapshot.examine import examine
from pipeline.snapshot.gated import mark_gated, walk_with_features
from pipeline.snapshot.probe import Version, ask_version
from pipeline.snapshot.raw_help import write_raw_help
from pipeline.snapshot.subject import Subject
from pipeline.snapshot.supplement import add_supplement
from pipeline.snapshot.surfaces import ask_surfaces
from pipeline.surface.snapshot import Binary, Generator, Snapshot
from pipeline.surface.units import Path as CommandPath
from pipeline.surface.units import flag_names

GENERATOR = "cli-parity"


def take_snapshot(
    subject: Subject,
    *,
    collected_at: str,
    sha256: str | None = None,
    size: int | None = None,
    raw_help: Path | None = None,
) -> Snapshot:
    """Read a binary's whole surface.

    ``sha256`` and ``size`` (bytes) spare reading the binary when they are known, ``raw_help`` is a folder to
    keep the pages in. Raises BinaryMissing, BinaryFailed, BinaryTimeout, BinaryOutputTooLarge and UsageError
    (unknown dialect, target without a system).
    """
    platform = platform_of(subject.target, subject.platform_os)
    with ThreadPoolExecutor(1, thread_name_prefix="snapshot") as aside, calling(subject) as caller:
        walker = Walker(subject, caller)
        version_asked = caller.submit(ask_version, caller, walker.manner.program)
        digest = aside.submit(lambda: sha256 or subject.sha256 or digest_of(subject.binary))
        plain = walker.walk()
        root = require_root(plain.root, walker.manner.program)
        examined = examine(walker, caller, subject.oracles, plain)
        plain = examined.tree
        version = _version(version_asked.result(), root, walker.manner.program)
        gated = None
        if subject.features is not None:
            gated = walk_with_features(
                caller, walker, subject.features, subject.excluded_stages, plain, examined.same_with
            )
        surfaces, untold = None, list[str]()
        if subject.surfaces is not None:
            features_listed = gated.listed if gated else ()
            surfaces, untold = ask_surfaces(caller, subject.surfaces, examined.commands, features_listed)

    pseudo_commands = subject.help.pseudo_commands
    commands = examined.commands
    features = None
    omissions = [*plain.omissions(), *untold]
    if isinstance(version, str):
        omissions.append(f"version: {version}")
        version = Version("")
    listed = plain.listed
    if gated is not None:
        commands, features = mark_gated(commands, gated, plain, pseudo_commands)
        listed |= gated.tree.listed if gated.tree else frozenset()
    supplemented: list[CommandPath] = []
    if subject.supplement is not None:
        commands, supplemented = add_supplement(commands, subject.supplement, platform.os)
        omissions += (
            f"supplement/commands.json:v{subject.supplement.version}:{' '.join(path)}" for path in supplemented
        )
    joined = examined.join(commands, listed, supplemented)
    omissions += joined.omissions
    if raw_help is not None:
        visits = {**(gated.tree.visits if gated and gated.tree else {}), **plain.visits}
        write_raw_help(raw_help, {path: visit.text for path, visit in visits.items() if visit.page})
    return Snapshot(
        snapshot_schema_version=1,
        tool=subject.tool or f"{walker.manner.program.rpartition(' ')[2]}-cli",
        collected_at=collected_at,
        generator=Generator(name=GENERATOR, revision=helptext.REVISION, dialect=walker.manner.dialect.name),
        binary=Binary(
            sha256=digest.result(),
            size_bytes=size or subject.size_bytes or subject.binary.stat().st_size,
            platform=platform,
            target_triple=subject.target,
            version_output=version.output,
            semantic_version=version.semantic,
            channel=version.channel,
            commit=version.commit,
            emulated_by=caller.machine.emulated_by,
        ),
        commands=tuple(command for _, command in sorted(joined.commands.items())),
        oracles=(examined.oracle,) if examined.oracle else None,
        features=features,
        surfaces=surfaces,
        known_omissions=tuple(sorted(set(omissions))) or None,
    )


def digest_of(binary: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with binary.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _version(asked: Version | str, root: Page, program: str) -> Version | str:
    """The version, or what went wrong with it; refuses a binary that promises one and does not give it."""
    if isinstance(asked, str) and any("--version" in flag_names(flag) for flag in root.flags):
        raise BinaryFailed(
            f"`{program} --version`: {asked}",
            remedy="run it by hand: the binary must start on this machine, without network and with an empty home",
        )
    return asked
