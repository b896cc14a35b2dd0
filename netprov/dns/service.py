"""The names under which provisioning servers are announced: SRV owners below a domain (RFC 2782).

Cisco's guide, "DNS SRV for HTTP Provisioning", table 1; note `_tls`, not `_tcp`, for HTTPS.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.hostport import Scheme

SERVICES: Mapping[Scheme, str] = {"https": "_ciscoprov-https._tls", "http": "_ciscoprov-http._tcp"}
"""Service and protocol labels of each scheme, in the order that phones ask for them."""
