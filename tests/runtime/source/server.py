"""A small HTTP server on loopback whose answers are given, octet by octet; it hangs where there are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Answers:
    """What is asked, and what is answered; None is silence."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.over = threading.Event()
        self.port = 0


def said(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """Return a whole answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


@contextmanager
def answering(answer: bytes | None) -> Iterator[Answers]:
    """Serve for a while."""
    answers = Answers(answer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answers.port = listener.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(listener, answers))
        thread.start()
        try:
            yield answers
        finally:
            answers.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, answers: Answers) -> None:
    held = []
    with suppress(OSError):
        while not answers.over.is_set():
            sock, _ = listener.accept()
            with suppress(OSError):
                answers.asked.append(sock.recv(65536))
                if answers.answer is None:
                    held.append(sock)
                    continue
                sock.sendall(answers.answer)
            sock.close()
    for each in held:
        each.close()
