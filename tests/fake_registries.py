"""Fake registries: an npm and a pip on the PATH that serve packages from a folder. No network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile

import pytest

from pipeline import canonical
from pipeline.cache import VARIABLE
from pipeline.layout import Root

NAME = "@vendor/tool"
PUBLISHED = 1_763_655_298

FAKE_NPM = """
import json, os, pathlib, shutil, sys

registry = pathlib.Path(os.environ["FAKE_REGISTRY"])
index = json.loads((registry / "index.json").read_text(encoding="utf-8"))
verb, spec, *rest = sys.argv[1:]
with (registry / "calls.txt").open("a", encoding="utf-8") as log:
    log.write(" ".join([verb, spec, *[word for word in rest if not word.startswith("-")][:1]]) + chr(10))

def fail(code, summary):
    print(json.dumps({"error": {"code": code, "summary": summary, "detail": ""}}))
    print("npm error code", code, file=sys.stderr)
    print("npm error A complete log of this run can be found in: somewhere", file=sys.stderr)
    raise SystemExit(1)

if index.get("broken"):
    print("npm error request to https://registry.private.example/x failed, reason: connect 10.1.2.3:443", file=sys.stderr)
    print("npm error A complete log of this run can be found in: somewhere", file=sys.stderr)
    raise SystemExit(7)
if verb == "view" and rest[0] == "time":
    print(json.dumps(index["time"]))
elif verb == "view" and rest[0] == "versions":
    listed = [one.rpartition("@")[2] for one in index["packages"] if one.rpartition("@")[0] == spec]
    if not listed:
        fail("E404", "Not Found")
    print(json.dumps(listed if len(listed) > 1 else listed[0]))
elif spec not in index["packages"]:
    fail("E404", "No match found for " + spec)
elif verb == "view":
    print(json.dumps(index["packages"][spec]["integrity"]))
elif index["packages"][spec].get("refused"):
    fail("EINTEGRITY", "sha512 integrity checksum failed")
else:
    folder = pathlib.Path(rest[rest.index("--pack-destination") + 1])
    (folder / "npm").mkdir()
    shutil.copy(registry / index["packages"][spec]["file"], folder / "vendor-tool.tgz")
    print("[]")
"""

FAKE_PIP = """
import json, os, pathlib, re, shutil, sys

registry = pathlib.Path(os.environ["FAKE_REGISTRY"])
index = json.loads((registry / "index.json").read_text(encoding="utf-8"))["pypi"]
_, python, verb, *words = sys.argv[1:]
after = lambda option: pathlib.Path(words[words.index(option) + 1])
spec = next((word for word in words if "==" in word), "")
if "--platform" in words:
    spec += " --platform " + str(after("--platform"))
with (registry / "calls.txt").open("a", encoding="utf-8") as log:
    log.write(" ".join(["pip", verb, spec or "-r", *[word for word in words if "<" in word]]) + chr(10))

def fail(*lines):
    print(*lines, sep=chr(10), file=sys.stderr)
    raise SystemExit(1)

if index.get("fails"):
    fail(*index["fails"])
if verb == "index":
    listed = [one.partition("==")[2] for one in index["specs"] if one.partition("==")[0] == words[-1]]
    if not listed:
        fail("ERROR: No matching distribution found for " + words[-1])
    print(words[-1] + " (" + listed[0] + ")")
    print("Available versions: " + ", ".join(listed))
