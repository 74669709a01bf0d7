"""What benchmarks of served processes measure alike."""

import subprocess


def cpu_seconds(process: subprocess.Popen) -> int:
    """What a process has computed until now, whatever else the machine had to do."""
    shown = subprocess.run(["ps", "-o", "time=", "-p", str(process.pid)], capture_output=True, text=True, check=True)
    days, _, clock = shown.stdout.strip().rpartition("-")
    hours, minutes, seconds = ([0, 0, *map(float, clock.split(":"))])[-3:]
    return int(int(days or 0) * 86_400 + hours * 3_600 + minutes * 60 + seconds)
