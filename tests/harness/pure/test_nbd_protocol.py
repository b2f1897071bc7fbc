"""NBD on bytes: whatever is said is heard, however the stream is broken."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replica.nbd.frames import Replies, Requests
from lab.replica.nbd.handshake import Ask, ClientHandshake, Leave, ListNames, Say, ServerHandshake
from lab.replica.nbd.protocol import (
    MAX_PAYLOAD,
    REPLY,
    REPLY_MAGIC,
    REQUEST,
    REQUEST_MAGIC,
    Kind,
    Offer,
    ProtocolError,
    Refusal,
    RefusedError,
    Request,
    complaint,
)

if TYPE_CHECKING:
    from random import Random

    from lab.replica.nbd.protocol import Data

SIZE = 1 << 20
Spoken = tuple[Kind, bool, int, int, bytes]


class Nobody:
    """Takes answers that no test looks at."""

    def answer(self, request: Request, error: int, data: Data) -> None:
        pass


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream, broken at these places."""
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(places)]


@st.composite
def said(draw: st.DrawFn) -> Spoken:
    """A request that a client may send."""
    kind = draw(st.sampled_from([Kind.READ, Kind.WRITE, Kind.FLUSH, Kind.TRIM, Kind.WRITE_ZEROES]))
    data = draw(st.binary(min_size=1, max_size=300)) if kind is Kind.WRITE else b""
    length = len(data) or draw(st.integers(0, 9000))
    return kind, draw(st.booleans()), draw(st.integers(0, 2**63)), length, data


cuts = st.lists(st.integers(0, 4000), max_size=12)


@given(st.lists(said(), max_size=8), cuts)
def test_a_server_hears_every_request_as_it_was_sent(spoken: list[Spoken], cuts: list[int]) -> None:
    stream = b"".join(
        REQUEST.pack(REQUEST_MAGIC, fua, kind, number, offset, length) + data
        for number, (kind, fua, offset, length, data) in enumerate(spoken)
    )
    heard: list[Request] = []
    requests = Requests(Nobody(), heard.append)
    for piece in pieces(stream, cuts):
        requests.feed(piece)
    assert [(one.kind, one.fua, one.offset, one.length, bytes(one.data)) for one in heard] == spoken
    assert [one.cookie for one in heard] == list(range(len(spoken)))


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=8), cuts, st.randoms())
def test_a_client_hears_every_answer_in_whatever_order(
    answers: list[tuple[bool, bytes]], cuts: list[int], chance: Random
) -> None:
    heard: dict[int, tuple[int, bytes]] = {}
    replies = Replies()
    for cookie, (_, data) in enumerate(answers):

        def note(error: int, got: Data, cookie: int = cookie) -> None:
            heard[cookie] = (error, bytes(got))

        replies.pending[cookie] = (note, len(data))
    order = list(enumerate(answers))
    chance.shuffle(order)
    stream = b"".join(
        REPLY.pack(REPLY_MAGIC, 0 if good else 5, cookie) + (data if good else b"") for cookie, (good, data) in order
    )
    for piece in pieces(stream, cuts):
        replies.feed(piece)
    assert heard == {cookie: (0, data) if good else (5, b"") for cookie, (good, data) in order}
    assert not replies.pending


@given(st.text(max_size=60), st.integers(0, 2**62), st.booleans(), st.text(max_size=60), cuts)
def test_an_export_is_offered_as_its_server_means_it(
    name: str,
    size: int,
    read_only: bool,  # noqa: FBT001 - drawn by hypothesis
    text: str,
    cuts: list[int],
) -> None:
    offer = Offer(size, text, read_only=read_only, kinds=frozenset({Kind.READ, Kind.WRITE, Kind.FLUSH, Kind.TRIM}))
    client, server = ClientHandshake(name), ServerHandshake()
    for piece in pieces(ServerHandshake.HELLO, cuts):
        assert client.feed(piece) is None
    for piece in pieces(b"".join(client.to_send), cuts):
        server.hear(piece)
    ask = server.next()
    assert isinstance(ask, Ask)
    assert (ask.name, ask.go) == (name, True)
    understood = None
    for piece in pieces(server.accept(ask, offer) + b"early", cuts):
        understood = client.feed(piece) if understood is None else understood
    assert understood == offer


