"""The door to other programs: the only room that spawns.

``run`` calls a program and waits for it; ``pipeline.process.stream`` is the same door for asyncio, where a
program can be read while it runs, written to and stopped. On both ways a child gets exactly the environment
and the folder given, no terminal and a process group of its own; what it starts ends with it when it is
stopped. The asynchronous door is not imported here: asyncio costs 40 ms, which only those who use it should pay.
"""

from pipeline.process.call import GRACE, TICK, Completed, run
from pipeline.process.environment import COLUMNS, clean_environment
from pipeline.process.launch import recording
from pipeline.process.tree import kill_tree

__all__ = ["COLUMNS", "GRACE", "TICK", "Completed", "clean_environment", "kill_tree", "recording", "run"]
