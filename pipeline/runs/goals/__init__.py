"""Goals: runs in which the agent edits. A manager plans, a builder edits in a worktree, testers run, a reviewer reads.

``settings`` are the roles as data, ``prepare`` makes the steps of a run, ``steps`` carries them out for the runner,
``worktree`` is where they work, ``turn`` asks a model, ``answers`` is what it says, ``evidence`` what a turn leaves,
``apply`` brings a patch into the working tree when somebody asks for it, ``page`` is a reviewer's view.
"""
