"""How the gateway talks: tokens, connections, the SDK, and what a lost answer means."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from lineadmin.line.answers import (
    Accepted,
    read_object,
    read_sent_messages,
)
from lineadmin.line.errors import (
    LineAuthFailed,
    LineError,
    LineRefused,
    LineUnclear,
    LineUnreachable,
    classify,
)
from lineadmin.line.posting import NeverConnected, NoAnswer, Posting
from lineadmin.line.tokens import LongLivedToken, NoToken, StatelessTokens, Tokens

if TYPE_CHECKING:
    from lineadmin.config import Config

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CONNECTIONS = 32
JSON_HEADERS = {"Content-Type": "application/json", "User-Agent": "lineadmin"}

logger = logging.getLogger(__name__)


class Exchange:
    """Requests to LINE and their answers; every failure is a `LineError`."""

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

    def load_sdk(self) -> None:
        """Import line-bot-sdk now (a second, 40 MB) rather than within the first call."""
        self._load_sdk()

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
