"""The options that lead a phone to a provisioning server or to its ACS, and whether a value of one does.

Cisco's guide, "DHCP Option To Use"; RFC 5859 (150); TR-069 3.1 (43 and 125).
"""

from __future__ import annotations

from ipaddress import IPv4Address

from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import broadband_forum, decode_tlv
from netprov.errors import Malformed

TEXT_CODES = (code.TFTP_NAME, code.PROVISIONING_SERVER, code.PROVISIONING_URL)
"""Options whose text is an address, a name or a URL of a provisioning server."""

SERVER_CODES = (code.TFTP_NAME, code.TFTP_ADDRESSES, code.PROVISIONING_SERVER, code.PROVISIONING_URL)
"""Options that hold a provisioning server and nothing else."""

URL_CODES = (code.VENDOR_INFO, code.VENDOR_CLASS, code.VENDOR_IDENTIFYING)
"""Options that name one only if they hold a URL, an address or an ACS URL."""

ACS_CODES = (code.VENDOR_INFO, code.VENDOR_IDENTIFYING)
"""Options that name the ACS of a TR-069 device."""

TFTP_CODES = (code.TFTP_NAME, code.TFTP_ADDRESSES)
"""Options that, by a bare address, name a TFTP server; rules without a server take theirs from these."""

ORDER = (
    code.TFTP_NAME,
    code.PROVISIONING_URL,
    code.PROVISIONING_SERVER,
    code.TFTP_ADDRESSES,
    code.VENDOR_CLASS,
    code.VENDOR_INFO,
    code.VENDOR_IDENTIFYING,
)
"""The order in which a phone looks at them: the default of its parameter `DHCP_Option_To_Use`."""

ACS_URL_43 = 1
ACS_URL_125 = 11
"""Where the ACS's URL stands (TR-069 table 2): sub-options of 43, and of enterprise 3561 in 125."""


def names_server(option: int, data: bytes) -> bool:
    """Say whether a phone can take a provisioning or ACS server from an option."""
    if option in SERVER_CODES:
        return True
    if option not in URL_CODES:
        return False
    if b"://" in data:
        return True
    try:
        if option == code.VENDOR_INFO:
            return ACS_URL_43 in decode_tlv(data)
        if option == code.VENDOR_IDENTIFYING:
            return ACS_URL_125 in broadband_forum(data)
    except Malformed:
        pass
    return _is_address(data)


def _is_address(data: bytes) -> bool:
    try:
        IPv4Address(data.split(b";")[0].decode())
    except ValueError:
        return False
    return True
