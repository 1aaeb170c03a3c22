"""Loading a marketplace from files: instructors with services, regions, aliases of regions.

A file is read once from its beginning to its end (regions: once per level of the map), however large it is, and nothing of it is
kept but the batch at hand. What is wrong with a line is told with its number, field and reason, and the other lines are loaded.
"""
