"""What operators decide about names of places."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.world import World, assert_problem
from tests.storage.places_builders import PARK_SLOPE, add_places

PATH = "/api/v1/admin/location-aliases"
GULCH = {"text": "The Gulch", "region_id": PARK_SLOPE, "action": "approve"}


async def decide(world: World, **changes: Any) -> Any:
    answer = await world.operator.post(PATH, json=GULCH | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_alias_is_made_revoked_and_listed_by_its_state(world: World) -> None:
    await add_places(world.storage)

    made = await decide(world)
    revoked = await decide(world, action="revoke")
    listed = (await world.operator.get(PATH, params={"state": "revoked"})).json()
    active = (await world.operator.get(PATH, params={"state": "active", "limit": 1})).json()

    assert (made["source"], made["state"]) == ("operator", "active")
    assert made["decided_by"].startswith("key:")
    assert listed == {"items": [revoked], "next_cursor": None}
    assert revoked["id"] == made["id"]
    assert active["next_cursor"] == active["items"][0]["id"]


async def test_an_alias_of_nowhere_is_refused(world: World) -> None:
    await add_places(world.storage)

    unknown = await world.operator.post(PATH, json=GULCH | {"region_id": "atlantis"})
    missing = await world.operator.post(PATH, json=GULCH | {"action": "revoke"})

    assert_problem(unknown, 404, "region_not_found")
    assert_problem(missing, 404, "alias_not_found")
    for wrong in ({"text": ""}, {"text": "!!!"}, {"action": "forget"}, {"region_id": "Park Slope"}, {"more": 1}):
        assert_problem(await world.operator.post(PATH, json=GULCH | wrong), 422)
    assert_problem(await world.operator.get(PATH, params={"cursor": "x"}), 422)
    assert_problem(await world.operator.get(PATH, params={"state": "new"}), 422)


async def test_names_are_looked_for_by_text_source_and_state(world: World) -> None:
    await add_places(world.storage)
    await decide(world)
    await decide(world, text="Slope Street")

    async def names(**params: str | int) -> list[str]:
        answer = await world.operator.get(PATH, params=params)
        assert answer.status_code == 200, answer.text
        return [item["text"] for item in answer.json()["items"]]

    assert await names(source="operator") == ["Slope Street", "The Gulch"]
    assert await names(q="Gulc") == ["The Gulch"]
    assert await names(q="PARK-SLOPE", source="operator") == ["Slope Street", "The Gulch"]
    assert await names(q="slope street", source="gazetteer") == []
    assert await names(q="gulch", source="operator", state="active") == ["The Gulch"]
    page = (await world.operator.get(PATH, params={"source": "operator", "limit": 1})).json()
    assert await names(source="operator", cursor=page["next_cursor"]) == ["The Gulch"]


@pytest.mark.parametrize("wrong", [{"q": ""}, {"q": "!!!"}, {"q": "x" * 101}, {"source": "import"}, {"name": "x"}])
async def test_names_that_can_not_be_looked_for_are_refused(world: World, wrong: dict[str, str]) -> None:
    assert_problem(await world.operator.get(PATH, params=wrong), 422)


async def test_names_are_for_operators_only(world: World) -> None:
    assert_problem(await world.maya.api.get(PATH), 403)
    assert_problem(await world.maya.api.post(PATH, json=GULCH), 403)
