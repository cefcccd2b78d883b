"""``python -m pipeline.cli`` is ``parity``."""

from pipeline.cli import command

if __name__ == "__main__":
    command()
