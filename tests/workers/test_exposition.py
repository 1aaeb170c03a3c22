from __future__ import annotations

from greenroom.workers.exposition import merge_expositions

ONE = """\
# HELP a_total Things.
# TYPE a_total counter
a_total{kind="x {y}"} 1.0
a_total{kind="z"} 2.0
# HELP b How many.
# TYPE b gauge
b 3.0
"""

TWO = """\
# HELP b How many.
# TYPE b gauge
b 4.0
# HELP c_seconds How long.
# TYPE c_seconds histogram
c_seconds_bucket{le="1.0"} 5.0
c_seconds_count 5.0
"""


def test_every_sample_says_whose_it_is_and_families_stand_together() -> None:
    assert (
        merge_expositions({"1": ONE, "2": TWO})
        == """\
# HELP a_total Things.
# TYPE a_total counter
a_total{worker="1",kind="x {y}"} 1.0
a_total{worker="1",kind="z"} 2.0
# HELP b How many.
# TYPE b gauge
b{worker="1"} 3.0
b{worker="2"} 4.0
# HELP c_seconds How long.
# TYPE c_seconds histogram
c_seconds_bucket{worker="2",le="1.0"} 5.0
c_seconds_count{worker="2"} 5.0
"""
    )
