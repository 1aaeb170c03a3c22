"""Asking a chat model for one JSON object of a given shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from greenroom.models.openai.calls import OpenAICalls
from greenroom.models.ports import ModelAnswerInvalid, ModelError, ModelRefused
from greenroom.schema.search.diagnostics import Prompt

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R")

PROMPT_LENGTH_MAX: Final = 4_000
"""Characters kept of what was asked and said."""

ANSWER_TOKENS_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Said(Generic[R]):
    answer: R
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Question(Generic[A, R]):
    """
    Attributes:
        model: name of the model; asked anew each time, as operators may change it.
        schema: JSON schema of the answer, in the subset that strict structured output takes.
        shape: what the answer is checked against.
        read: makes of it what was asked for; a ValueError says that it makes no sense.
    """

    purpose: str
    model: str
    instructions: str
    text: str
    schema: dict[str, Any]
    shape: type[A]
    read: Callable[[A], R]


async def ask_for(calls: OpenAICalls, question: Question[A, R], *, timeout_s: float) -> Said[R]:
    """
    Raises:
        ModelError: no usable answer in time; with the prompt.
    """
    said: list[str] = []

    async def attempt(client: AsyncOpenAI) -> R:
        content = _content(await _complete(client, question))
        said[:] = [content]
        try:
            return question.read(question.shape.model_validate_json(content))
        except ValidationError as exc:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in exc.errors()[:3])
            raise ModelAnswerInvalid(f"not of the asked shape: {faults}") from exc
        except ValueError as exc:
            raise ModelAnswerInvalid(str(exc)) from exc

    try:
        answer = await calls.call(question.purpose, attempt, timeout_s=timeout_s)
    except ModelError as exc:
        exc.prompt = _prompt(question, said, exc)
        raise
    return Said(answer, _prompt(question, said, None))


async def _complete(client: AsyncOpenAI, question: Question[A, R]) -> ChatCompletion:
    create: Callable[..., Any] = client.chat.completions.create
    # Reasoning is what takes a reasoning model seconds; other models refuse to be told how much of it to do.
    effort = {"reasoning_effort": "minimal"} if question.model.startswith(("gpt-5", "o1", "o3", "o4")) else {}
    completion: ChatCompletion = await create(
        model=question.model,
        messages=[
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.text},
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": question.purpose, "strict": True, "schema": question.schema},
        },
        max_completion_tokens=ANSWER_TOKENS_MAX,
        **effort,
    )
    return completion


def _content(completion: ChatCompletion) -> str:
    """What the model said, if it is whole. A refusal has a field of its own; content can be null for no reason."""
    try:
        # The client takes the answer as it comes, of whatever shape.
        choice = completion.choices[0]
        refusal, content = choice.message.refusal, choice.message.content
    except (AttributeError, TypeError, IndexError) as exc:
        raise ModelAnswerInvalid("the answer has not the shape of the API") from exc
    if refusal:
        raise ModelRefused("the model declined")
    if choice.finish_reason == "content_filter":
        raise ModelRefused("the provider's filter withheld the answer")
    if choice.finish_reason == "length":
        raise ModelAnswerInvalid("the answer was cut at its longest")
    if not isinstance(content, str) or not content:
        raise ModelAnswerInvalid("an empty answer")
    return content


def _prompt(question: Question[A, R], said: list[str], error: ModelError | None) -> Prompt:
    asked = f"{question.instructions}\n\n{question.text}"
    return Prompt(
        purpose=question.purpose,
        model=question.model,
        request=asked[:PROMPT_LENGTH_MAX],
        # A model may say half a surrogate pair, which nothing that comes after could write down.
        response=said[0][:PROMPT_LENGTH_MAX].encode("utf-8", "replace").decode() if said else None,
        error=None if error is None else f"{type(error).__name__}: {error}",
    )
