"""The one way out to LINE. Everything the product asks LINE for goes through a `Gateway`.

Push, multicast and reply carry bodies that were prepared and stored before, so they go out as
bytes, over connections of their own (posting.py). For the rest line-bot-sdk does the work, except
where its models refuse values LINE may add (bot info, quota), would rewrite what is to be checked
(validate) or hold a whole film in memory (content).
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from lineadmin.line import limits
from lineadmin.line.answers import (
    Accepted,
    BotInfo,
    FollowerPage,
    FriendTotal,
    MediaContent,
    Person,
    Profile,
    Quota,
    WebhookEndpoint,
    WebhookTest,
    read_object,
    read_sent_messages,
    text,
    text_or_none,
)
from lineadmin.line.audience_calls import AudienceCalls
from lineadmin.line.coupon_calls import CouponCalls
from lineadmin.line.errors import (
    LineAuthFailed,
    LineError,
    LineRefused,
    LineUnclear,
    LineUnreachable,
    classify,
)
from lineadmin.line.narrowcast_calls import NarrowcastCalls
from lineadmin.line.posting import NeverConnected, NoAnswer, Posting
from lineadmin.line.tokens import LongLivedToken, NoToken, StatelessTokens, Tokens

if TYPE_CHECKING:
    from lineadmin.config import Config

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CONNECTIONS = 32
CONTENT_BYTES = 20 * 1024 * 1024
VALIDATE_KINDS = ("reply", "push", "multicast", "narrowcast", "broadcast")
LINE_CALENDAR = timezone(timedelta(hours=9))  # its statistics turn the day in UTC+9
JSON_HEADERS = {"Content-Type": "application/json", "User-Agent": "lineadmin"}

logger = logging.getLogger(__name__)


class Gateway(CouponCalls, AudienceCalls, NarrowcastCalls):
    """LINE, for one official account. Make one per process and share it between threads.

    Every method raises `LineError` (see errors.py for its kinds) and nothing else.
    """

    def __init__(
        self, config: Config, *, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS
    ) -> None:
        self._api_base = config.line_api_base
        self._data_base = config.line_data_api_base
        self._timeout = (connect, read)
        # Repeating is the sender's decision, under the same retry key: never urllib3's own.
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=CONNECTIONS,
            retries=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )
        self._posting = Posting(config.line_api_base, connect=connect, read=read)
        self._tokens = self._choose_tokens(config)
        self._sdk: Any = None
        self._sdk_lock = threading.Lock()

    def close(self) -> None:
        """Let go of all connections."""
        self._posting.close()
        self._pool.clear()

    # Sending ---------------------------------------------------------------------------------

    def push(self, body: bytes, retry_key: str) -> Accepted:
        """Send a prepared push request; `retry_key` is a UUID and the same on every try."""
        return self._send("push", body, retry_key)

    def multicast(self, body: bytes, retry_key: str) -> Accepted:
        """Send a prepared multicast request to up to 500 friends; see `push`."""
        return self._send("multicast", body, retry_key)

    def narrowcast(self, body: bytes, retry_key: str) -> Accepted:
        """Have LINE choose the recipients of a prepared request; it sends later (`progress`)."""
        return self._send("narrowcast", body, retry_key)

    def reply(self, body: bytes) -> Accepted:
        """Answer an event, free of charge. LINE knows no retry key here: try once only."""
        return self._send("reply", body, None)

    def validate(self, kind: str, messages: list[dict[str, Any]]) -> None:
        """Let LINE check message objects without sending them.

        :raises LineRefused: LINE would not take them; `details` say which and why
        """
        if kind not in VALIDATE_KINDS:
            raise ValueError(f"LINE cannot validate {kind!r}")
        body = json.dumps({"messages": messages}, ensure_ascii=False).encode()
        self._request("POST", f"/v2/bot/message/validate/{kind}", body=body)

    def loading(self, user_id: str, *, seconds: int = 20) -> None:
        """Show a friend who has the chat open that an answer is on its way (5 to 60 seconds)."""
        step = limits.LOADING_SECONDS_STEP
        rounded = max(step, min(limits.LOADING_SECONDS_LONGEST, seconds // step * step))
        self._through_sdk(
            "loading",
            lambda sdk, options: sdk.api.show_loading_animation_with_http_info(
                sdk.models.ShowLoadingAnimationRequest(chatId=user_id, loadingSeconds=rounded),
                **options,
            ),
        )

    # Asking ----------------------------------------------------------------------------------

    def profile(self, user_id: str, *, read_seconds: float | None = None) -> Profile:
        """A friend's name and picture; `read_seconds` for callers in a hurry.

        :raises LineRefused: 404 = blocked us, left LINE, or never was a friend
        """
        found = self._through_sdk(
            "profile",
            lambda sdk, options: sdk.api.get_profile_with_http_info(user_id, **options),
            read_seconds=read_seconds,
        )
        return Profile(
            user_id=found.user_id,
            display_name=found.display_name,
            picture_url=found.picture_url,
            language=found.language,
            status_message=found.status_message,
        )

    def bot_info(self) -> BotInfo:
        """The account behind our token: the proof that the token works."""
        found, request_id = self._get("/v2/bot/info")
        if not isinstance(found.get("userId"), str):
            raise LineUnclear(200, request_id, "LINE's answer could not be read")
        return BotInfo(
            user_id=found["userId"],
            basic_id=text(found.get("basicId")),
            display_name=text(found.get("displayName")),
            premium_id=text_or_none(found.get("premiumId")),
            picture_url=text_or_none(found.get("pictureUrl")),
            chat_mode=text(found.get("chatMode")),
            mark_as_read_mode=text(found.get("markAsReadMode")),
        )

    def verify_id_token(self, id_token: str, *, client_id: str) -> Person:
        """Who stands behind an id token that a page of ours was given; `client_id` is the number
        of the LINE Login channel.

        :raises LineRefused: it is forged, expired, or meant for another channel
        """
        form = urlencode({"id_token": id_token, "client_id": client_id}).encode()
        headers = {**JSON_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
        path = "/oauth2/v2.1/verify"
        status, answered, data = self._exchange(
            "POST", self._api_base + path, form, headers, endpoint=path
        )
        request_id = answered.get("x-line-request-id")
        if status != 200:
            raise classify(status, answered, data)
        found = read_object(data, request_id)
        if text(found.get("aud")) != client_id or not text(found.get("sub")):
            raise LineRefused(400, request_id, "the token is meant for somebody else")
        return Person(text(found.get("sub")), text(found.get("name")))

    def quota(self) -> Quota:
        """How many messages the account may send this month, other senders' included."""
        found, request_id = self._get("/v2/bot/message/quota")
        value = found.get("value")
        if found.get("type") == "none":
            return Quota(limit=None)
        if isinstance(value, bool) or not isinstance(value, int):
            raise LineUnclear(200, request_id, "LINE's answer could not be read")
        return Quota(limit=value)

    def consumption(self) -> int:
        """Messages of this month as LINE has counted them so far; it lags behind."""
        found = self._through_sdk(
            "consumption",
            lambda sdk, options: sdk.api.get_message_quota_consumption_with_http_info(**options),
        )
        return int(found.total_usage)

    def followers_ids(self, start: str | None = None) -> FollowerPage:
        """One page of all friends' ids.

        :raises LineAuthFailed: 403, the account is neither verified nor premium
        """
        found = self._through_sdk(
            "followers/ids",
            lambda sdk, options: sdk.api.get_followers_with_http_info(
                start=start, limit=limits.FOLLOWERS_PER_PAGE, **options
            ),
        )
        return FollowerPage(tuple(found.user_ids), found.next or None)

    def friend_total(self, *, wall: datetime) -> FriendTotal | None:
        """How many friends the account had yesterday; None where LINE has not counted that day."""
        day = (wall.astimezone(LINE_CALENDAR) - timedelta(days=1)).date()
        found, request_id = self._get(f"/v2/bot/insight/followers?date={day:%Y%m%d}")
        if found.get("status") != "ready":
            return None
        followers, blocks = found.get("followers"), found.get("blocks") or 0
        if not isinstance(followers, int) or not isinstance(blocks, int):
            raise LineUnclear(200, request_id, "LINE's answer could not be read")
        return FriendTotal(max(0, followers - blocks), day)

    def unit_statistics(self, unit: str, first: date, last: date) -> dict[str, Any]:
        """What LINE counted under an aggregation unit in up to 31 days of its own calendar.

        Its own words: `overview`, `messages`, `clicks`; a number below 20 people is null.
        """
        query = urlencode(
            {"customAggregationUnit": unit, "from": f"{first:%Y%m%d}", "to": f"{last:%Y%m%d}"}
        )
        found, request_id = self._get(f"/v2/bot/insight/message/event/aggregation?{query}")
        if not isinstance(found.get("overview"), dict):
            raise LineUnclear(200, request_id, "LINE's answer could not be read")
        return found

    def webhook_endpoint(self) -> WebhookEndpoint | None:
        """Where LINE sends events; None when no address is set yet."""
        try:
            found = self._through_sdk(
                "webhook/endpoint",
                lambda sdk, options: sdk.api.get_webhook_endpoint_with_http_info(**options),
            )
        except LineRefused as error:
            if error.status == 404:
                return None
            raise
        return WebhookEndpoint(found.endpoint, found.active)

    def set_webhook_endpoint(self, url: str) -> None:
        """Have LINE send events to `url` (https); it takes up to a minute to apply."""
        self._through_sdk(
            "webhook/endpoint",
            lambda sdk, options: sdk.api.set_webhook_endpoint_with_http_info(
                sdk.models.SetWebhookEndpointRequest(endpoint=url), **options
            ),
        )

    def test_webhook(self, url: str | None = None) -> WebhookTest:
        """Have LINE call our webhook now, at `url` or the address that is set."""
        found = self._through_sdk(
            "webhook/test",
            lambda sdk, options: sdk.api.test_webhook_endpoint_with_http_info(
                sdk.models.TestWebhookEndpointRequest(endpoint=url), **options
            ),
        )
        return WebhookTest(
            bool(found.success), int(found.status_code), text(found.reason), text(found.detail)
        )

    def content(self, message_id: str) -> MediaContent | None:
        """What a friend sent with a picture, film, sound or file message.

        None while LINE is still preparing it (ask again); above 20 MB it is refused.
        """
        path = f"/v2/bot/message/{quote(message_id, safe='')}/content"
        status, headers, data = self._request(
            "GET", path, base=self._data_base, longest=CONTENT_BYTES, endpoint="content"
        )
        if status == 202:
            return None
        return MediaContent(data, headers.get("content-type", MediaContent.content_type))

    def load_sdk(self) -> None:
        """Import line-bot-sdk now (a second, 40 MB) rather than within the first call."""
        self._load_sdk()

    # How -------------------------------------------------------------------------------------

    def _choose_tokens(self, config: Config) -> Tokens:
        if config.line_channel_access_token:
            return LongLivedToken(config.line_channel_access_token)
        if config.line_channel_id and config.line_channel_secret:
            form = urlencode(
                {
                    "grant_type": "client_credentials",
                    "client_id": config.line_channel_id,
                    "client_secret": config.line_channel_secret,
                }
            ).encode()
            return StatelessTokens(lambda: self._issue_token(form))
        return NoToken()

    def _issue_token(self, form: bytes) -> bytes:
        """LINE's answer to a request for a stateless token.

        Whatever goes wrong here happens before the message itself leaves: it is never unclear.
        """
        headers = {**JSON_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            status, answered, data = self._exchange(
                "POST", self._api_base + "/oauth2/v3/token", form, headers, endpoint="token"
            )
            if status != 200:
                raise classify(status, answered, data)
        except LineRefused as error:
            raise LineAuthFailed(401, error.request_id, error.message) from None
        except LineUnclear as error:
            raise LineUnreachable(error.status, error.request_id, error.message) from None
        return data

    def _send(self, kind: str, body: bytes, retry_key: str | None) -> Accepted:
        extra = {"X-Line-Retry-Key": retry_key} if retry_key else {}
        status, headers, data = self._request(
            "POST",
            f"/v2/bot/message/{kind}",
            body=body,
            extra=extra,
            sending=True,
            accept_409=bool(retry_key),
        )
        return Accepted(
            request_id=headers.get("x-line-request-id"),
            accepted_request_id=(
                headers.get("x-line-accepted-request-id") if status == 409 else None
            ),
            sent_messages=read_sent_messages(data),
        )

    def _get(self, path: str) -> tuple[dict[str, Any], str | None]:
        _status, headers, data = self._request("GET", path)
        request_id = headers.get("x-line-request-id")
        return read_object(data, request_id), request_id

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        base: str | None = None,
        extra: Mapping[str, str] | None = None,
        sending: bool = False,
        accept_409: bool = False,
        longest: int | None = None,
        endpoint: str | None = None,
        read_seconds: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask LINE, once more with a fresh token after a 401; answers only what is a yes."""
        url = (base or self._api_base) + path
        token = self._tokens.current()
        first_token = True
        while True:
            headers = {**JSON_HEADERS, "Authorization": f"Bearer {token}", **(extra or {})}
            if sending and body is not None:
                status, answered, data = self._post(path, body, headers)
            else:
                status, answered, data = self._exchange(
                    method,
                    url,
                    body,
                    headers,
                    endpoint=endpoint or path,
                    longest=longest,
                    read_seconds=read_seconds,
                )
            if 200 <= status < 300:
                return status, answered, data
            if status == 409 and accept_409 and answered.get("x-line-accepted-request-id"):
                return status, answered, data
            expired = status == 401 and first_token
            renewed = self._tokens.replace(token) if expired else None
            if renewed is None:
                raise classify(status, answered, data)
            token, first_token = renewed, False

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        endpoint: str,
        longest: int | None = None,
        read_seconds: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            connect, read = self._timeout
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=headers,
                preload_content=longest is None,
                timeout=urllib3.Timeout(connect=connect, read=read_seconds or read),
            )
            try:
                data = response.data if longest is None else response.read(longest + 1)
            finally:
                if longest is not None:
                    response.close()
        except (HTTPError, OSError) as error:
            raise _lost(error, method, endpoint) from error
        request_id = response.headers.get("x-line-request-id")
        _log(method, endpoint, response.status, request_id)
        if longest is not None and len(data) > longest:
            raise LineRefused(413, request_id, "larger than this server takes")
        return response.status, response.headers, data

    def _post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            status, answered, data = self._posting.post(path, body, headers)
        except NeverConnected as error:
            _log_loss("POST", path, str(error))
            raise LineUnreachable(message=str(error)) from error
        except NoAnswer as error:
            _log_loss("POST", path, str(error))
            raise LineUnclear(message=str(error)) from error
        _log("POST", path, status, answered.get("x-line-request-id"))
        return status, answered, data

    def _through_sdk(
        self,
        endpoint: str,
        call: Callable[[_Sdk, dict[str, Any]], Any],
        *,
        read_seconds: float | None = None,
    ) -> Any:
        sdk = self._load_sdk()
        token = self._tokens.current()
        connect, read = self._timeout
        first_token = True
        while True:
            options = {
                "_request_timeout": (min(connect, read_seconds or connect), read_seconds or read),
                "_request_auth": _bearer(token),
            }
            try:
                answer = call(sdk, options)
            except sdk.ApiException as error:
                failure = _sdk_failure(error, endpoint)
            except (HTTPError, OSError) as error:
                raise _lost(error, "SDK", endpoint) from error
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                # The SDK found LINE's answer not to be what its models expect.
                logger.warning("LINE %s: unreadable answer (%s)", endpoint, type(error).__name__)
                raise LineUnclear(200, message="LINE's answer could not be read") from error
            else:
                request_id = (answer.headers or {}).get("x-line-request-id")
                _log("SDK", endpoint, answer.status_code, request_id)
                return answer.data
            expired = failure.status == 401 and first_token
            renewed = self._tokens.replace(token) if expired else None
            if renewed is None:
                raise failure
            token, first_token = renewed, False

    def _load_sdk(self) -> _Sdk:
        with self._sdk_lock:
            if self._sdk is None:
                self._sdk = _Sdk(self._api_base, self._pool)
            return self._sdk  # type: ignore[no-any-return]


class _Sdk:
    """line-bot-sdk, imported on first need and made to share the gateway's connections."""

    def __init__(self, base: str, pool: urllib3.PoolManager) -> None:
        from linebot.v3 import messaging

        self.models = messaging
        self.ApiException = messaging.ApiException
        # The token comes with each call; the SDK insists on having one of its own as well.
        settings = messaging.Configuration(host=base, access_token="-")  # noqa: S106
        client = messaging.ApiClient(settings)
        client.rest_client.pool_manager = pool
        self.api = messaging.MessagingApi(client)


def _bearer(token: str) -> dict[str, str]:
    return {"type": "bearer", "in": "header", "key": "Authorization", "value": f"Bearer {token}"}


def _sdk_failure(error: Any, endpoint: str) -> LineError:
    if not error.status:  # the SDK's way of saying that TLS failed
        _log("SDK", endpoint, 0, None)
        return LineUnreachable(message=str(error.reason)[:200])
    failure = classify(error.status, error.headers or {}, error.body)
    _log("SDK", endpoint, failure.status, failure.request_id)
    return failure


def _lost(error: Exception, method: str, endpoint: str) -> LineError:
    """The error for an exchange that ended without an answer: did anything reach LINE at all?"""
    reason = type(error).__name__
    _log_loss(method, endpoint, reason)
    never_connected = isinstance(error, (NewConnectionError, ConnectTimeoutError))
    if isinstance(error, SSLError) and error.args:
        never_connected = isinstance(error.args[0], ssl.SSLCertVerificationError)
    return LineUnreachable(message=reason) if never_connected else LineUnclear(message=reason)


def _log_loss(method: str, endpoint: str, reason: str) -> None:
    logger.warning("LINE %s %s: no answer (%s)", method, endpoint, reason)


def _log(method: str, endpoint: str, status: int, request_id: str | None) -> None:
    level = logging.INFO if status < 400 or status == 409 else logging.WARNING
    logger.log(level, "LINE %s %s: %s request_id=%s", method, endpoint, status, request_id)
