"""The table of LINE's endpoints."""

import re

from lineadmin.simulator import audiences, channel, coupons, narrowcasts, reads, sends
from lineadmin.simulator.line_api import Handler, Route

_JSON = ("application/json",)
_FORM = ("application/x-www-form-urlencoded",)


def routes() -> list[Route]:
    """Every endpoint of this LINE."""
    message = "/v2/bot/message"
    table: list[tuple[str, str, str, Handler]] = [
        ("POST", f"{message}/reply", "reply", sends.reply),
        ("POST", f"{message}/push", "push", sends.push),
        ("POST", f"{message}/multicast", "multicast", sends.multicast),
        ("POST", f"{message}/broadcast", "broadcast", sends.broadcast),
        ("POST", f"{message}/narrowcast", "narrowcast", narrowcasts.narrowcast),
        (
            "POST",
            f"{message}/validate/(?:reply|push|multicast|broadcast|narrowcast)",
            "validate",
            sends.validate,
        ),
        ("GET", f"{message}/progress/narrowcast", "narrowcast_progress", narrowcasts.progress),
        ("GET", f"{message}/quota", "quota", reads.quota),
        ("GET", f"{message}/quota/consumption", "consumption", reads.consumption),
        (
            "GET",
            f"{message}/delivery/(reply|push|multicast|broadcast)",
            "delivery",
            reads.delivery_count,
        ),
        ("GET", f"{message}/aggregation/info", "aggregation_info", reads.aggregation_info),
        ("GET", f"{message}/aggregation/list", "aggregation_list", reads.aggregation_list),
        ("GET", f"{message}/([^/]+)/content", "content", reads.content),
        ("GET", f"{message}/([^/]+)/content/preview", "content", reads.content),
        ("GET", f"{message}/([^/]+)/content/transcoding", "content", reads.transcoding),
        ("GET", "/v2/bot/profile/([^/]+)", "profile", reads.profile),
        ("GET", "/v2/bot/followers/ids", "followers", reads.followers),
        ("GET", "/v2/bot/info", "bot_info", reads.bot_info),
        ("POST", "/v2/bot/chat/loading/start", "loading", reads.loading),
        ("POST", "/v2/bot/chat/markAsRead", "mark_as_read", reads.mark_as_read),
        ("GET", "/v2/bot/coupon", "coupon_list", coupons.listed),
        ("POST", "/v2/bot/coupon", "coupon_create", coupons.create),
        ("GET", "/v2/bot/coupon/([^/]+)", "coupon_get", coupons.detail),
        ("PUT", "/v2/bot/coupon/([^/]+)/close", "coupon_close", coupons.close),
        ("POST", "/v2/bot/audienceGroup/upload", "audience_create", audiences.create),
        ("PUT", "/v2/bot/audienceGroup/upload", "audience_add", audiences.add),
        ("POST", "/v2/bot/audienceGroup/click", "audience_click", audiences.click),
        ("POST", "/v2/bot/audienceGroup/imp", "audience_imp", audiences.impression),
        ("GET", "/v2/bot/audienceGroup/list", "audience_list", audiences.listed),
        ("GET", "/v2/bot/audienceGroup/([0-9]+)", "audience_get", audiences.detail),
        ("DELETE", "/v2/bot/audienceGroup/([0-9]+)", "audience_delete", audiences.delete),
        ("GET", "/v2/bot/channel/webhook/endpoint", "webhook_get", channel.get_endpoint),
        ("PUT", "/v2/bot/channel/webhook/endpoint", "webhook_put", channel.put_endpoint),
        ("POST", "/v2/bot/channel/webhook/test", "webhook_test", channel.test_endpoint),
        ("GET", "/v2/bot/insight/message/delivery", "insight_delivery", reads.insight_delivery),
        ("GET", "/v2/bot/insight/message/event", "insight_event", reads.insight_event),
        (
            "GET",
            "/v2/bot/insight/message/event/aggregation",
            "insight_aggregation",
            reads.insight_aggregation,
        ),
        ("GET", "/v2/bot/insight/followers", "insight_followers", reads.insight_followers),
        ("GET", "/v2/bot/insight/demographic", "insight_demographic", reads.insight_demographic),
    ]
    made = [
        Route(
            method,
            re.compile(path),
            endpoint,
            handler,
            content_types=_JSON if method in ("POST", "PUT") else (),
        )
        for method, path, endpoint, handler in table
    ]
    for method, path, endpoint, handler in (
        ("POST", "/oauth2/v3/token", "token", channel.issue_stateless),
        ("POST", "/v2/oauth/accessToken", "token_short", channel.issue_short_lived),
        ("POST", "/v2/oauth/verify", "verify_token", channel.verify_token),
        ("GET", "/oauth2/v2.1/verify", "verify_token", channel.verify_token),
        ("POST", "/oauth2/v2.1/verify", "verify_id_token", channel.verify_id_token),
    ):
        forms = _FORM if method == "POST" else ()
        made.append(Route(method, re.compile(re.escape(path)), endpoint, handler, False, forms))
    return made
