"""The workflows of this repository, played here: job by job, matrix cell by matrix cell, in fresh clones.

``python -m tests.rehearsal WORKFLOW -i NAME=VALUE …`` from the checkout. What stands in a step's ``run`` is run, by
bash, with the environment that the workflow gives it. Actions of others, pip, gh and GitHub itself are replaced by
stand-ins that keep to what those do (``actions``, ``programs``). Artifacts are folders, a pull request is a branch and
a text. What a workflow uses that is not known here is refused with its place, never passed over: a green rehearsal
says that names, outputs, conditions, artifacts and permissions fit together.
"""
