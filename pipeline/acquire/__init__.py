"""The only door to the network: registry packages, pinned by ``artifacts.lock.json``.

``pin.lock`` writes the pins, ``fetch.acquire`` gets what is pinned, ``store`` is the folder where it is kept by
content and found again without the network. No other stage calls the first two: a build reads what is
committed, and only a person or CI asks for a binary.
"""
