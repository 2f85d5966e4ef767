"""Seeded simulation of the real core on virtual time."""
