"""TR-069: the CPE WAN Management Protocol (CWMP), both roles, and the SOAP they share."""
