"""Every route of every screen, for every role and for nobody: checked on the server."""

from __future__ import annotations

import pytest

from lineadmin.staff.permissions import ROLES, may
from tests.panel import panel_of

OPEN = {"sign_in.index", "sign_in.sign_out"}


def staff_routes(app):
    """(endpoint, method, address) of everything under /admin, arguments filled in."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith("/admin") or rule.endpoint in OPEN:
                continue
            values = {name: "csv" if name == "export_type" else 1 for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, values)
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield rule.endpoint, method, address


def views_of(app):
    return {view.endpoint: view for view in app.extensions["admin"][0]._views}


def call(panel, method, address):
    return panel.get(address) if method == "GET" else panel.post(address)


def test_there_is_a_screen_behind_every_staff_route(app):
    views = views_of(app)
    strangers = {
        endpoint
        for endpoint, _method, _address in staff_routes(app)
        if endpoint.split(".")[0] not in views
    }
    assert strangers == set()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_where_its_verbs_lead_and_nowhere_else(app, role):
    views, panel, wrong = views_of(app), panel_of(app, role), []
    panel.csrf()
    for endpoint, method, address in staff_routes(app):
        name, route = endpoint.split(".", 1)
        verb = views[name].permission_of(route, method)
        status = call(panel, method, address).status_code
        if may(role, verb) == (status == 403) or status >= 500:
            wrong.append((endpoint, method, verb, status))
    assert wrong == []


def test_nobody_gets_anywhere(app, client):
    for endpoint, method, address in staff_routes(app):
        if method == "GET":
            answer = client.get(address)
            assert answer.status_code == 302, endpoint
            assert answer.location.startswith("/admin/sign-in"), endpoint
        else:
            assert client.post(address).status_code == 400, endpoint


def test_no_route_that_changes_things_is_open_to_viewers(app):
    views = views_of(app)
    own = {"profile", "sign_in"}
    lax = [
        endpoint
        for endpoint, method, _address in staff_routes(app)
        if method != "GET"
        and endpoint.split(".")[0] not in own
        and endpoint.split(".")[1] != "action_view"  # every action checks its own verb
        and may("viewer", views[endpoint.split(".")[0]].permission_of(*_route(endpoint, method)))
    ]
    assert lax == []


def _route(endpoint, method):
    return endpoint.split(".", 1)[1], method


def test_every_action_on_ticked_rows_checks_its_own_verb(app):
    wrong = []
    for role in ROLES:
        panel = panel_of(app, role)
        for view in views_of(app).values():
            for name in getattr(view, "_actions_data", {}):
                verb = view._bulk_verb(name)
                address = f"{view.url}/action/"
                status = panel.post(address, {"action": name, "rowid": "1"}).status_code
                forbidden = not may(role, verb) or not may(role, view.required_permission)
                if name == "delete" and not view.deletable:
                    forbidden, expected = not may(role, view.required_permission), {404}
                else:
                    expected = {200, 302}
                if (status == 403) != forbidden or (not forbidden and status not in expected):
                    wrong.append((role, view.endpoint, name, status))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_shows_only_what_opens(app, role):
    import re

    panel = panel_of(app, role)
    menu = panel.get("/admin/profile/").text.split('id="side"')[1].split("</nav>")[0]
    addresses = re.findall(r'<li><a href="([^"]+)"', menu)
    assert addresses
    for address in addresses:
        assert panel.get(address).status_code == 200, address


def test_a_refusal_is_a_page_in_words_inside_the_frame(app):
    answer = panel_of(app, "staff").get("/admin/people/")
    assert answer.status_code == 403
    assert "你的角色（店員）不能使用「管理員工」" in answer.text
    assert "可以使用的角色：店主" in answer.text
    assert 'id="side"' in answer.text
    assert "Forbidden" not in answer.text