def test_a_refusal_carries_its_sentence_and_its_code() -> None:
    client, server = ClientHandshake("dopasoins-1@3"), ServerHandshake()
    client.feed(ServerHandshake.HELLO)
    server.hear(b"".join(client.to_send))
    ask = server.next()
    assert isinstance(ask, Ask)
    with pytest.raises(RefusedError, match="baie-1 obeys epoch 4") as refusal:
        client.feed(server.refuse(ask, RefusedError("baie-1 obeys epoch 4", Refusal.NOT_NOW)))
    assert refusal.value.code == Refusal.NOT_NOW


def option(number: int, data: bytes = b"") -> bytes:
    """What a client sends to haggle."""
    return b"IHAVEOPT" + number.to_bytes(4, "big") + len(data).to_bytes(4, "big") + data


def test_unknown_options_are_declined_and_the_talk_goes_on() -> None:
    server = ServerHandshake()
    server.hear(b"\0\0\0\3" + option(8) + option(3) + option(2))
    declined = server.next()
    assert isinstance(declined, Say)
    assert declined.data[12:16] == (2**31 + 1).to_bytes(4, "big")  # NBD_REP_ERR_UNSUP
    assert server.next() == ListNames()
    assert server.tell(["a", "b"]).count((0x3E889045565A9).to_bytes(8, "big")) == 3
    assert server.next() == Leave()
    assert server.next() is None


def test_the_oldest_way_to_open_an_export_is_understood() -> None:
    server = ServerHandshake()
    server.hear(b"\0\0\0\1" + option(1, b"disk"))
    ask = server.next()
    assert isinstance(ask, Ask)
    assert ask.name == "disk"
    assert len(server.accept(ask, Offer(SIZE))) == 8 + 2 + 124
    assert server.refuse(ask, RefusedError("no")) == b""


@pytest.mark.parametrize(
    "stream",
    [
        bytes(REQUEST.size),
        REQUEST.pack(REQUEST_MAGIC, 0, 99, 1, 0, 0),
        REQUEST.pack(REQUEST_MAGIC, 0, Kind.WRITE, 1, 0, MAX_PAYLOAD + 1),
    ],
)
def test_what_is_no_request_ends_the_talk(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        Requests(Nobody(), lambda _request: None).feed(stream)


@pytest.mark.parametrize("stream", [bytes(REPLY.size), REPLY.pack(REPLY_MAGIC, 0, 7)])
def test_an_answer_that_nobody_awaits_ends_the_talk(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        Replies().feed(stream)


@pytest.mark.parametrize(
    ("kind", "offset", "length", "read_only", "wanted"),
    [
        (Kind.WRITE, 0, 4096, False, 0),
        (Kind.WRITE, 0, 4096, True, 1),
        (Kind.WRITE, SIZE, 1, False, 28),
        (Kind.READ, SIZE - 1, 2, False, 22),
        (Kind.READ, 0, MAX_PAYLOAD + 1, False, 22),
        (Kind.TRIM, 0, 4096, False, 95),
    ],
)
def test_improper_requests_are_answered_with_the_errno_of_the_specification(
    kind: Kind,
    offset: int,
    length: int,
    read_only: bool,  # noqa: FBT001 - a column of the table
    wanted: int,
) -> None:
    request = Request(Nobody(), (REQUEST_MAGIC, 0, kind, 1, offset, length))
    offer = Offer(max(SIZE, length if kind is Kind.READ and offset == 0 else 0), read_only=read_only)
    assert complaint(request, offer) == wanted
