"""``python -m chaos.armed.worker``: a worker of greenroom with a fuse."""

from __future__ import annotations

import os
from pathlib import Path

from chaos.armed.fuse import Fuse
from chaos.armed.patches import attach
from chaos.armed.points import FOLDER, NTH, Journal, Plan
from greenroom.workers.worker import main

if __name__ == "__main__":
    folder = Path(os.environ[FOLDER])
    port = int(os.environ["GREENROOM_BIND"].rpartition(":")[2])
    attach(Fuse(Plan(folder), Journal(folder), nth=int(os.environ[NTH]), port=port))
    main()
