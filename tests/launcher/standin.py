"""A stand-in for `web/cli.py`: the same commands, the standard library only, nothing behind them."""

from __future__ import annotations

import http.server
import json
import os
import sys
import time
from pathlib import Path

DATA = Path(os.environ["VIGIA_DATA"])


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


def main(command: str) -> None:
    sys.stdout.write(f"{command} runs\n")
    sys.stdout.flush()
    if (DATA / f"{command}-fails").exists():
        sys.exit(f"{command}: no hay caso")
    match command:
        case "migrate":
            (DATA / "environment.json").write_text(json.dumps(dict(os.environ)))
        case "prepare" if os.environ["VIGIA_DEMO"] == "1":
            account = {"username": "ana", "password": "clave-larga", "name": "Ana", "role": "x", "what": "jefa"}
            (DATA / "demo-accounts.json").write_text(json.dumps([account]))
        case "prepare":
            (DATA / "first-account-code").write_text("ABC-123")
        case "opendata":
            (DATA / "open-environment.json").write_text(json.dumps(dict(os.environ)))
            time.sleep(3600)
        case "serve":
            address = (os.environ["VIGIA_HOST"], int(os.environ["VIGIA_PORT"]))
            http.server.ThreadingHTTPServer(address, Ready).serve_forever()
        case _:
            while True:
                time.sleep(60)


main(sys.argv[1])
