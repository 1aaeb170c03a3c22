"""Frames in both directions."""

from __future__ import annotations

import json
from typing import Final

from pydantic import BaseModel, ValidationError

from greenroom.http.faults import MalformedBody
from greenroom.http.json_body import check_json
from greenroom.http.problems import invalid_input, problem_of
from greenroom.schema.events import Frame
from greenroom.schema.socket_frames import COMMAND, REF_LENGTH_MAX, AnyCommand, Ref

_NO_DATA: Final = "null"


def parse_command(text: str) -> AnyCommand:
    """Read and check one frame.

    Raises:
        MalformedBody: it is not JSON, or not unambiguously.
        InvalidInput: it is JSON, but no command, or one with something wrong in it.
    """
    payload = text.encode()
    check_json(payload)
    try:
        return COMMAND.validate_json(payload)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False)):
            raise MalformedBody("The frame is not valid JSON.") from None
        raise invalid_input("frame", error) from None


def ref_of(text: str) -> Ref | None:
    """The ref of a frame that can't be read as a command, if it has one all the same."""
    try:
        ref = json.loads(text).get("ref")
    except (ValueError, AttributeError, RecursionError):
        return None
    is_ref = (isinstance(ref, str) and len(ref) <= REF_LENGTH_MAX) or (isinstance(ref, int) and ref >= 0)
    return ref if is_ref and not isinstance(ref, bool) else None


def event_frame(frame: Frame) -> str:
    """An event; ``id`` is null for what is never stored."""
    cursor = "null" if frame.id is None else f'"{frame.id}"'
    return f'{{"type":"event","id":{cursor},"event":"{frame.event}","data":{frame.data}}}'


def reply_frame(ref: Ref | None, data: BaseModel | None) -> str:
    text = _NO_DATA if data is None else data.model_dump_json()
    return f'{{"type":"reply","ref":{json.dumps(ref)},"ok":true,"data":{text}}}'


def refusal_frame(ref: Ref | None, error: Exception, request_id: str) -> str:
    problem, _ = problem_of(error, request_id)
    shown = problem.model_dump_json(exclude_none=True)
    return f'{{"type":"reply","ref":{json.dumps(ref)},"ok":false,"error":{shown}}}'
