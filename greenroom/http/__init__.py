"""The server as its clients see it: routes, server-sent events, problems, pages, and the loop that serves them.

Knows status codes, and nothing of storage: an operation parses, authorises, asks the actors room, and renders.
Begin with :mod:`greenroom.http.app`; :mod:`greenroom.http.serving` is what stands between it and the network.
"""
