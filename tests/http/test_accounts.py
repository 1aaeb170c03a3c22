"""Registering, signing in and out, by token and by cookie."""

from __future__ import annotations

from tests.http.world import PASSWORD, Person, World, a_world, assert_problem, some_settings

NEWCOMER = {"email": "nova@example.com", "password": PASSWORD, "display_name": "Nova", "role": "student"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def credentials(person: Person) -> dict[str, str]:
    return {"email": person.email, "password": PASSWORD}


async def test_registering_creates_an_account_and_a_session(world: World) -> None:
    answer = await world.nobody.post("/api/v1/auth/register", json=NEWCOMER)

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"user", "access_token", "token_type", "expires_at"}
    assert body["token_type"] == "bearer"
    assert body["user"]["role"] == "student"
    me = await world.nobody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json() == body["user"]
    assert set(me.json()) == {"id", "email", "display_name", "role", "permissions"}


async def test_an_address_registers_once_whatever_its_case(world: World) -> None:
    await world.nobody.post("/api/v1/auth/register", json=NEWCOMER)

    answer = await world.nobody.post("/api/v1/auth/register", json=NEWCOMER | {"email": "Nova@Example.com"})

    assert_problem(answer, 409, "email_taken")


async def test_nobody_registers_as_admin(world: World) -> None:
    answer = await world.nobody.post("/api/v1/auth/register", json=NEWCOMER | {"role": "admin"})

    problem = assert_problem(answer, 422, "invalid_input")
    assert problem["errors"][0]["loc"] == ["body", "role"]


async def test_signing_in_answers_with_token_and_cookie(world: World) -> None:
    answer = await world.nobody.post("/api/v1/auth/login", json=credentials(world.maya))

    assert answer.status_code == 200
    token = answer.json()["access_token"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"greenroom={token};")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


async def test_a_secure_server_sets_a_host_cookie() -> None:
    async with a_world(settings=some_settings(cookie_secure=True)) as world:
        answer = await world.nobody.post("/api/v1/auth/login", json=credentials(world.maya))

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-greenroom=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


async def test_an_unknown_account_and_a_wrong_password_look_alike(world: World) -> None:
    wrong = await world.nobody.post("/api/v1/auth/login", json={"email": world.maya.email, "password": "wrong"})
    unknown = await world.nobody.post("/api/v1/auth/login", json={"email": "no@example.com", "password": "wrong"})

    first, second = (assert_problem(each, 401, "invalid_credentials") for each in (wrong, unknown))
    assert first | {"request_id": ""} == second | {"request_id": ""}


async def test_the_cookie_authenticates_like_the_token(world: World) -> None:
    browser = await world.client()
    await browser.post("/api/v1/auth/login", json=credentials(world.maya))

    me = await browser.get("/api/v1/auth/me")

    assert me.json()["id"] == world.maya.id


async def test_signing_out_ends_the_session_and_clears_the_cookie(world: World) -> None:
    browser = await world.client(SAME_ORIGIN)
    token = (await browser.post("/api/v1/auth/login", json=credentials(world.maya))).json()["access_token"]

    answer = await browser.post("/api/v1/auth/logout")

    assert answer.status_code == 204
    assert answer.content == b""
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert_problem(await browser.get("/api/v1/auth/me"), 401, "not_authenticated")
    replayed = await world.nobody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert_problem(replayed, 401, "not_authenticated")
    assert (await world.maya.api.get("/api/v1/auth/me")).status_code == 200  # the other session goes on


async def test_an_authorization_header_wins_over_the_cookie(world: World) -> None:
    browser = await world.client()
    await browser.post("/api/v1/auth/login", json=credentials(world.maya))

    other = await browser.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {world.tomas.token}"})
    broken = await browser.get("/api/v1/auth/me", headers={"Authorization": "Bearer nonsense"})

    assert other.json()["id"] == world.tomas.id
    assert_problem(broken, 401)
    assert broken.headers["WWW-Authenticate"].startswith("Bearer")
