"""Greenroom's own gazetteer: the neighbourhoods of some cities, where they are, and what people call them.

Written from general knowledge. Centroids are good to some hundred metres; boundaries are made of them (see
:mod:`greenroom.data.gazetteer.cells`) and so are approximate. ``prior`` says how likely a region is meant where a name fits several.
"""

from greenroom.data.gazetteer.city_file import CITY_IDS, GazetteerCity, city_of_gazetteer, find_in_gazetteer

__all__ = ["CITY_IDS", "GazetteerCity", "city_of_gazetteer", "find_in_gazetteer"]
