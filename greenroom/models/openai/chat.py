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

PROMPT_LENGTH_MAX: Final = 4_000
"""Characters kept of what was asked and said."""

ANSWER_TOKENS_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Said(Generic[A]):
    answer: A
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """
    Attributes:
        model: name of the model; asked anew each time, as operators may change it.
        schema: JSON schema of the answer, in the subset that strict structured output takes.
        shape: what the answer is checked against.
    """

    purpose: str
    model: str
    instructions: str
    text: str
    schema: dict[str, Any]
    shape: type[A]


async def ask_for(calls: OpenAICalls, question: Question[A], *, timeout_s: float) -> Said[A]:
    """
    Raises:
        ModelError: no usable answer in time; with the prompt.
    """
    said: str | None = None
    try:
        completion = await calls.call(
            question.purpose, lambda client: _complete(client, question), timeout_s=timeout_s
        )
        said = _content(completion)
        answer = question.shape.model_validate_json(said)
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in exc.errors()[:3])
        error = ModelAnswerInvalid(f"not of the asked shape: {faults}")
        error.prompt = _prompt(question, said, error)
        raise error from exc
    except ModelError as exc:
        exc.prompt = _prompt(question, said, exc)
        raise
    return Said(answer, _prompt(question, said, None))


async def _complete(client: AsyncOpenAI, question: Question[A]) -> ChatCompletion:
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
    choices = completion.choices if isinstance(completion.choices, list) else []
    if not choices:
        raise ModelAnswerInvalid("no choice in the answer")
    choice = choices[0]
    if choice.message is None:
        raise ModelAnswerInvalid("no message in the answer")
    if choice.message.refusal:
        raise ModelRefused("the model declined")
    if choice.finish_reason == "content_filter":
        raise ModelRefused("the provider's filter withheld the answer")
    if choice.finish_reason == "length":
        raise ModelAnswerInvalid("the answer was cut at its longest")
    if not choice.message.content:
        raise ModelAnswerInvalid("an empty answer")
    return choice.message.content


def _prompt(question: Question[A], said: str | None, error: ModelError | None) -> Prompt:
    asked = f"{question.instructions}\n\n{question.text}"
    return Prompt(
        purpose=question.purpose,
        model=question.model,
        request=asked[:PROMPT_LENGTH_MAX],
        response=None if said is None else said[:PROMPT_LENGTH_MAX],
        error=None if error is None else f"{type(error).__name__}: {error}",
    )
