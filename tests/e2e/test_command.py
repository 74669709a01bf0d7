"""`make web`: one command, and there is a page to play on."""

import json
import signal
import subprocess
import sys
from threading import Timer
from urllib.request import urlopen

from tests.integration.conftest import READY_SECONDS, ROOT


def test_one_command_starts_chain_and_page_and_ends_both(built, tmp_path):
    command = [sys.executable, "-u", "scripts/web.py", "--port", "0", "--chain-port", "0", "--into", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    stop_waiting = Timer(READY_SECONDS, process.kill)
    stop_waiting.start()
    address = next(line for line in process.stdout if line.startswith("The page: ")).split()[-1]
    stop_waiting.cancel()
    try:
        deployment = json.load(urlopen(f"{address}deployment.json"))
        assert deployment["chainId"] == 31337
        assert "LmsrMarkets" in deployment["addresses"]
        assert b"Tessera" in urlopen(address).read()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        process.stdout.close()
    assert process.returncode == 0
    assert list(tmp_path.glob("*/devnet.json")) == []
