"""The typed API of Codex: the root, exec, exec resume, login, apply and features list.

Read from the help of 0.61.0, 0.125.0 and 0.169.0 and tried with those binaries (``tests/test_real_wrapper.py``).
A flag that only some versions have is declared all the same; its note or docstring says which.
"""

from pipeline.wrapper.codex.commands import Apply, Codex, Exec, FeaturesList, Login, Resume
from pipeline.wrapper.codex.values import ApprovalPolicy, Color, CyberAccessProgram, SandboxMode
from pipeline.wrapper.derive import Declaration, waive

DECLARATIONS: tuple[Declaration, ...] = (
    Codex,
    Exec,
    Resume,
    Login,
    Apply,
    FeaturesList,
    waive(("completion",), note="Shell completion generation is for people, not for programs."),
)

__all__ = [
    "DECLARATIONS",
    "Apply",
    "ApprovalPolicy",
    "Codex",
    "Color",
    "CyberAccessProgram",
    "Exec",
    "FeaturesList",
    "Login",
    "Resume",
    "SandboxMode",
]
