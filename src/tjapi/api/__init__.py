"""The public surface."""
