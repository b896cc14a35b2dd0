"""Whole replies by their queries: the hot path's memory, bounded by two generations.

A query's octets behind its ID lead to the reply's octets behind its ID. When the young generation is full it becomes
the old one, whose entries come back when they are asked for again: what is asked often stays, a flood of random names
passes through, and no entry is ever searched for to be thrown out.
"""

from __future__ import annotations

LARGEST_QUERY = 300
"""Octets of a query that is kept: more than any name with EDNS needs."""


class ReplyCache:
    """At most `2 * limit` replies. A hit must be tried in `young` first, which callers may do on their own."""

    __slots__ = ("limit", "old", "young")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.young: dict[bytes, bytes] = {}
        self.old: dict[bytes, bytes] = {}

    def get(self, query: bytes) -> bytes | None:
        """Return the reply to a query, or None."""
        reply = self.young.get(query)
        if reply is None:
            reply = self.old.get(query)
            if reply is not None:
                self.put(query, reply)
        return reply

    def put(self, query: bytes, reply: bytes) -> None:
        """Keep a reply."""
        if len(query) > LARGEST_QUERY:
            return
        if len(self.young) >= self.limit:
            self.old = self.young
            self.young = {}
        self.young[query] = reply

    def clear(self) -> None:
        """Forget all."""
        self.young, self.old = {}, {}
