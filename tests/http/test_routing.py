from __future__ import annotations

import pytest

from greenroom.http.app import OPERATIONS
from greenroom.http.routing import Routes

ROUTES = Routes(OPERATIONS)
ACTORS = "/api/v1/admin/actors"


@pytest.mark.parametrize(
    ("method", "path", "route", "arguments"),
    [
        ("GET", "/health/live", "/health/live", {}),
        ("HEAD", "/health/live", "/health/live", {}),
        (
            "POST",
            "/api/v1/conversations/x/messages",
            "/api/v1/conversations/{conversation_id}/messages",
            {"conversation_id": "x"},
        ),
        ("GET", f"{ACTORS}/top", f"{ACTORS}/top", {}),
        ("GET", f"{ACTORS}/a/b/stack", f"{ACTORS}/{{actor_path}}/stack", {"actor_path": "a/b"}),
        ("GET", f"{ACTORS}/a/b/stop", f"{ACTORS}/{{actor_path}}", {"actor_path": "a/b/stop"}),
        ("POST", f"{ACTORS}/a/b/stop", f"{ACTORS}/{{actor_path}}/stop", {"actor_path": "a/b"}),
    ],
)
def test_a_path_leads_to_its_operation_the_most_literal_first(
    method: str, path: str, route: str, arguments: dict[str, str]
) -> None:
    match = ROUTES.find(method, path)

    assert match is not None
    assert match.operation is not None
    assert (match.operation.path, match.arguments) == (route, arguments)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/health", "/health/live/", "/api/v1/conversations//messages", f"{ACTORS}//a", f"{ACTORS}/a\nb"],
)
def test_a_path_that_nothing_serves_leads_nowhere(path: str) -> None:
    assert ROUTES.find("GET", path) is None


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("POST", "/health/live", {"GET", "HEAD"}),
        ("HEAD", "/api/v1/events", {"GET"}),
        ("PUT", f"{ACTORS}/a/stop", {"GET", "HEAD", "POST"}),
    ],
)
def test_a_method_that_a_path_is_not_served_with_is_told_from_an_unknown_path(
    method: str, path: str, methods: set[str]
) -> None:
    match = ROUTES.find(method, path)

    assert match is not None
    assert match.operation is None
    assert match.methods == methods


def test_every_operation_is_found_at_the_path_it_declares() -> None:
    for operation in OPERATIONS:
        match = ROUTES.find(operation.method, operation.path)

        assert match is not None
        assert match.operation is operation
