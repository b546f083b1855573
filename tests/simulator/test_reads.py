"""Profile, account, followers, tokens, insight."""

from datetime import datetime, timedelta, timezone

import pytest
import urllib3

from tests.simulator.conftest import SECRET, TOKEN

CHANNEL = "1650000000"


def test_a_profile(line, world):
    yuki = world.add_phone("雪", language="ja", picture_url="https://demo.invalid/p.png")
    assert line.get(f"/v2/bot/profile/{yuki['user_id']}").body == {
        "userId": yuki["user_id"],
        "displayName": "雪",
        "pictureUrl": "https://demo.invalid/p.png",
        "language": "ja",
    }


def test_a_profile_is_not_found_for_those_who_blocked_or_never_came(line, world, hana):
    stranger = world.add_phone("路人", status="stranger")["user_id"]
    world.block(hana)
    for user in (hana, stranger, "U" + "0" * 32):
        assert line.get(f"/v2/bot/profile/{user}").status == 404
    world.text(stranger, "hi")
    assert line.get(f"/v2/bot/profile/{stranger}").status == 200
    assert line.get("/v2/bot/profile/hana").status == 400


def test_the_account(line, world):
    info = line.get("/v2/bot/info").body
    assert info["userId"] == world.state()["account"]["user_id"]
    assert (info["chatMode"], info["markAsReadMode"]) == ("bot", "auto")


def test_followers_are_for_verified_accounts(line, world):
    friends = sorted(world.add_phones(5))
    world.add_phone("封鎖", status="blocked")
    assert line.get("/v2/bot/followers/ids").status == 403
    world.settings(verified=True)
    page = line.get("/v2/bot/followers/ids?limit=3").body
    assert page["userIds"] == friends[:3]
    rest = line.get(f"/v2/bot/followers/ids?limit=3&start={page['next']}").body
    assert rest == {"userIds": friends[3:]}
    assert line.get("/v2/bot/followers/ids?limit=1001").status == 400


@pytest.fixture
def oauth(sim):
    def post(path, **form):
        http = urllib3.PoolManager()
        return http.request("POST", sim.base_url + path, fields=form, encode_multipart=False)

    return post


def credentials(**more):
    return {
        "grant_type": "client_credentials",
        "client_id": CHANNEL,
        "client_secret": SECRET,
        **more,
    }


def test_a_stateless_token_lives_15_minutes(line, world, oauth):
    issued = oauth("/oauth2/v3/token", **credentials()).json()
    assert issued["token_type"] == "Bearer"
    token = issued["access_token"]
    assert line.request("GET", "/v2/bot/info", token=token).status == 200
    world.age(15 * 60_000)
    assert line.request("GET", "/v2/bot/info", token=token).status == 401


def test_wrong_credentials_get_an_oauth_error(oauth):
    for wrong in ({"client_secret": "x"}, {"client_id": "1"}, {"grant_type": "x"}):
        answer = oauth("/oauth2/v3/token", **credentials(**wrong))
        assert answer.status == 400
        assert set(answer.json()) == {"error", "error_description"}


def test_a_token_can_be_verified(line, oauth):
    short = oauth("/v2/oauth/accessToken", **credentials()).json()["access_token"]
    for token in (TOKEN, short):
        found = line.get(f"/oauth2/v2.1/verify?access_token={token}").body
        assert found["client_id"] == CHANNEL
        assert found["expires_in"] > 0
        assert oauth("/v2/oauth/verify", access_token=token).status == 200
    assert line.get("/oauth2/v2.1/verify?access_token=x").status == 400


def test_an_id_token_is_checked(world, hana, oauth):
    token = world.id_token(hana, "2000000001")
    path = "/oauth2/v2.1/verify"
    found = oauth(path, id_token=token, client_id="2000000001").json()
    assert (found["sub"], found["aud"], found["name"]) == (hana, "2000000001", "花")
    assert oauth(path, id_token=token, client_id="1").status == 400
    assert oauth(path, id_token="x", client_id="2000000001").status == 400
    world.age(3_601_000)
    assert oauth(path, id_token=token, client_id="2000000001").status == 400


def test_insight(line, world, hana):
    line.push(hana)
    world.add_phone("封鎖", status="blocked")
    world.settings(clock_offset_ms=86_400_000)
    followers = line.get("/v2/bot/insight/followers").body
    assert followers == {"status": "ready", "followers": 2, "targetedReaches": 1, "blocks": 1}
    assert line.get("/v2/bot/insight/demographic").body == {"available": False}
    assert line.get("/v2/bot/insight/message/delivery?date=20200101").body["apiPush"] == 0
    assert line.get("/v2/bot/insight/message/delivery?date=x").status == 400


def test_what_happened_to_an_aggregation_unit(line, world):
    path = "/v2/bot/insight/message/event/aggregation"
    today = f"{datetime.now(timezone(timedelta(hours=9))):%Y%m%d}"
    people = [world.add_phone(f"好友 {n}")["user_id"] for n in range(20)]
    body = {"messages": [{"type": "text", "text": "嗨"}], "customAggregationUnits": ["broadcast_7"]}
    line.request("POST", "/v2/bot/message/multicast", {**body, "to": people[:19]})
    asked = f"{path}?customAggregationUnit=broadcast_7&from={today}&to={today}"
    assert line.get(asked).body["overview"]["uniqueImpression"] is None
    line.request("POST", "/v2/bot/message/push", {**body, "to": people[19]})
    found = line.get(asked).body
    assert found["overview"]["uniqueImpression"] == 20
    assert found["messages"][0] | {"seq": 1, "impression": 20} == found["messages"][0]
    other = line.get(f"{path}?customAggregationUnit=other&from={today}&to={today}").body
    assert (other["overview"]["uniqueImpression"], other["messages"]) == (None, [])
    for wrong in (
        f"customAggregationUnit=a-b&from={today}&to={today}",
        f"from={today}&to={today}",
        f"customAggregationUnit=a&from={today}",
        "customAggregationUnit=a&from=20260302&to=20260301",
        "customAggregationUnit=a&from=20260301&to=20260401",
    ):
        assert line.get(f"{path}?{wrong}").status == 400, wrong
