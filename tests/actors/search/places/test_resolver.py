"""The tiers that need models, on a virtual clock, over a few regions in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.places.by_meaning import MeaningThresholds
from greenroom.actors.search.places.decision import PlaceDecision
from greenroom.actors.search.places.resolver import PlaceResolver
from greenroom.actors.search.stage_history import StageHistory
from greenroom.models.ports import ChosenPlace, ModelUnavailable, Vector
from greenroom.schema.search.diagnostics import Prompt, SkipReason, StageName
from greenroom.schema.search.places import PlaceCandidate, PlaceOutcome, RegionId, Tier
from greenroom.storage.memory import memory_storage
from greenroom.storage.ports import Storage
from tests.storage.places_builders import BROOKLYN, NYC, PARK_SLOPE, QUEENS, add_places

GOWANUS = RegionId("nyc/brooklyn/gowanus")
PROMPT = Prompt("place", "fake", "which?", "this")
TEXT = "slope of the park"


@dataclass
class FakeEmbedder:
    """Gives every text one vector, after a while."""

    vector: Vector = (1.0, 0.0)
    is_local: bool = True
    takes_s: float = 0.0
    model: str = "fake"
    dimensions: int = 2

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        await trio.sleep(self.takes_s)
        return [self.vector for _ in texts]


@dataclass
class FakeModel:
    """Chooses as it is told, after a while, and remembers what it was offered."""

    chooses: RegionId | None = None
    confidence: float = 0.9
    takes_s: float = 0.0
    fails: bool = False
    offered: list[list[RegionId]] = field(default_factory=list)

    async def choose(
        self, text: str, *, sentence: str, candidates: Sequence[PlaceCandidate], timeout_s: float
    ) -> ChosenPlace:
        self.offered.append([candidate.region.id for candidate in candidates])
        await trio.sleep(self.takes_s)
        if self.fails:
            raise ModelUnavailable("away", prompt=PROMPT)
        return ChosenPlace(self.chooses, self.confidence, PROMPT)


@pytest.fixture
async def storage() -> Storage:
    storage = memory_storage()
    await add_places(storage)
    return storage


async def decide(
    storage: Storage,
    *,
    text: str = TEXT,
    embedder: FakeEmbedder | None = None,
    model: FakeModel | None = None,
    history: StageHistory | None = None,
    barred: Mapping[Tier, SkipReason] | None = None,
    budget_s: float = 1.0,
) -> PlaceDecision:
    resolver = PlaceResolver(
        storage.places,
        embedder=embedder,
        model=model,
        thresholds=MeaningThresholds(),
        model_timeout_s=lambda: 0.6,
        history=history or StageHistory(),
    )
    deadline = trio.current_time() + budget_s
    return await resolver(
        text,
        await storage.places.look_up(text, cities=[NYC]),
        sentence=text,
        cities=[NYC],
        barred=barred or {},
        remaining_s=lambda: max(0.0, deadline - trio.current_time()),
    )


async def embed(storage: Storage, **vectors: Vector) -> None:
    ids = {"slope": PARK_SLOPE, "gowanus": GOWANUS}
    await storage.gazetteer.put_embeddings("fake", [(ids[name], vector) for name, vector in vectors.items()])


def results(decision: PlaceDecision) -> dict[Tier, str]:
    return {trial.tier: trial.result for trial in decision.trials}


async def test_no_model_is_asked_for_a_place_that_its_name_tells(storage: Storage) -> None:
    model = FakeModel()
    decision = await decide(storage, text="park slope", embedder=FakeEmbedder(), model=model)

    assert decision.answer.tier is Tier.EXACT
    assert results(decision) == {
        Tier.EXACT: "resolved",
        Tier.ALIAS: "not needed",
        Tier.FUZZY: "not needed",
    }
    assert model.offered == []


async def test_places_named_together_are_all_meant(storage: Storage) -> None:
    decision = await decide(storage, text="park slope or gowanus, brooklyn")
    assert decision.answer.outcome is PlaceOutcome.RESOLVED
    assert [region.id for region in decision.answer.regions] == [PARK_SLOPE, GOWANUS]


async def test_a_borough_beside_a_place_that_is_not_in_it_leaves_both_meant(storage: Storage) -> None:
    decision = await decide(storage, text="lower east side or queens")
    assert [region.id for region in decision.answer.regions] == ["nyc/manhattan/lower-east-side", QUEENS]


async def test_boroughs_named_together_are_all_meant(storage: Storage) -> None:
    decision = await decide(storage, text="brooklyn or queens")
    assert [region.id for region in decision.answer.regions] == [BROOKLYN, QUEENS]


async def test_what_is_not_known_beside_a_place_is_passed_over(storage: Storage) -> None:
    decision = await decide(storage, text="gowanus, near the canal")
    assert [region.id for region in decision.answer.regions] == [GOWANUS]


async def test_a_near_meaning_ends_the_search_for_a_place(storage: Storage) -> None:
    await embed(storage, slope=(1.0, 0.0), gowanus=(0.0, 1.0))
    model = FakeModel()
    decision = await decide(storage, embedder=FakeEmbedder(), model=model)

    assert (decision.answer.tier, decision.answer.confidence) == (Tier.EMBEDDING, 1.0)
    assert [region.id for region in decision.answer.regions] == [PARK_SLOPE]
    assert (model.offered, decision.skipped) == ([], ())


async def test_a_near_meaning_without_the_words_convinces_a_large_model_only(storage: Storage) -> None:
    await embed(storage, slope=(1.0, 0.0), gowanus=(0.0, 1.0))
    small = await decide(storage, text="qqqq", embedder=FakeEmbedder())
    large = await decide(storage, text="qqqq", embedder=FakeEmbedder(is_local=False))
    assert (small.answer.outcome, large.answer.outcome) == (PlaceOutcome.UNKNOWN, PlaceOutcome.RESOLVED)


async def test_two_meanings_about_as_near_are_left_to_the_model(storage: Storage) -> None:
    await embed(storage, slope=(1.0, 0.0), gowanus=(0.99, 0.14))
    model = FakeModel(chooses=GOWANUS)
    decision = await decide(storage, embedder=FakeEmbedder(), model=model)

    assert (decision.answer.tier, decision.answer.confidence) == (Tier.MODEL, 0.9)
    assert [region.id for region in decision.answer.regions] == [GOWANUS]
    assert decision.prompts == (PROMPT,)


async def test_a_model_is_not_believed_that_is_unsure_or_names_what_it_was_not_offered(storage: Storage) -> None:
    await embed(storage, slope=(1.0, 0.0), gowanus=(0.99, 0.14))
    unsure = await decide(storage, embedder=FakeEmbedder(), model=FakeModel(chooses=GOWANUS, confidence=0.6))
    inventing = await decide(storage, embedder=FakeEmbedder(), model=FakeModel(chooses=RegionId("nyc/atlantis")))

    assert unsure.answer.outcome is inventing.answer.outcome is PlaceOutcome.UNKNOWN
    assert results(unsure)[Tier.MODEL] == results(inventing)[Tier.MODEL] == "miss"


async def test_a_model_that_has_nobody_to_choose_among_is_not_asked(storage: Storage) -> None:
    model = FakeModel()
    decision = await decide(storage, text="qqqq", embedder=FakeEmbedder(), model=model)
    assert (model.offered, decision.skipped) == ([], ())
    assert results(decision)[Tier.MODEL] == "skipped: no candidates"


async def test_the_model_is_asked_while_a_distant_embedder_works(
    storage: Storage, autojump_clock: MockClock
) -> None:
    model = FakeModel(chooses=PARK_SLOPE, takes_s=0.3)
    began_at = trio.current_time()
    decision = await decide(storage, text="slop", embedder=FakeEmbedder(is_local=False, takes_s=0.3), model=model)
    assert decision.answer.tier is Tier.MODEL
    assert trio.current_time() - began_at == pytest.approx(0.3)


async def test_the_model_gets_a_last_chance_when_the_embedder_found_others(
    storage: Storage, autojump_clock: MockClock
) -> None:
    await embed(storage, slope=(1.0, 0.0), gowanus=(0.99, 0.14))
    model = FakeModel(chooses=GOWANUS, takes_s=0.1)
    decision = await decide(storage, text="qqqq", embedder=FakeEmbedder(is_local=False, takes_s=0.2), model=model)
    assert decision.answer.tier is Tier.MODEL
    assert model.offered == [[PARK_SLOPE, GOWANUS]]


async def test_a_late_model_leaves_the_place_unknown_and_says_so(
    storage: Storage, autojump_clock: MockClock
) -> None:
    began_at = trio.current_time()
    decision = await decide(storage, text="slop", model=FakeModel(chooses=PARK_SLOPE, takes_s=9.0))
    assert decision.answer.outcome is PlaceOutcome.UNKNOWN
    assert decision.skipped == ((Tier.MODEL, SkipReason.TIMEOUT),)
    assert trio.current_time() - began_at == pytest.approx(0.6)


async def test_no_tier_outlives_the_budget(storage: Storage, autojump_clock: MockClock) -> None:
    began_at = trio.current_time()
    decision = await decide(storage, embedder=FakeEmbedder(is_local=False, takes_s=9.0), model=None, budget_s=0.2)
    assert decision.skipped == ((Tier.EMBEDDING, SkipReason.TIMEOUT),)
    assert results(decision)[Tier.EMBEDDING] == "timeout"
    assert trio.current_time() - began_at == pytest.approx(0.2)


async def test_a_failing_model_is_told_with_its_prompt(storage: Storage) -> None:
    decision = await decide(storage, text="slop", model=FakeModel(fails=True))
    assert decision.answer.outcome is PlaceOutcome.UNKNOWN
    assert (decision.skipped, decision.prompts) == (((Tier.MODEL, SkipReason.FAILED),), (PROMPT,))


async def test_a_tier_that_takes_longer_than_is_left_is_not_begun(storage: Storage) -> None:
    history = StageHistory()
    for _ in range(20):
        history.add(StageName.TIER5, 2.0, now=trio.current_time())
    model = FakeModel(chooses=PARK_SLOPE)
    decision = await decide(storage, text="slop", model=model, history=history)
    assert (decision.skipped, model.offered) == (((Tier.MODEL, SkipReason.BUDGET),), [])


async def test_a_barred_tier_is_not_tried(storage: Storage) -> None:
    await embed(storage, slope=(1.0, 0.0))
    barred = {Tier.EMBEDDING: SkipReason.OVERRIDE, Tier.MODEL: SkipReason.HIGH_LOAD}
    decision = await decide(storage, text="slop", embedder=FakeEmbedder(), model=FakeModel(), barred=barred)
    assert dict(decision.skipped) == barred


async def test_a_borough_is_told_when_no_tier_knows_more(storage: Storage) -> None:
    decision = await decide(storage, text="qqqq brooklyn", embedder=FakeEmbedder(), model=None)
    assert [region.id for region in decision.answer.regions] == [BROOKLYN]
    assert decision.answer.confidence < 0.5
