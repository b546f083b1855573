"""What LINE checks before it reads a body: path, token, rate, size, media type."""

import json
import socket

GOOD = {"messages": [{"type": "text", "text": "a"}]}


def test_every_answer_has_a_request_id(line, hana):
    answers = [line.get("/v2/bot/info"), line.get("/nowhere"), line.push(hana), line.push("x")]
    found = {answer.headers["x-line-request-id"] for answer in answers}
    assert len(found) == len(answers)


def test_an_unknown_path_is_not_found(line):
    for method, path in (("GET", "/v2/bot/nothing"), ("POST", "/v2/bot/info"), ("GET", "/")):
        answer = line.request(method, path)
        assert (answer.status, answer.body) == (404, {"message": "Not found"})


def test_without_the_token_nothing_works(line, world, hana):
    for token in (None, "wrong", ""):
        answer = line.request("POST", "/v2/bot/message/broadcast", GOOD, token)
        assert answer.status == 401
        assert "Authentication failed" in answer.message
    assert world.received() == {}


def test_more_than_2_mb_is_too_large(line, hana):
    body = json.dumps({"to": hana, **GOOD, "x": "a" * (2 * 1024 * 1024)}).encode()
    assert line.request("POST", "/v2/bot/message/push", body).status == 413


def test_only_json_is_read(line, hana):
    body = json.dumps({"to": hana, **GOOD}).encode()
    plain = line.request("POST", "/v2/bot/message/push", body, content_type="text/plain")
    assert plain.status == 415
    broken = line.request("POST", "/v2/bot/message/push", b"{")
    assert (broken.status, "JSON" in broken.message) == (400, True)
    not_utf8 = line.request("POST", "/v2/bot/message/push", b'{"to": "\xff"}')
    assert not_utf8.status == 400


def test_a_list_is_no_request_body(line):
    assert line.send("push", [1]).status == 400


def test_the_rate_limit_answers_429_in_lines_words(line, world, hana):
    world.settings(limits={"push": [3, 60]})
    statuses = [line.push(hana).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert line.push(hana).message == "The API rate limit has been exceeded. Try again later."
    assert line.multicast([hana]).status == 200


def test_multicast_is_limited_to_200_a_second(line, world, hana):
    world.settings(limits={"multicast": [200, 1000]})
    statuses = [line.multicast([hana]).status for _ in range(202)]
    assert statuses.count(200) == 200


def test_limits_can_be_switched_off(line, world, hana):
    world.settings(limits={"push": [1, 3600]}, rate_limits=False)
    assert [line.push(hana).status for _ in range(3)] == [200, 200, 200]


def test_requests_share_a_connection(sim, hana):
    body = json.dumps({"to": hana, **GOOD}).encode()
    head = (
        "POST /v2/bot/message/push HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer token-of-the-channel\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", sim.port)) as connection:
        connection.sendall((head + body) * 2)  # pipelined
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 2 or not seen.endswith(b"}"):
            seen += connection.recv(65536)
    assert seen.count(b"sentMessages") == 2


def test_a_chunked_body_is_read(sim, hana):
    body = json.dumps({"to": hana, **GOOD}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:], b""))
    head = (
        b"POST /v2/bot/message/push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Authorization: Bearer token-of-the-channel\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", sim.port)) as connection:
        connection.sendall(head + chunks)
        seen = b""
        while data := connection.recv(65536):
            seen += data
    assert b"100 Continue" in seen
    assert b"HTTP/1.1 200 OK" in seen


def test_nonsense_is_hung_up_on(sim):
    with socket.create_connection(("127.0.0.1", sim.port)) as connection:
        connection.sendall(b"hello\r\n\r\n")
        assert connection.recv(100) == b""


def test_every_request_can_be_watched(panel):
    from lineadmin.simulator.server import Simulator

    seen = []
    with Simulator(on_request=lambda request, answer: seen.append((request, answer))) as sim:
        sim.client.add_phone("花")
        from tests.simulator.conftest import Sender

        Sender(sim.base_url).get("/v2/bot/info")
    ((request, answer),) = seen
    assert (request.path, answer.status) == ("/v2/bot/info", 401)
