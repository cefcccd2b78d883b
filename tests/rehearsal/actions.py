"""Stand-ins for actions: ``uses`` -> what the real one does to the folder, the artifacts and the repository.

Each takes the step's ``with`` as text and returns its outputs; it fails by Failed, as the real one would. Inputs that a
stand-in does not act on, and permissions that the real one would miss, are refused.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from .expression import Refused
from .workflow import known

_PERSON = ("-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false")
_LEVELS = ("read", "write")


class Failed(Exception):
    """The step fails, as it would there."""


@dataclass
class Job:
    """What actions see of a job. ``refuses`` names actions that are forbidden here, as an organisation may do."""

    source: Path
    workspace: Path
    artifacts: Path
    github: Path
    permissions: Mapping[str, str]
    refuses: frozenset[str] = frozenset()
    said: list[str] = field(default_factory=list)

    def need(self, scope: str, level: str) -> None:
        given = self.permissions.get(scope)
        if given not in _LEVELS or _LEVELS.index(given) < _LEVELS.index(level):
            raise Failed(f"the job has no permission {scope}: {level}")


def git(*words: str, cwd: Path) -> str:
    done = subprocess.run(["git", *_PERSON, *words], cwd=cwd, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Failed(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def checkout(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    # A clone here has all of the history, whether or not it is asked for.
    known(given, {"persist-credentials", "fetch-depth"}, "actions/checkout")
    job.need("contents", "read")
    git("clone", "--quiet", str(job.source), str(job.workspace), cwd=job.source)
    return {}


def set_up_python(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    known(given, {"python-version"}, "actions/setup-python")
    job.said.append(f"python {given['python-version']} is this one")
    return {}


def upload(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    known(given, {"name", "path", "if-no-files-found"}, "actions/upload-artifact")
    patterns = [line.strip() for line in given["path"].splitlines() if line.strip()]
    base, files = _found(job.workspace, patterns)
    if not files:
        problem = f"no files were found with the path {' '.join(patterns)}"
        if given.get("if-no-files-found") == "error":
            raise Failed(problem)
        job.said.append(problem)
        return {}
    into = job.artifacts / given["name"]
    if into.exists():
        raise Failed(f"an artifact {given['name']} is there already")
    for path in files:
        to = into / path.relative_to(base)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)  # modes are not kept there either
    job.said.append(f"{len(files)} files")
    return {}


def _found(workspace: Path, patterns: list[str]) -> tuple[Path, list[Path]]:
    """The root of an artifact (what all searched places have in common) and its files; hidden ones are left out."""
    places, files = [], set()
    for pattern in patterns:
        parts = Path(pattern).parts
        fixed = next((at for at, part in enumerate(parts) if glob.has_magic(part)), len(parts))
        place = workspace.joinpath(*parts[:fixed])
        places.append(place.parent if place.is_file() and len(patterns) == 1 else place)
        for hit in workspace.glob(pattern):
            files |= {hit} if hit.is_file() else {path for path in hit.rglob("*") if path.is_file()}
    base = Path(os.path.commonpath(places)) if places else workspace
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(base).parts)]
    return base, sorted(shown)


def download(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    known(given, {"name", "pattern", "path"}, "actions/download-artifact")
    into = job.workspace / given["path"]
    if "name" in given:
        artifact = job.artifacts / given["name"]
        if not artifact.is_dir():
            raise Failed(f"there is no artifact {given['name']}")
        shutil.copytree(artifact, into, dirs_exist_ok=True)
        return {}
    there = sorted(job.artifacts.iterdir()) if job.artifacts.is_dir() else []
    found = [artifact for artifact in there if fnmatch(artifact.name, given["pattern"])]
    for artifact in found:
        # Of some versions of the action one alone gets no folder of its own: what reads it has to take both.
        shutil.copytree(artifact, into / artifact.name if len(found) > 1 else into, dirs_exist_ok=True)
    return {}


def pull_request(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """A branch with one commit, pushed to the source, and the text beside it; nothing where nothing differs."""
    known(given, {"branch", "title", "commit-message", "body-path", "add-paths"}, "create-pull-request")
    job.need("contents", "write")
    job.need("pull-requests", "write")
    here, branch = job.workspace, given["branch"]
    paths = [line.strip() for line in given["add-paths"].splitlines() if line.strip()]
    git("add", "--", *paths, cwd=here)
    if not git("diff", "--cached", "--name-only", cwd=here):
        job.said.append("nothing differs: no pull request")
        return {"pull-request-operation": "none"}
    git("checkout", "--quiet", "-B", branch, cwd=here)
    git("commit", "--quiet", "--message", given["commit-message"], cwd=here)
    other = git("ls-remote", "--heads", "origin", branch, cwd=here)
    if other:
        git("fetch", "--quiet", "origin", branch, cwd=here)
    known_tree = git("rev-parse", "FETCH_HEAD^{tree}", cwd=here) if other else ""
    operation = "none" if git("rev-parse", "HEAD^{tree}", cwd=here) == known_tree else "updated" if other else "created"
    if operation != "none":
        git("push", "--quiet", "--force", "origin", branch, cwd=here)
    if "create-pull-request" in job.refuses:
        raise Failed("GitHub Actions is not permitted to create or approve pull requests")
    body = (here / given["body-path"]).read_text(encoding="utf-8")
    if len(body) > 65_536:
        raise Failed("the body is too long")
    record = {"branch": branch, "title": given["title"], "operation": operation, "body": body}
    path = job.github / "pulls" / f"{branch.replace('/', '-')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2), encoding="utf-8")
    job.said.append(f"pull request {branch}: {operation}")
    return {"pull-request-operation": operation}


def upload_pages(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    return upload(job, {**given, "name": "github-pages", "if-no-files-found": "error"})


def deploy_pages(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    known(given, set(), "actions/deploy-pages")
    job.need("pages", "write")
    job.need("id-token", "write")
    if not (job.artifacts / "github-pages").is_dir():
        raise Failed("there is no artifact github-pages")
    return {"page_url": "http://localhost/"}


ACTIONS: dict[str, Callable[[Job, Mapping[str, str]], dict[str, str]]] = {
    "actions/checkout": checkout,
    "actions/deploy-pages": deploy_pages,
    "actions/download-artifact": download,
    "actions/setup-python": set_up_python,
    "actions/upload-artifact": upload,
    "actions/upload-pages-artifact": upload_pages,
    "peter-evans/create-pull-request": pull_request,
}


def action(uses: str) -> Callable[[Job, Mapping[str, str]], dict[str, str]]:
    """The stand-in of ``owner/name@commit``. Raises Refused."""
    name, _, commit = uses.partition("@")
    if len(commit) != 40 or name not in ACTIONS:
        raise Refused(f"{uses}: no action that is known here, pinned by its commit")
    return ACTIONS[name]
