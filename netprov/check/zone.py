"""Rules about zones and further records, which deriving the plan applies; here are their reasons."""

from __future__ import annotations

from netprov.check.rule import planned

FORWARD_LOOP = planned(
    "forward-loop",
    "error",
    why="A server that forwards to itself asks itself for ever; phones wait for names that nobody resolves.",
    remedy="name another resolver",
)

TSIG_SECRET = planned(
    "tsig-secret",
    "error",
    why="A secret that is not base64 signs nothing, and the secondary's requests are refused.",
    remedy="make one with `tsig-keygen`",
)

TSIG_KEY = planned(
    "tsig-key",
    "error",
    why="A secondary whose key is not known here cannot transfer zones.",
    remedy="declare the key under `dns: {keys: …}`",
)

RECORD = planned(
    "record",
    "error",
    why="A record that is not of its type's form cannot be put on the wire.",
    remedy="write it as in a master file",
)

RECORD_OUTSIDE = planned(
    "record-outside",
    "error",
    why="This server answers for its own zones only; the record would never be asked for here.",
    remedy="make it relative to the domain, or add its zone under `zones:`",
)

ZONE_ORIGIN = planned(
    "zone-origin",
    "error",
    why="A zone is served under its name; what is no name nobody can ask for.",
    remedy="write the zone's name: labels of 63 octets at most, 255 octets in all",
)

ZONE_TWICE = planned(
    "zone-twice",
    "error",
    why="One zone from two sources would answer from either.",
    remedy="put the records of the file under `dns: {include: …}`",
)

ZONE_CNAME = planned(
    "zone-cname",
    "error",
    why="A name that is an alias can have no other record (RFC 2181 10.1): resolvers follow the alias, and the other records are lost.",
    remedy="remove the alias, or the other records",
)

ZONE_SINGLE = planned(
    "zone-single",
    "error",
    why="Several records where one is allowed (CNAME, DNAME, SOA): resolvers take any of them.",
    remedy="leave one",
)

ZONE_DNAME = planned(
    "zone-dname",
    "error",
    why="What is below a DNAME is hidden by it (RFC 6672 2.4).",
    remedy="remove one of them",
)

ZONE_META = planned(
    "zone-meta",
    "error",
    why="Such a type only exists in messages and never in a zone.",
    remedy="remove the record",
)

ZONE_SOA = planned(
    "zone-soa",
    "error",
    why="An SOA anywhere but at the top of its zone makes the zone invalid.",
    remedy="remove the record",
)

ZONE_OUTSIDE = planned(
    "zone-outside",
    "error",
    why="A zone cannot hold names outside itself; other name servers refuse such a master file.",
    remedy="check the final dots in the file",
)

ZONE_APEX = planned(
    "zone-apex",
    "error",
    why="A zone without SOA and NS records of its own cannot be served (RFC 1035 5.2).",
    remedy="add them at the zone's own name, @",
)

MASTER_FILE = planned(
    "master-file",
    "error",
    why="A master file that cannot be read is not served in part: its records would be missing without a word.",
    remedy="correct the line",
)
