"""The least a webhook can be: a bare Flask route that checks the HMAC and inserts one row.

No parsing, no unique index, no doorbell; the product's SQLite settings. Run by gunicorn as
`bench.floor:app` with FLOOR_DATABASE and FLOOR_SECRET.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sqlite3
import threading

from flask import Flask, abort, request

from lineadmin.db import SQLITE_PRAGMAS

app = Flask(__name__)
_secret = os.environ.get("FLOOR_SECRET", "").encode()
_local = threading.local()


def connection() -> sqlite3.Connection:
    """This thread's connection, opened once."""
    if not hasattr(_local, "connection"):
        opened = sqlite3.connect(os.environ["FLOOR_DATABASE"], isolation_level=None)
        for name, value in SQLITE_PRAGMAS.items():
            opened.execute(f"PRAGMA {name} = {value}")
        opened.execute("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, raw BLOB)")
        _local.connection = opened
    return _local.connection


@app.post("/webhook")
def webhook() -> str:
    """Check and insert."""
    body = request.get_data()
    digest = base64.b64encode(hmac.new(_secret, body, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(digest, request.headers.get("X-Line-Signature", "")):
        abort(400)
    connection().execute("INSERT INTO event (raw) VALUES (?)", (body,))
    return ""
