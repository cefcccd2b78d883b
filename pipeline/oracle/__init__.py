"""Second witnesses of a CLI's surface: what completion tells, and what a refusal gives away. Pure text.

A kind is a format (``clap-zsh``, ``cobra`` …), never an agent. Nothing here runs anything: texts come in,
testimonies and verdicts go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pipeline.oracle import clap_bash, clap_fish, clap_zsh
from pipeline.oracle.protocols import PROTOCOLS, Protocol, Question
from pipeline.oracle.refusal import FORMS, Form, Probe, judge_command
from pipeline.oracle.testimony import Testimony, Told, ToldArg, ToldFlag

__all__ = [
    "FORMS",
    "KINDS",
    "PROTOCOLS",
    "SCRIPTS",
    "Form",
    "Probe",
    "Protocol",
    "Question",
    "Testimony",
    "Told",
    "ToldArg",
    "ToldFlag",
    "judge_command",
]

# Kinds that are one text, and their readers.
SCRIPTS: Mapping[str, Callable[[str], Testimony]] = MappingProxyType(
    {each.KIND: each.read for each in (clap_zsh, clap_bash, clap_fish)}
)
KINDS: tuple[str, ...] = (*SCRIPTS, *PROTOCOLS)
