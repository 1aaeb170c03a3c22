"""``python -m greenroom``: the same as the ``greenroom`` command."""

from greenroom.cli import main

main()
