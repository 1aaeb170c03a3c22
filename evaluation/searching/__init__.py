"""Whether whole searches answer what was asked: understood as meant, and every result one that the asker could take.

Three parts: what is asked and what has to hold of the answer (:mod:`cases`, a file per city), the marketplace in which it is
asked (:mod:`marketplace`), and whether it holds (:mod:`judging`). Results are judged by what the catalogue has of them, never by
what the answer says of itself.
"""

from evaluation.searching.report import main

__all__ = ["main"]
