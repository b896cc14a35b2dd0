"""What was said in a session with an ACS, by the names of its messages (TR-069 A.3)."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.cwmp import codec, rpc, soap
from netprov.errors import Malformed
from netprov.phone.action import Fetch, Response, Step


def conversation(posts: Sequence[Step]) -> str:
    """Return the messages of these POSTs and their answers, in order; faults with their codes."""
    said = []
    for step in posts:
        asked = step.action.body if isinstance(step.action, Fetch) else b""
        answered = step.result.body if isinstance(step.result, Response) else b""
        said += [f"phone: {_named(asked)}", f"ACS: {_named(answered)}"]
    return ", ".join(said)


def _named(body: bytes) -> str:
    """Return what a body says: the name of a message, a fault, or that there is none."""
    if not body.strip():
        return "nothing"
    try:
        found = soap.decode(body).body
        message = codec.decode(body)
    except Malformed as error:
        return f"what is no message ({error})"
    if isinstance(message.rpc, rpc.Fault):
        return f"Fault {message.rpc}"
    return "an empty envelope" if found is None else soap.name(found)
