"""Does nothing that shows, and is alive: `alive.py KIND ...`; what it waits for comes from outside, or by itself."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

signal.alarm(60)  # where nobody watches it, it ends all the same
KIND = sys.argv[1]
lock = threading.Lock()
lock.acquire()


def step() -> None:
    """Compute for long."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        sum(range(1000))


def download() -> None:
    """Wait for the peer's next byte."""
    ours, theirs = socket.socketpair()
    ours.recv(1)
    theirs.close()


def serve() -> None:
    """Wait for somebody to connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.accept()


def handler() -> None:
    """Wait for a signal that another program sends."""
    woken = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: woken.set())
    woken.wait()


def fifo() -> None:
    """Wait for another program to write."""
    os.mkfifo(sys.argv[2])
    descriptor = os.open(sys.argv[2], os.O_RDWR)
    os.read(descriptor, 1)


def terminal() -> None:
    """Wait for a line of a terminal."""
    _, inner = os.openpty()
    os.read(inner, 1)


def child(*words: str) -> None:
    """Wait for a child that is at work."""
    subprocess.run([sys.executable, "-c", *words])


def timed() -> None:
    """Wait for a lock, not for ever, beside a thread that waits for ever."""
    threading.Thread(target=lock.acquire, daemon=True).start()
    lock.acquire(timeout=50)


def pipe_of_another() -> None:
    """Read what the process that started this one, and is no part of it, has the other end of."""
    os.read(int(sys.argv[2]), 1)


KINDS = {
    "sleep": lambda: time.sleep(50),
    "step": step,
    "download": download,
    "server": serve,
    "select": lambda: select.select([], [], [], 50),
    "handler": handler,
    "fifo": fifo,
    "terminal": terminal,
    "busy child": lambda: child("import time\nend = time.time() + 30\nwhile time.time() < end: pass"),
    "sleeping child": lambda: child("import time; time.sleep(30)"),
    "timed": timed,
    "pipe": pipe_of_another,
    "lock": lock.acquire,
}
print("ready", flush=True)
KINDS[KIND]()