elif "--requirement" in words:
    listed = after("--requirement").read_text(encoding="utf-8")
    known = index["served"]
    for name, digest in re.findall(r"^(.+)==.+ --hash=sha256:(.+)$", listed, re.MULTILINE):
        if known.get(name, digest) != digest:
            fail("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "    Expected", "    Got")
    for script in index["scripts"]:
        (pathlib.Path(python).parent / script).write_text("#!" + python, encoding="utf-8")
elif spec not in index["specs"]:
    fail("ERROR: Could not find a version that satisfies the requirement " + spec + " (from versions: 0.1, 0.2)",
         "ERROR: No matching distribution found for " + spec)
elif verb == "download":
    after("--dest").mkdir()
    shutil.copy(registry / index["specs"][spec]["file"], after("--dest"))
else:
    found = index["specs"][spec]["install"]
    report = {"install": found[:1] if "--no-deps" in words else found}
    after("--report").write_text(json.dumps(report), encoding="utf-8")
"""


def made_tarball(files, links=None, executable=()):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 499_162_500
            entry.mode = 0o755 if name in executable else 0o644
            archive.addfile(entry, io.BytesIO(content))
        for name, aim in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, aim
            archive.addfile(entry)
    return raw.getvalue()


def made_wheel(files, links=None):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        for name, aim in (links or {}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o120777) << 16
            archive.writestr(entry, aim)
    return raw.getvalue()


def sri(content, algorithm="sha512"):
    return f"{algorithm}-" + base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def distribution(name, version, sha256, suffix="-py3-none-any.whl", **download):
    """One entry of pip's report."""
    return {
        "metadata": {"name": name, "version": version},
        "is_direct": False,
        "download_info": {
            "url": f"https://index.private.example/{name}-{version}{suffix}#x",
            "archive_info": {"hashes": {"sha256": sha256}},
            **download,
        },
    }


class Registry:
    """A folder of tarballs with an index; what was asked is logged by the fake npm."""

    def __init__(self, folder):
        self.folder = folder
        self.index = {"packages": {}, "time": {}, "pypi": {"specs": {}, "served": {}, "scripts": []}}
        if folder.exists():
            self.index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        else:
            folder.mkdir()
            self.save()

    def save(self):
        (self.folder / "index.json").write_text(json.dumps(self.index), encoding="utf-8")

    def publish(self, version, content, **extra):
        """Publish ``content``, unless an integrity is given as what the registry claims."""
        (self.folder / f"{version}.tgz").write_bytes(content)
        self.index["packages"][f"{NAME}@{version}"] = {"file": f"{version}.tgz", "integrity": sri(content), **extra}
        self.index["time"][version] = "2025-11-20T16:14:58.959Z"
        self.save()

    def publish_wheel(self, spec, content, needs=()):
        """Publish a wheel of that spec; ``needs`` are further entries of pip's report (see ``distribution``)."""
        requirement, _, platform = spec.partition(" --platform ")
        name, _, version = requirement.partition("==")
        file = f"{name}-{version}-py3-none-{platform or 'any'}.whl"
        (self.folder / file).write_bytes(content)
        own = distribution(name, version, hashlib.sha256(content).hexdigest())
        self.index["pypi"]["specs"][spec] = {"file": file, "install": [own, *needs]}
        self.save()

    def calls(self):
        log = self.folder / "calls.txt"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def packed(self):
        return [call.split()[1] for call in self.calls() if call.startswith("pack ")]

    def forget_calls(self):
        (self.folder / "calls.txt").unlink(missing_ok=True)


def serve(place, monkeypatch):
    """Put the fake programs on the PATH; they serve ``place/registry``, which may be there already."""
    folder = place / "bin"
    folder.mkdir()
    for name, source in (("npm", FAKE_NPM), ("pip", FAKE_PIP)):
        (folder / f"fake_{name}.py").write_text(source, encoding="utf-8")
        if os.name == "nt":
            (folder / f"{name}.cmd").write_text(f'@"{sys.executable}" "%~dp0fake_{name}.py" %*\n', encoding="utf-8")
        else:
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/fake_{name}.py" "$@"\n', encoding="utf-8")
            program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_REGISTRY", str(place / "registry"))
    monkeypatch.setenv(VARIABLE, str(place / "cache"))
    return Registry(place / "registry")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    return serve(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "cli_manifests" / "tool"
    path.mkdir(parents=True)
    return Root(path)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def messages():
    return io.StringIO()


def rewrite(root, version, **changed):
    document = canonical.read_json(root.lock)
    for row in document["rows"]:
        if row["version"] == version:
            row.update(changed)
    canonical.write(root.lock, canonical.encode(document))


def files_below(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")
