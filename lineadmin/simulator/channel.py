"""LINE's endpoints for the channel itself: where webhooks go, and who gets which token."""

from typing import Any
from urllib.parse import urlsplit

from lineadmin.simulator import ids
from lineadmin.simulator.exchange import (
    Context,
    Refusal,
    iso_time,
    ok,
    parse_body,
    refuse_unknown,
)
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.wire import Response

STATELESS_SECONDS = 900
SHORT_LIVED_SECONDS = 30 * 86_400


def get_endpoint(api: LineApi, context: Context) -> Response:
    """Where events go; 404 while nothing is set."""
    account = api.world.account
    if account.endpoint is None:
        raise Refusal(404, "Not found")
    return ok({"endpoint": account.endpoint, "active": account.webhook_active})


def put_endpoint(api: LineApi, context: Context) -> Response:
    """Set where events go: https, at most 500 characters."""
    body = parse_body(context)
    endpoint = body.get("endpoint") if isinstance(body, dict) else None
    _check_endpoint(endpoint)
    refuse_unknown(body, ("endpoint",))
    with api.world.lock:
        api.world.account.endpoint = endpoint
        api.world.save_account()
    return ok()


def _check_endpoint(endpoint: Any) -> None:
    if (
        not isinstance(endpoint, str)
        or len(endpoint) > 500
        or urlsplit(endpoint).scheme != "https"
        or not urlsplit(endpoint).hostname
    ):
        raise Refusal(400, "Invalid webhook endpoint URL")


def test_endpoint(api: LineApi, context: Context) -> Response:
    """POST an empty signed webhook and tell what came back."""
    body = parse_body(context) if context.request.body else {}
    endpoint = body.get("endpoint") if isinstance(body, dict) else None
    if endpoint is None:
        endpoint = api.world.account.endpoint
        if endpoint is None:
            raise Refusal(404, "Not found")
    else:
        _check_endpoint(endpoint)
    attempt = api.webhooks.test(endpoint)
    return ok(
        {
            "success": attempt.reason == "OK",
            "timestamp": iso_time(attempt.at_ms),
            "statusCode": attempt.status,
            "reason": attempt.reason,
            "detail": str(attempt.status) if attempt.status else attempt.reason,
        }
    )


class OAuthRefusal(Refusal):
    """An error in the other shape: OAuth's."""

    def __init__(self, description: str, error: str = "invalid_request") -> None:
        super().__init__(400, "")
        self.body = {"error": error, "error_description": description}


def issue_stateless(api: LineApi, context: Context) -> Response:
    """A token of 15 minutes for channel id and secret."""
    token = _issue(api, context, STATELESS_SECONDS)
    return ok({"token_type": "Bearer", "access_token": token, "expires_in": STATELESS_SECONDS - 1})


def issue_short_lived(api: LineApi, context: Context) -> Response:
    """A token of 30 days for channel id and secret."""
    token = _issue(api, context, SHORT_LIVED_SECONDS)
    return ok({"access_token": token, "expires_in": SHORT_LIVED_SECONDS, "token_type": "Bearer"})


def _issue(api: LineApi, context: Context, seconds: int) -> str:
    form = context.request.form()
    world = api.world
    if form.get("grant_type") != "client_credentials":
        raise OAuthRefusal("invalid grant_type", "unsupported_grant_type")
    if form.get("client_id") != world.channel_id:
        raise OAuthRefusal("invalid client_id", "invalid_client")
    if form.get("client_secret") != world.channel_secret:
        raise OAuthRefusal("invalid client_secret", "invalid_client")
    token = ids.reply_token() + ids.reply_token()
    ends = context.now_ms + seconds * 1000
    with world.lock:
        world.tokens[token] = ends
    world.store.put("access_token", token, lambda: ends)
    return token


def verify_token(api: LineApi, context: Context) -> Response:
    """Whom an access token belongs to and how long it lasts."""
    given = context.request.args() if context.request.method == "GET" else context.request.form()
    token = given.get("access_token", "")
    world = api.world
    if token == world.access_token:
        left = 3_000_000_000
    else:
        left = (world.tokens.get(token, 0) - context.now_ms) // 1000
    if left <= 0:
        raise OAuthRefusal("access token expired or invalid")
    return ok({"client_id": world.channel_id, "expires_in": left, "scope": "P CM"})


def verify_id_token(api: LineApi, context: Context) -> Response:
    """The payload of a LINE Login id token made through the control API."""
    form = context.request.form()
    found = api.world.id_tokens.get(form.get("id_token", ""))
    if found is None or found["exp"] * 1000 < context.now_ms:
        raise OAuthRefusal("Invalid IdToken.")
    if found["aud"] != form.get("client_id"):
        raise OAuthRefusal("Invalid IdToken Audience.")
    if form.get("user_id") not in (None, found["sub"]):
        raise OAuthRefusal("Invalid IdToken Subject Identifier.")
    return ok(found)
