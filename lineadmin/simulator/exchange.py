"""One call on its way through LINE: the request, what the log will say of it, and its answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lineadmin.simulator.checks import error_body
from lineadmin.simulator.records import Call, RetryKey
from lineadmin.simulator.wire import Request, Response, json_response

RATE_MESSAGE = "The API rate limit has been exceeded. Try again later."
QUOTA_MESSAGE = "You have reached your monthly limit."
UNKNOWN_MESSAGE = "Failed to send messages"


class Refusal(Exception):
    """An error answer in LINE's shape."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, **more}
        self.headers: dict[str, str] = {}


@dataclass(slots=True)
class Context:
    """One call on its way through: the request, what it matched and what the log will say."""

    request: Request
    endpoint: str
    params: tuple[str, ...]
    call: Call
    now_ms: int
    retry: RetryKey | None = None
    retry_refusal: Refusal | None = None

    @property
    def request_id(self) -> str:
        """The value of ``x-line-request-id``."""
        return self.call.request_id


def ok(value: Any = None, status: int = 200) -> Response:
    """A success; most of LINE's are an empty object."""
    return json_response(status, {} if value is None else value)


def parse_body(context: Context) -> Any:
    """The JSON body.

    :raises Refusal: it is not JSON
    """
    try:
        return context.request.json()
    except ValueError:
        raise Refusal(
            400, "The request body could not be parsed as JSON (line: 1, column: 1)"
        ) from None


def refuse_unknown(body: dict[str, Any], known: tuple[str, ...]) -> None:
    """Refuse a body with a property LINE doesn't know.

    :raises Refusal: 400, naming them
    """
    details = [
        {"message": "unknown property", "property": name} for name in body if name not in known
    ]
    if details:
        raise Refusal(400, error_body(details)["message"], details=details)


def iso_time(at_ms: int) -> str:
    """ISO-8601 in UTC, as progress answers have it."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
