"""Ultime Secours: PostgreSQL on a disk of its own, which rooms one and two feed, and the record that serves from it."""
