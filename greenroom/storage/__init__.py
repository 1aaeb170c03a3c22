"""Postgres, the bus and their in-memory twins, behind the ports in :mod:`greenroom.storage.ports`. All SQL lives here."""
