"""Files into storage, against the twin in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio.testing

from greenroom.importing.command import FileFormat, Subject, load
from greenroom.importing.faults import FileUnusable, LineFault
from greenroom.importing.loading import Loaded, Loading
from greenroom.importing.text_lines import LINE_BYTES_MAX
from greenroom.schema.catalogue import Profile, WeeklySlot
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import EmailTaken, PoolExhausted, StorageUnavailable
from greenroom.schema.ids import RandomIds, UserId
from greenroom.schema.search.places import RegionId, RegionKind
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage
from greenroom.storage.ports import Storage

EXAMPLES = Path(__file__).parents[2] / "examples"

PIANO = {
    "external_id": "piano",
    "title": "Piano",
    "description": "",
    "price_cents": 6_000,
    "currency": "USD",
    "duration_minutes": 45,
}
LINE = {"external_id": "a", "display_name": "Ann", "email": "ann@example.org", "services": [PIANO]}


@dataclass
class Desk:
    """Loads texts as if they were files, and remembers what was wrong with them."""

    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    faults: list[LineFault] = field(default_factory=list)
    ids: RandomIds = field(default_factory=lambda: RandomIds(Random(1), system_wall_clock))

    @property
    def storage(self) -> Storage:
        return memory_storage(self.database)

    @property
    def told(self) -> list[str]:
        return [str(fault) for fault in self.faults]

    async def load(
        self, subject: Subject, text: str | bytes, file_format: FileFormat, *, is_dry: bool = False
    ) -> Loaded:
        data = text.encode() if isinstance(text, str) else text
        loading = Loading(
            self.storage,
            ids=self.ids,
            wall=system_wall_clock,
            password_hash="nobody knows",
            report=self.faults.append,
            is_dry=is_dry,
        )
        return await load(loading, subject, file_format, lambda: BytesIO(data))

    async def lines(self, *lines: dict[str, Any] | str, is_dry: bool = False) -> Loaded:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        return await self.load(Subject.SERVICES, text, FileFormat.JSONL, is_dry=is_dry)

    async def example(self, subject: Subject, name: str) -> Loaded:
        file_format = FileFormat(Path(name).suffix[1:])
        return await self.load(subject, (EXAMPLES / name).read_bytes(), file_format)

    async def user_id(self, email: str) -> UserId:
        found = await self.storage.accounts.credentials(email)
        assert found is not None
        return found.user.id


@pytest.fixture
async def desk() -> Desk:
    """With the regions of the examples."""
    desk = Desk()
    await desk.example(Subject.REGIONS, "regions.geojson")
    assert not desk.faults
    return desk


async def test_the_examples_load_without_a_fault_and_again_without_a_change(desk: Desk) -> None:
    first = [
        await desk.example(Subject.ALIASES, "aliases.csv"),
        await desk.example(Subject.SERVICES, "instructors.jsonl"),
        await desk.example(Subject.SERVICES, "instructors.csv"),
    ]
    tables = desk.database.tables
    before = (dict(tables.users), dict(tables.services), dict(tables.service_states), dict(tables.profiles))

    again = [
        await desk.example(Subject.SERVICES, "instructors.jsonl"),
        await desk.example(Subject.SERVICES, "instructors.csv"),
    ]

    assert first == [
        Loaded(good=2, aliases=2),
        Loaded(good=2, new_accounts=2, services=3),
        Loaded(good=1, new_accounts=1, services=2),
    ]
    assert again == [Loaded(good=2, services=3), Loaded(good=1, services=2)]
    assert (tables.users, tables.services, tables.service_states, tables.profiles) == before
    assert not desk.faults


async def test_an_instructor_of_a_table_has_all_services_of_the_rows_that_follow_on_each_other(desk: Desk) -> None:
    await desk.example(Subject.SERVICES, "instructors.csv")

    joan = await desk.storage.directory.instructor(await desk.user_id("joan@example.org"))
    assert joan is not None
    assert [(s.title, s.age_min, s.age_max) for s in joan.services] == [
        ("Swimming for adults", 18, None),
        ("Swimming for kids", 5, 12),
    ]
    assert await desk.storage.catalogue.profile(joan.user.id) == Profile(
        bio="Swims all year, even in the river.",
        rating=4.7,
        rating_count=112,
        response_minutes=35,
        home_city=RegionId("hoboken"),
        timezone="America/New_York",
        areas=(RegionId("hoboken/downtown"), RegionId("hoboken/uptown")),
        availability=(WeeklySlot(2, 360, 540), WeeklySlot(4, 360, 540), WeeklySlot(6, 480, 720)),
    )


async def test_nobody_signs_in_to_an_imported_account(desk: Desk) -> None:
    await desk.lines(LINE)
    found = await desk.storage.accounts.credentials("ann@example.org")
    assert found is not None
    assert found.password_hash == "nobody knows"


async def test_bad_lines_are_told_by_number_and_field_and_the_others_loaded(desk: Desk) -> None:
    loaded = await desk.lines(
        LINE,
        "{",
        LINE | {"external_id": "b", "services": [PIANO | {"price_cents": -5, "levels": ["expert"]}]},
        LINE | {"external_id": "c", "areas": ["hoboken/uptown", "hoboken/atlantis"]},
        LINE | {"external_id": "d", "email": "ANN@example.org"},
        LINE | {"external_id": "e", "email": None, "timezone": "Mars/Olympus"},
        LINE | {"external_id": "f", "email": None, "services": [PIANO, PIANO]},
        LINE | {"external_id": "g", "email": None, "rating": 5.0},
        LINE | {"external_id": "h", "email": "h@example.org"},
    )

    assert loaded == Loaded(good=2, bad=7, new_accounts=2, services=2)
    assert sorted((fault.line, fault.field) for fault in desk.faults) == [
        (2, ""),
        (3, "services[0].levels[0]"),
        (3, "services[0].price_cents"),
        (4, "areas"),
        (5, "email"),
        (6, "timezone"),
        (7, ""),
        (8, ""),
    ]
    assert [fault.line for fault in desk.faults] == [2, 3, 3, 4, 5, 6, 7, 8]
    assert "line 4: areas hoboken/atlantis is no region known here" in desk.told
    assert "line 5: email is that of the instructor a" in desk.told


async def test_bad_cells_are_told_by_their_column(desk: Desk) -> None:
    header, *rows = (EXAMPLES / "instructors.csv").read_text().splitlines()
    good = rows[1]
    text = "\n".join(
        [
            header,
            good.replace("7000", "70.00"),
            good.replace("5,12", "12,5"),
            good.replace("no,yes", "perhaps,yes"),
            good.replace("beginner; intermediate", "novice"),
            good.replace(",,,,,,,,,,swim", ",,,,,,,,,sat 9-12,swim"),
            good,
            good.replace("Joan", "Jane"),
        ]
    )

    loaded = await desk.load(Subject.SERVICES, text, FileFormat.CSV)

    assert loaded == Loaded(good=1, bad=6, new_accounts=1, services=1)
    assert [(fault.line, fault.field) for fault in desk.faults] == [
        (2, "price_cents"),
        (3, "ages"),
        (4, "online"),
        (5, "levels"),
        (6, "availability"),
        (6, "availability"),
        (8, "instructor_name"),
    ]


async def test_a_dry_run_tells_faults_and_stores_nothing(desk: Desk) -> None:
    tables = desk.database.tables
    loaded = await desk.lines(LINE, LINE | {"external_id": "b", "areas": ["x"]}, is_dry=True)
    assert loaded == Loaded(good=1, bad=1, services=1)
    assert len(desk.faults) == 1
    assert not tables.users

    elsewhere = Desk()
    data = (EXAMPLES / "regions.geojson").read_bytes()
    assert await elsewhere.load(Subject.REGIONS, data, FileFormat.GEOJSON, is_dry=True) == Loaded(
        good=3, aliases=2
    )
    assert await elsewhere.storage.places.cities() == []


async def test_the_same_instructor_far_apart_in_a_file_is_one_and_the_last_word_counts(desk: Desk) -> None:
    others = [LINE | {"external_id": f"x{n}", "email": None} for n in range(600)]
    loaded = await desk.lines(LINE, *others, LINE | {"display_name": "Anna"}, LINE | {"display_name": "Annie"})
    assert loaded == Loaded(good=603, new_accounts=601, services=603)
    ann = await desk.storage.directory.instructor(await desk.user_id("ann@example.org"))
    assert ann is not None
    assert (ann.user.display_name, len(ann.services)) == ("Annie", 1)


def a_feature(region_id: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"id": region_id, "name": region_id.rpartition("/")[2].title(), **properties},
        "geometry": {"type": "Point", "coordinates": [-74, 40.7]},
    }


async def test_a_region_may_come_before_the_one_it_lies_in(desk: Desk) -> None:
    features = [
        a_feature("troy/north/hill"),
        a_feature("troy/north"),
        a_feature("troy", timezone="America/New_York"),
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})

    assert await desk.load(Subject.REGIONS, text, FileFormat.GEOJSON) == Loaded(good=3)

    [hill] = await desk.storage.places.regions([RegionId("troy/north/hill")])
    assert (hill.parent_id, hill.city, hill.kind) == ("troy/north", "troy", RegionKind.NEIGHBOURHOOD)
    assert hill.timezone == "America/New_York"


async def test_bad_regions_are_told_and_what_lies_in_them_too(desk: Desk) -> None:
    crossing = [[0, 0], [4, 0], [4, 4], [-1, 2], [2, 5], [0, 5], [0, 0]]
    lines = [
        a_feature("ilium"),
        a_feature("ilium/gate"),
        a_feature("hoboken/pier") | {"geometry": {"type": "Polygon", "coordinates": [crossing]}},
        a_feature("hoboken/port", prior=2.0),
        a_feature("hoboken/Port"),
        a_feature("hoboken/field") | {"geometry": None},
        a_feature("hoboken/park", parent="troy"),
        a_feature("hoboken/yard"),
    ]
    text = "\n".join(map(json.dumps, lines))

    assert await desk.load(Subject.REGIONS, text, FileFormat.JSONL) == Loaded(good=1, bad=7)

    assert [(fault.line, fault.field) for fault in desk.faults] == [
        (1, "properties.timezone"),
        (3, "geometry.coordinates"),
        (4, "properties.prior"),
        (5, "properties.id"),
        (6, "geometry"),
        (7, "properties.parent"),
        (2, "properties.id"),
    ]
    assert desk.told[-1] == "line 2: properties.id lies in ilium, which does not exist"


async def test_an_alias_of_a_region_that_is_not_there_is_told(desk: Desk) -> None:
    text = "name,region,weight\nsquare,hoboken,0.5\nnowhere,atlantis,\n!,hoboken,\nheavy,hoboken,2\n"
    assert await desk.load(Subject.ALIASES, text, FileFormat.CSV) == Loaded(good=1, bad=3, aliases=1)
    assert sorted((fault.line, fault.field) for fault in desk.faults) == [
        (3, "region"),
        (4, "name"),
        (5, "weight"),
    ]
    found = await desk.storage.places.look_up("square", cities=[])
    assert [candidate.region.id for candidate in found.alias] == ["hoboken"]


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    desk: Desk, autojump_clock: trio.testing.MockClock
) -> None:
    losses = [StorageUnavailable("Away."), PoolExhausted("Busy.", retry_after_s=0.5), EmailTaken("Just now.")]

    async def lose(point: FaultPoint) -> None:
        if point.operation == "catalogue.upsert" and point.phase is Phase.BEFORE and losses:
            raise losses.pop()

    desk.database.faults = lose

    assert await desk.lines(LINE) == Loaded(good=1, new_accounts=1, services=1)
    assert losses == []


async def test_a_database_that_stays_away_ends_the_import(
    desk: Desk, autojump_clock: trio.testing.MockClock
) -> None:
    async def lose(point: FaultPoint) -> None:
        if point.operation == "catalogue.upsert":
            raise StorageUnavailable("Away.")

    desk.database.faults = lose

    with pytest.raises(StorageUnavailable):
        await desk.lines(LINE)


async def test_lines_with_much_in_them_are_stored_a_few_at_a_time(desk: Desk) -> None:
    times = [
        {"weekday": day, "starts": f"{hour:02}:00", "ends": f"{hour:02}:30"}
        for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        for hour in range(10)
    ]
    lines = [LINE | {"external_id": f"x{n}", "email": None, "availability": times} for n in range(400)]
    batches = 0

    async def count(point: FaultPoint) -> None:
        nonlocal batches
        batches += point.operation == "catalogue.upsert" and point.phase is Phase.BEFORE

    desk.database.faults = count

    assert (await desk.lines(*lines)).good == 400
    assert batches == 2


async def test_a_line_without_an_end_is_told_and_not_read_into_memory(desk: Desk) -> None:
    endless = b"x" * (LINE_BYTES_MAX + 10)
    loaded = await desk.load(Subject.SERVICES, endless + b"\n" + json.dumps(LINE).encode(), FileFormat.JSONL)
    assert loaded == Loaded(good=1, bad=1, new_accounts=1, services=1)
    assert desk.told == ["line 1: is longer than 2,000,000 bytes"]

    with pytest.raises(FileUnusable, match="line 2 is longer"):
        await desk.load(Subject.ALIASES, b"name,region\n" + endless, FileFormat.CSV)
