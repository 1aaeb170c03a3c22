"""What bytes mean, without a socket: heads, bodies in pieces, answers, and who a proxy says it was."""

from __future__ import annotations

import pytest

from greenroom.http.serving import TrustedProxies
from greenroom.http.serving.request_body import TRAILER_BYTES_MAX, RequestBody
from greenroom.http.serving.request_head import Malformed, RequestHead, parse_head
from greenroom.http.serving.response_head import ResponseHead, render_head

HEAD_BYTES_MAX = 16 * 1024


def request(*lines: str, line: str = "GET / HTTP/1.1", host: str = "Host: here") -> RequestHead:
    head = "\r\n".join([line, *([host] if host else []), *lines, "", ""]).encode("latin-1")
    return parse_head(head, HEAD_BYTES_MAX)


def test_a_head_is_read() -> None:
    head = request("X-One: a \t", "x-one:b", "Content-Length: 12", line="POST /a?b=c HTTP/1.1")

    assert (head.method, head.target, head.version) == ("POST", b"/a?b=c", "1.1")
    assert head.headers == [(b"host", b"here"), (b"x-one", b"a"), (b"x-one", b"b"), (b"content-length", b"12")]
    assert (head.content_length, head.is_chunked, head.has_body, head.keeps_alive) == (12, False, True, True)


@pytest.mark.parametrize(
    ("line", "header", "keeps_alive"),
    [
        ("GET / HTTP/1.1", "X: y", True),
        ("GET / HTTP/1.1", "Connection: close", False),
        ("GET / HTTP/1.1", "Connection: Keep-Alive, CLOSE", False),
        ("GET / HTTP/1.1", "Connection: closed", True),
        ("GET / HTTP/1.0", "Connection: keep-alive", False),
    ],
)
def test_it_is_known_whether_another_request_may_follow(line: str, header: str, keeps_alive: bool) -> None:
    assert request(header, line=line).keeps_alive is keeps_alive


def test_a_head_may_have_as_many_bytes_as_allowed_and_not_one_more() -> None:
    rest = len(b"GET / HTTP/1.1\r\nHost: here\r\nX: \r\n\r\n")

    request("X: " + "a" * (HEAD_BYTES_MAX - rest))
    with pytest.raises(Malformed) as refused:
        request("X: " + "a" * (HEAD_BYTES_MAX - rest + 1))

    assert refused.value.status == 431


AMBIGUOUS = {
    "a tab before the coding": ("Transfer-Encoding:\tchunked", None),
    "a vertical tab before the coding": ("Transfer-Encoding: \x0bchunked", 400),
    "a space in the name": ("Transfer-Encoding : chunked", 400),
    "identity": ("Transfer-Encoding: identity", 501),
    "identity, chunked": ("Transfer-Encoding: identity, chunked", 501),
    "chunked, identity": ("Transfer-Encoding: chunked, identity", 400),
    "quoted": ('Transfer-Encoding: "chunked"', 501),
    "a trailing comma": ("Transfer-Encoding: chunked,", 400),
    "x-chunked": ("Transfer-Encoding: xchunked", 501),
    "capitals": ("Transfer-Encoding: CHUNKED", None),
    "an empty coding": ("Transfer-Encoding:", 400),
    "an empty length": ("Content-Length:", 400),
    "a hexadecimal length": ("Content-Length: 0x10", 400),
    "a length with an underscore": ("Content-Length: 1_0", 400),
    "a list of lengths": ("Content-Length: 5, 5", 400),
    "a fraction": ("Content-Length: 5.0", 400),
    "a length with a space in it": ("Content-Length: 1 0", 400),
    "a length in other digits": ("Content-Length: \xb2", 400),
    "more than any disk": ("Content-Length: 18446744073709551617", 400),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_length_two_parsers_could_read_differently_is_refused(case: str) -> None:
    header, status = AMBIGUOUS[case]
    if status is None:
        assert request(header, line="POST / HTTP/1.1").is_chunked
        return
    with pytest.raises(Malformed) as refused:
        request(header, line="POST / HTTP/1.1")
    assert refused.value.status == status


def test_the_same_length_twice_is_refused_too() -> None:
    with pytest.raises(Malformed):
        request("Content-Length: 5", "content-length: 5", line="POST / HTTP/1.1")


def test_an_unknown_method_is_not_implemented() -> None:
    with pytest.raises(Malformed) as refused:
        request(line="BREW / HTTP/1.1")

    assert refused.value.status == 501


CHUNKED = request("Transfer-Encoding: chunked", line="POST / HTTP/1.1")


def read_in_pieces(head: RequestHead, sent: bytes, piece_bytes: int) -> tuple[bytes, bytes, bool]:
    body, unread, read = RequestBody(head), b"", b""
    while sent and not body.is_complete:
        unread, sent = unread + sent[:piece_bytes], sent[piece_bytes:]
        piece = b"more"
        while piece:
            piece, unread = body.take(unread)
            read += piece
    return read, unread + sent, body.is_complete


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("trailers", [b"", b"Digest: x\r\nOther: y\r\n"])
def test_a_chunked_body_reads_the_same_however_it_arrives(piece_bytes: int, trailers: bytes) -> None:
    sent = b"5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n" + trailers + b"\r\n"

    assert read_in_pieces(CHUNKED, sent + b"GET /next", piece_bytes) == (b"hello0123456789", b"GET /next", True)


@pytest.mark.parametrize("piece_bytes", [1, 4, 1000])
def test_a_body_of_given_length_ends_there(piece_bytes: int) -> None:
    head = request("Content-Length: 5", line="POST / HTTP/1.1")

    assert read_in_pieces(head, b"helloGET /next", piece_bytes) == (b"hello", b"GET /next", True)


@pytest.mark.parametrize(
    "sent",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1;name=value\r\na\r\n",
        b"1\na\r\n",
        b"\r\n",
        b"f" * 16 + b"\r\n",
        b"1\r\nab\r\n",
        b"1\r\na0\r\n\r\n",
        b"1\r\na\n0\r\n\r\n",
        b"0\r\nX: y\n\r\n",
        b"0\r\nX: \x00\r\n\r\n",
        b"0\r\nX: " + b"a" * TRAILER_BYTES_MAX + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 100_000])
