"""Data that comes with greenroom, all of it its own."""
