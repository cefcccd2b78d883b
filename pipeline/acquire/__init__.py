"""The only door to the network: registry packages, pinned by ``artifacts.lock.json``.

``pin.lock`` writes the pins, ``fetch.acquire`` gets what is pinned, ``store`` is the folder where it is kept by content
and found again without the network. ``listing`` tells what is published, ``unlocked`` gets a version that is not
pinned, for a while; ``locked_packages`` gets what an npm lock pins as a whole. Nothing of a build calls any but
``store``: it reads what is committed, and only a person or CI asks for a binary.
"""
