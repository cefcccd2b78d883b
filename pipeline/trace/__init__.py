"""What a foreign wrapper emits: its calls of a recorded stand-in, and the flags that its source spells."""
