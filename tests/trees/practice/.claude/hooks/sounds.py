"""Makes no sound."""
