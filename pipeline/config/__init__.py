"""Config parity: the configuration of one agent's repository, carried over to another agent.

A tree (a repository's folder) is read into an inventory of items and fields, a plan decides on each of them, and what
follows is written into an output tree. The source is never changed and personal files are never read. Which files,
fields, rules and targets there are is data (``mappings/*.toml``): the code knows formats, not agents.
"""
