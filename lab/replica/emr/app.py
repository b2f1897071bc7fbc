"""The HTTP face of the record. Paths and answers: `docs/how-it-works.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import reading, writing
from .access import Access, Trail
from .answers import Answer, refusal
from .forms import FormError, act, prescription, sign_in
from .gate import BusyError, Gate, GoneError
from .store import Store, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from .tokens import Tokens
    from .watch import Watch

_ACCESS_LENGTH = 64
_RETRY = {"retry-after": "0"}


@dataclass(frozen=True)
class Member:
    """The application of one server, in a pair or alone: all that its handlers use."""

    name: str
    store: Store
    trail: Trail
    tokens: Tokens
    watch: Watch
    gate: Gate
    feed: writing.Feed | None = None
    room_three: Callable[[], dict[str, Any]] | None = None

    def app(self) -> Starlette:
        """The ASGI application, the most frequent path first."""
        return Starlette(
            routes=[
                Route("/patients/{id}", self.record),
                Route("/patients/{id}/prescriptions", self.prescriptions),
                Route("/acts/{number}", self.act, methods=["PUT"]),
                Route("/prescriptions/{number}", self.prescribe, methods=["PUT"]),
                Route("/sessions", self.sign_in, methods=["POST"]),
                Route("/trail", self.access_trail),
                Route("/health", self.health),
                Route("/fit", self.fit),
            ]
        )

    async def record(self, request: Request) -> Response:
        """Open a record."""
        access = self._access(request, "read-record")
        if isinstance(access, Answer):
            return self._send(access)
        return await self._serve(request, lambda: self._read(reading.record, access))

    async def prescriptions(self, request: Request) -> Response:
        """List what is prescribed."""
        access = self._access(request, "list-prescriptions")
        if isinstance(access, Answer):
            return self._send(access)
        return await self._serve(request, lambda: self._read(reading.prescriptions, access))

    async def access_trail(self, request: Request) -> Response:
        """Read who looked at what."""
        access = self._access(request, "read-trail")
        if isinstance(access, Answer):
            return self._send(access)
        after, limit = request.query_params.get("after", "0"), request.query_params.get("limit", "100")
        if not (after.isdecimal() and limit.isdecimal()):
            return self._send(refusal(400, "after and limit are whole numbers"))
        bounds = int(after), int(limit)
        return await self._serve(
            request,
            lambda: self.store.run(lambda c: reading.access_trail(c, self.trail, access, *bounds)),
        )

    async def act(self, request: Request) -> Response:
        """Record an act of care."""
        return await self._put(request, "record-act", writing.ACT, act)

    async def prescribe(self, request: Request) -> Response:
        """Prescribe a drug."""
        return await self._put(request, "prescribe", writing.PRESCRIPTION, prescription)

    async def sign_in(self, request: Request) -> Response:
        """Open a session."""
        try:
            clinician, secret = sign_in(await request.body())
        except FormError as error:
            return self._send(refusal(400, str(error)))
        access = Access(request.headers.get("x-access", "")[:_ACCESS_LENGTH], clinician, "sign-in")

        def work() -> Answer:
            if self.store.run(lambda c: reading.sign_in(c, self.trail, access, secret)):
                return Answer(201, {"token": self.tokens.sign(clinician)})
            return refusal(401, "unknown clinician or wrong secret")

        return await self._serve(request, work)

    async def health(self, _request: Request) -> Response:
        """Say whether this member can serve, without asking the database."""
        state = self.watch.state
        if not state.serves:
            return self._send(refusal(503, state.reason))
        said = {"member": self.name, "database": "primary", "synced": state.synced, "group_size": state.group_size}
        if self.room_three is not None:
            said["room_three"] = self.room_three()
        return self._send(Answer(200, said))

    async def fit(self, _request: Request) -> Response:
        """Say whether this member could serve, be it that room three does."""
        state = self.watch.state
        return self._send(Answer(200, {"member": self.name}) if state.fit else refusal(503, state.reason))

    async def _put(
        self,
        request: Request,
        action: str,
        kind: writing.Kind,
        read: Callable[[bytes], dict[str, object]],
    ) -> Response:
        try:
            content = read(await request.body())
        except FormError as error:
            return self._send(refusal(400, str(error)))
        access = self._access(request, action, str(content["patient"]))
        if isinstance(access, Answer):
            return self._send(access)
        number = request.path_params["number"]
        if len(number) > _ACCESS_LENGTH:
            return self._send(refusal(400, f"a number has at most {_ACCESS_LENGTH} characters"))
        return await self._serve(
            request,
            lambda: writing.put(self.store, self.trail, writing.Write(kind, number, content, access), self.feed),
        )

    def _read(self, work: Callable[..., Answer], access: Access) -> Answer:
        return self.store.run(lambda connection: work(connection, self.trail, access))

    def _access(self, request: Request, action: str, patient: str | None = None) -> Access | Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        clinician = self.tokens.clinician(token) if scheme.lower() == "bearer" else None
        if clinician is None:
            return refusal(401, "sign in first")
        id_ = request.headers.get("x-access", "")
        if not 0 < len(id_) <= _ACCESS_LENGTH:
            return refusal(400, f"X-Access carries an id of 1 to {_ACCESS_LENGTH} characters")
        return Access(id_, clinician, action, patient or request.path_params.get("id"))

    async def _serve(self, request: Request, work: Callable[[], Answer]) -> Response:
        state = self.watch.state
        if not state.serves:
            return self._send(refusal(503, state.reason))
        try:
            answer = await self.gate.run(work, lambda: _hang_up(request))
        except (UnavailableError, BusyError) as error:
            answer = refusal(503, str(error))
        except GoneError:
            answer = refusal(503, "the client hung up")
        return self._send(answer)

    def _send(self, answer: Answer) -> Response:
        headers = {"x-member": self.name}
        return JSONResponse(answer.body, answer.status, headers)


async def _hang_up(request: Request) -> None:
    """Return when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