def test_a_chunked_body_that_is_none_is_refused(sent: bytes, piece_bytes: int) -> None:
    with pytest.raises(Malformed):
        read_in_pieces(CHUNKED, sent, piece_bytes)


def answer(
    status: int = 200,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    version: str = "1.1",
    whole_body_bytes: int | None = None,
) -> ResponseHead:
    return render_head(
        status,
        headers,
        date=b"now",
        method=method,
        version=version,
        keeps_alive=version == "1.1",
        whole_body_bytes=whole_body_bytes,
    )


def test_a_body_of_known_length_is_not_chunked() -> None:
    head = answer(whole_body_bytes=5)

    assert head.data == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: now\r\n\r\n"
    assert (head.content_length, head.is_chunked, head.keeps_alive) == (5, False, True)


def test_a_body_of_unknown_length_is_chunked_or_ends_with_the_connection() -> None:
    assert answer().is_chunked
    assert b"transfer-encoding: chunked\r\n" in answer().data
    old = answer(version="1.0")
    assert not old.is_chunked
    assert not old.keeps_alive
    assert b"connection: close\r\n" in old.data


@pytest.mark.parametrize(("status", "method"), [(200, "HEAD"), (204, "GET"), (304, "GET")])
def test_an_answer_that_may_have_no_body_has_none(status: int, method: str) -> None:
    head = answer(status, method=method)

    assert not head.has_body
    assert b"transfer-encoding" not in head.data
    assert head.keeps_alive


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nSet-Cookie: b"),
        (b"x", b"a\nb"),
        (b"x", b"a\rb"),
        (b"x", b"a\x00"),
        (b"x\r\ny", b"a"),
        (b"content-length", b"five"),
    ],
)
def test_a_header_of_the_application_can_not_end_its_line(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match=r"header|literal"):
        answer(200, header)


def test_the_application_decides_neither_framing_nor_hop_by_hop_headers_but_may_close() -> None:
    head = answer(200, (b"Transfer-Encoding", b"gzip"), (b"Connection", b"close"), whole_body_bytes=1)

    assert b"gzip" not in head.data
    assert head.data.count(b"connection: close") == 1
    assert not head.keeps_alive


PROXIES = TrustedProxies.parse(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])
PEER = ("10.0.0.1", 4000)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], "10.0.0.1"),
        (["203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        (["203.0.113.9", "10.9.9.9"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),  # what a client wrote is not believed
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["203.0.113.9:4711, 10.9.9.9:80"], "203.0.113.9"),
        (["203.0.113.9:"], "10.0.0.1"),
        (["unknown:4711"], "10.0.0.1"),
        (["unknown"], "10.0.0.1"),
        (["203.0.113.9, nonsense, 10.2.2.2"], "10.2.2.2"),
        ([""], "10.0.0.1"),
        ([","], "10.0.0.1"),
        (["\xff"], "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(forwarded: list[str], client: str) -> None:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]

    (host, _), _ = PROXIES.origin(PEER, headers)

    assert host == client


@pytest.mark.parametrize(
    ("value", "scheme"),
    [(b"https", "https"), (b"HTTPS", "https"), (b"http", "http"), (b"https, http", "http"), (b"ftp", "http")],
)
def test_the_scheme_is_what_the_nearest_proxy_says(value: bytes, scheme: str) -> None:
    assert PROXIES.origin(PEER, [(b"x-forwarded-proto", value)])[1] == scheme


@pytest.mark.parametrize(
    ("host", "is_included"),
    [
        ("10.1.2.3", True),
        ("192.0.2.7", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("11.0.0.1", False),
        ("", False),
    ],
)
def test_a_proxy_is_known_by_its_address(host: str, is_included: bool) -> None:
    assert PROXIES.include(host) is is_included


def test_by_default_nobody_is_believed() -> None:
    assert not TrustedProxies().include("127.0.0.1")
