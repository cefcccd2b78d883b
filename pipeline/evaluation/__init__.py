"""The evaluation harness: adapters and scenarios as data in, one result per scenario and goal out, and two rewards.

``scenario`` is the data, ``harness`` carries one out in a copy of its fixture, ``projects`` all of a suite with the
published projects that it takes as fixtures, ``reward`` measures results.
"""
