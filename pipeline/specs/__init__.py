"""Specs beside the code: what they say of themselves, when each was reviewed, and whether a change left them out.

``settings`` is what a repository declares, ``front`` what a document says of itself, ``index`` the list made from
that, ``changes`` what git says was touched, ``guard`` the findings.
"""

from pipeline.specs.guard import Finding, Verdict, guard
from pipeline.specs.index import write_index
from pipeline.specs.settings import Settings, settings_of

__all__ = ["Finding", "Settings", "Verdict", "guard", "settings_of", "write_index"]
