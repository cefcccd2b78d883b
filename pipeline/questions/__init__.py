"""Questions that a timeline answers: which versions take a command line, what a unit was, what a wrapper needs."""
