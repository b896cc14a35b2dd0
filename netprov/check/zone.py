"""Rules about zones and further records, which deriving the plan applies; here are their reasons."""

from __future__ import annotations

from netprov.check.rule import Rule, of_the_plan

RULES = (
    Rule(
        "forward-loop",
        "error",
        "A server that forwards to itself asks itself for ever; phones wait for names that nobody resolves.",
        "name another resolver",
        of_the_plan,
    ),
    Rule(
        "tsig-secret",
        "error",
        "A secret that is not base64 signs nothing, and the secondary's requests are refused.",
        "make one with `tsig-keygen`",
        of_the_plan,
    ),
    Rule(
        "tsig-key",
        "error",
        "A secondary whose key is not known here cannot transfer zones.",
        "declare the key under `dns: {keys: …}`",
        of_the_plan,
    ),
    Rule(
        "record",
        "error",
        "A record that is not of its type's form cannot be put on the wire.",
        "write it as in a master file",
        of_the_plan,
    ),
    Rule(
        "record-outside",
        "error",
        "This server answers for its own zones only; the record would never be asked for here.",
        "make it relative to the domain, or add its zone under `zones:`",
        of_the_plan,
    ),
    Rule(
        "zone-twice",
        "error",
        "One zone from two sources would answer from either.",
        "put the records of the file under `dns: {include: …}`",
        of_the_plan,
    ),
    Rule(
        "zone-cname",
        "error",
        "A name that is an alias can have no other record (RFC 2181 10.1): resolvers follow the alias, and the other records are lost.",
        "remove the alias, or the other records",
        of_the_plan,
    ),
    Rule(
        "zone-single",
        "error",
        "Several records where one is allowed (CNAME, DNAME, SOA): resolvers take any of them.",
        "leave one",
        of_the_plan,
    ),
    Rule(
        "zone-dname",
        "error",
        "What is below a DNAME is hidden by it (RFC 6672 2.4).",
        "remove one of them",
        of_the_plan,
    ),
    Rule(
        "zone-meta",
        "error",
        "Such a type only exists in messages and never in a zone.",
        "remove the record",
        of_the_plan,
    ),
    Rule(
        "zone-soa",
        "error",
        "An SOA anywhere but at the top of its zone makes the zone invalid.",
        "remove the record",
        of_the_plan,
    ),
    Rule(
        "zone-outside",
        "error",
        "A zone cannot hold names outside itself; other name servers refuse such a master file.",
        "check the final dots in the file",
        of_the_plan,
    ),
    Rule(
        "zone-apex",
        "error",
        "A zone without SOA and NS records of its own cannot be served (RFC 1035 5.2).",
        "add them at the zone's own name, @",
        of_the_plan,
    ),
    Rule(
        "master-file",
        "error",
        "A master file that cannot be read is not served in part: its records would be missing without a word.",
        "correct the line",
        of_the_plan,
    ),
)
