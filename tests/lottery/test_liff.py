"""With LIFF a lottery's page is for its own friend only: LINE says who is there."""

from __future__ import annotations

import pytest

from lineadmin.lottery.links import page_path, token_for
from lineadmin.lottery.models import LotteryDraw
from tests.conftest import make_config
from tests.coupons.making import make_coupon
from tests.factories import make_friend
from tests.lottery.making import make_lottery, prize

LOGIN_CHANNEL = "1234567890"


@pytest.fixture
def line_config(line, database_url, tmp_path):
    return make_config(
        database_url,
        tmp_path,
        LINE_API_BASE=line.base_url,
        LINE_DATA_API_BASE=line.base_url,
        LIFF_ID=f"{LOGIN_CHANNEL}-AbCdEfGh",
        LINE_LOGIN_CHANNEL_ID=LOGIN_CHANNEL,
    )


def test_with_liff_only_the_friend_it_was_made_for_draws(line, app, clock):
    hana, taro = (
        make_friend(name, line_user_id=line.client.add_phone(name)["user_id"])
        for name in ("花", "太郎")
    )
    make_coupon()
    lottery = make_lottery(prize("免費便當", "bento20", "100"))
    address = page_path(lottery, hana.id)

    def tab_of(friend):
        tab = app.test_client()
        token = line.client.id_token(friend.line_user_id, LOGIN_CHANNEL)
        assert tab.post("/c/identity", json={"id_token": token}).status_code == 200
        return tab

    unknown = app.test_client().get(address, follow_redirects=True)
    assert unknown.request.path == f"/e/l/{token_for(lottery, hana.id)}"
    assert f'data-back="{address}"' in unknown.text
    assert app.test_client().post(f"{address}/draw").status_code == 302
    foreign = tab_of(taro)
    assert foreign.get(address).status_code == 403
    assert foreign.post(f"{address}/draw").status_code == 403
    assert not LotteryDraw.select().exists()

    hers = tab_of(hana)
    assert "馬上抽" in hers.get(address).text
    assert hers.post(f"{address}/draw").status_code == 303
    assert "恭喜抽中" in hers.get(address).text
    assert LotteryDraw.get().friend_id == hana.id


def test_without_liff_there_is_no_page_that_asks_line(db):
    from lineadmin import config as configuration
    from lineadmin.application import create_app

    make_coupon()
    lottery = make_lottery(prize("免費便當", "bento20", "100"))
    token = token_for(lottery, make_friend().id)
    client = create_app(configuration.current()).test_client()
    assert client.get(f"/e/l/{token}").status_code == 404
