"""Questions that people and programs ask of what was read: what changed, since when, and may I pass this?"""

from pipeline.questions.asked import Asked, asked

__all__ = ["Asked", "asked"]
