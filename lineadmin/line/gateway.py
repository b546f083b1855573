"""The one way out to LINE. Everything the product asks LINE for goes through a `Gateway`.

Push, multicast and reply carry bodies that were prepared and stored before, so they go out as
bytes, over connections of their own (posting.py). For the rest line-bot-sdk does the work, except
where its models refuse values LINE may add (bot info, quota), would rewrite what is to be checked
(validate) or hold a whole film in memory (content).
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

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
    text,
    text_or_none,
)
from lineadmin.line.audience_calls import AudienceCalls
from lineadmin.line.coupon_calls import CouponCalls
from lineadmin.line.errors import LineRefused, LineUnclear, classify
from lineadmin.line.exchange import JSON_HEADERS, Exchange
from lineadmin.line.narrowcast_calls import NarrowcastCalls

CONTENT_BYTES = 20 * 1024 * 1024
VALIDATE_KINDS = ("reply", "push", "multicast", "narrowcast", "broadcast")
LINE_CALENDAR = timezone(timedelta(hours=9))  # its statistics turn the day in UTC+9


class Gateway(Exchange, CouponCalls, AudienceCalls, NarrowcastCalls):
    """LINE, for one official account. Make one per process and share it between threads.

    Every method raises `LineError` (see errors.py for its kinds) and nothing else.
    """

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
