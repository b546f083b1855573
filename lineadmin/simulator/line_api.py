"""LINE's front door: token, rate, size, faults and the log; the endpoints are routes handed in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from lineadmin.simulator import ids
from lineadmin.simulator.exchange import (
    QUOTA_MESSAGE,
    RATE_MESSAGE,
    UNKNOWN_MESSAGE,
    Context,
    Refusal,
)
from lineadmin.simulator.faults import Fault
from lineadmin.simulator.records import Call
from lineadmin.simulator.retry_keys import note_retry_key
from lineadmin.simulator.webhooks import Webhooks
from lineadmin.simulator.wire import Hangup, Request, Response, json_response
from lineadmin.simulator.world import World

MAX_BODY_BYTES = 2 * 1024 * 1024

UNAUTHORIZED = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)


Handler = Callable[["LineApi", Context], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint."""

    method: str
    pattern: re.Pattern[str]
    endpoint: str
    handler: Handler
    needs_token: bool = True
    content_types: tuple[str, ...] = ()


class LineApi:
    """Answers as LINE does. ``on_request`` sees every request and its answer (for tests)."""

    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        routes: list[Route],
        on_request: Callable[[Request, Response | None], None] | None = None,
    ) -> None:
        self.world = world
        self.webhooks = webhooks
        self.on_request = on_request
        self._fixed: dict[tuple[str, str], Route] = {}
        self._open: list[Route] = []
        for route in routes:
            if "(" in route.pattern.pattern:
                self._open.append(route)
            else:
                path = route.pattern.pattern.replace("\\", "")
                self._fixed[route.method, path] = route

    def __call__(self, request: Request) -> Response:
        """Answer one request, log it, and let the faults in force do their work."""
        began = monotonic()
        route, params = self._match(request)
        endpoint = route.endpoint if route else "unknown"
        world = self.world
        call = Call(
            n=0,
            at_ms=world.real_ms(),
            endpoint=endpoint,
            method=request.method,
            path=request.path,
            status=0,
            request_id=ids.request_id(),
            retry_key=request.headers.get("x-line-retry-key"),
        )
        context = Context(request, endpoint, params, call, call.at_ms)
        response: Response | None = None
        try:
            response = self._answer(route, context)
            return response
        finally:
            call.took_ms = round((monotonic() - began) * 1000, 2)
            if response is not None:
                call.status = response.status
            world.log(call)
            if self.on_request is not None:
                self.on_request(request, response)

    def _match(self, request: Request) -> tuple[Route | None, tuple[str, ...]]:
        route = self._fixed.get((request.method, request.path))
        if route is not None:
            return route, ()
        for candidate in self._open:
            found = candidate.pattern.fullmatch(request.path)
            if found and candidate.method == request.method:
                return candidate, found.groups()
        return None, ()

    def _answer(self, route: Route | None, context: Context) -> Response:
        world = self.world
        wait = world.faults.wait_seconds(context.endpoint)
        if wait:
            sleep(wait)
        fault = world.faults.draw(context.endpoint) if route else None
        try:
            if route is None:
                raise Refusal(404, "Not found")
            note_retry_key(world, context)
            if fault is not None:
                context.call.fault = fault.kind
                if not fault.after:
                    _fail_before(fault)
            self._admit(route, context)
            if context.retry_refusal is not None:
                raise context.retry_refusal
            response = route.handler(self, context)
        except Refusal as refusal:
            context.call.error = refusal.body.get("message") or refusal.body.get("error")
            response = json_response(refusal.status, refusal.body)
            response.headers.update(refusal.headers)
        if fault is not None and fault.after and (response.status < 300 or response.status == 409):
            if fault.kind != "accept_500":
                raise Hangup(fault.hold_seconds)
            response = json_response(500, {"message": "Internal server error"})
        response.headers["x-line-request-id"] = context.request_id
        return response

    def _admit(self, route: Route, context: Context) -> None:
        """Token, rate, size and media type, before anything reads the body."""
        request = context.request
        if route.needs_token:
            self._check_token(request)
        if not self.world.buckets.take(route.endpoint):
            raise Refusal(429, RATE_MESSAGE)
        if len(request.body) > MAX_BODY_BYTES:
            raise Refusal(413, "Payload too large")
        if route.content_types and (request.body or route.endpoint != "webhook_test"):
            given = request.headers.get("content-type", "").split(";")[0].strip().lower()
            if given not in route.content_types:
                raise Refusal(415, "Unsupported media type")

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(
                401,
                "Authentication failed due to the following reason: missing or malformed "
                "authorization header.",
            )
        if token == self.world.access_token:
            return
        ends = self.world.tokens.get(token)
        if ends is None or ends <= self.world.real_ms():
            raise Refusal(401, UNAUTHORIZED)


def _fail_before(fault: Fault) -> None:
    """Fail without accepting anything."""
    if fault.kind.endswith("_before"):
        raise Hangup(fault.hold_seconds)
    status, message = {
        "500": (500, "Internal server error"),
        "429": (429, RATE_MESSAGE),
        "monthly": (429, QUOTA_MESSAGE),
        "401": (401, UNAUTHORIZED),
        "400": (400, UNKNOWN_MESSAGE),
        "403": (403, "Not available for your plan or account"),
    }[fault.kind]
    raise Refusal(status, message)
