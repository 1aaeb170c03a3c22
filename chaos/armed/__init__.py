"""A server whose workers end themselves at a point of their work that was chosen beforehand.

The server knows nothing of it: ``python -m chaos.armed`` is ``python -m greenroom`` whose worker processes put their hands on a
few functions before they serve (:mod:`chaos.armed.patches`). It is the one place here that knows the server's insides.
"""
