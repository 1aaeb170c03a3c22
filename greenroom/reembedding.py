"""``greenroom reembed``: vectors of all services by another model, while servers search by the one they have.

The new vectors grow beside the old ones. Servers whose settings name the new model search by it once every service has a vector; until
then they search by the local model, or by words. Stopped at any time, it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from random import SystemRandom

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from greenroom.actors.search.indexing import Indexing
from greenroom.app import make_data_dir, open_database_for_loading, watched
from greenroom.models.opening import open_models
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.schema.search_settings import SearchSettings
from greenroom.schema.settings import BadSettings, Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import postgres_storage
from greenroom.terminal import Steps


class Provider(StrEnum):
    OPENAI = "openai"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Reembedded:
    """
    Attributes:
        made: vectors made, by model.
        dropped: models that were forgotten.
        missing: vectors that are not there yet, as somebody was writing those services.
    """

    made: Mapping[str, int]
    dropped: tuple[str, ...]
    missing: int

    def summary(self) -> str:
        lines = [f"{model}: {count:,} vectors made" for model, count in self.made.items()]
        lines += [f"{model}: dropped" for model in self.dropped]
        if self.missing:
            lines.append(
                f"{self.missing:,} services were being written; run this again, or leave them to a server"
            )
        return "\n".join(lines)


def chosen_models(settings: SearchSettings, *, provider: Provider | None, model: str | None) -> SearchSettings:
    """The settings with another model.

    Raises:
        BadSettings: there is no key for the provider, or it is one that has a single model, which goes by no name.
    """
    chosen = {
        **settings.model_dump(),
        **({} if provider is None else {"embedding_provider": provider.value}),
        **({} if model is None else {"openai_embedding_model": model}),
    }
    if provider is not None and provider.value != settings.provider:
        # What was set is the other one's.
        chosen["embedding_dimensions"] = None
    try:
        wanted = SearchSettings(_env_file=None, **chosen)
    except ValidationError as exc:
        raise BadSettings(
            "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
        ) from None
    if model is not None and wanted.provider != "openai":
        raise BadSettings(
            f"--model names a model of openai, which needs OPENAI_API_KEY; {wanted.provider} has one of its own"
        )
    return wanted


async def reembed(
    settings: Settings, search: SearchSettings, *, drop_others: bool, steps: Steps, console: Console
) -> Reembedded:
    """Give every service a vector of each model that ``search`` names.

    Raises:
        ModelError: a model failed; what was made before is kept.
        Unavailable, EmbeddedPostgresFailed, CannotStart: as for a server.
    """
    make_data_dir(settings)
    async with (
        watched(steps),
        open_database_for_loading(settings, steps) as pool,
        open_models(search, config=search.config, rng=SystemRandom()) as models,
    ):
        storage = postgres_storage(pool, bus=LocalBus())
        indexing = Indexing(storage.search_index, models.embedders, load_taxonomy())
        await indexing.prepare()
        with _progress(console, total=await indexing.missing()) as progress:
            made = await indexing.fill(progress=progress)
        dropped = await indexing.drop_others() if drop_others else ()
        return Reembedded(made, dropped, await indexing.missing())


@contextmanager
def _progress(console: Console, *, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("vectors"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("vectors", total=total)
        yield lambda made: bar.update(task, completed=made)
