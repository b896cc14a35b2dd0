"""The parameters that steer provisioning, and their factory values.

Cisco's provisioning guide, "Provisioning Parameters", and the administration guide of the 6800 series for what it leaves out
(Resync_Error_Retry_Delay, the unit of Resync_Random_Delay).
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.dhcp.option.provisioning import ORDER
from netprov.provision.config import FACTORY_PATH

DEFAULTS: Mapping[str, str] = {
    "Provision_Enable": "Yes",
    "Resync_On_Reset": "Yes",
    "Resync_Random_Delay": "2",
    "HTTP_User_Agent_Name": "$VERSION ($MA)",
    "Resync_At__HHmm_": "",
    "Resync_At_Random_Delay": "600",
    "Resync_Periodic": "3600",
    "Resync_Error_Retry_Delay": "3600",
    "Forced_Resync_Delay": "14400",
    "Resync_After_Upgrade_Attempt": "Yes",
    "Resync_Trigger_1": "",
    "Resync_Trigger_2": "",
    "Resync_Fails_On_FNF": "Yes",
    "Profile_Rule": FACTORY_PATH,
    "Profile_Rule_B": "",
    "Profile_Rule_C": "",
    "Profile_Rule_D": "",
    "DHCP_Option_To_Use": ",".join(map(str, ORDER)),
    "Log_Request_Msg": "$PN $MAC -- Requesting resync $SCHEME://$SERVIP:$PORT$PATH",
    "Log_Success_Msg": "$PN $MAC -- Successful resync $SCHEME://$SERVIP:$PORT$PATH -- $ERR",
    "Log_Failure_Msg": "$PN $MAC -- Resync failed: $ERR",
    "Upgrade_Enable": "Yes",
    "Upgrade_Error_Retry_Delay": "3600",
    "Upgrade_Rule": "",
    "Downgrade_Rev_Limit": "",
    "Log_Upgrade_Request_Msg": "$PN $MAC -- Requesting upgrade $SCHEME://$SERVIP:$PORT$PATH",
    "Log_Upgrade_Success_Msg": "$PN $MAC -- Successful upgrade $SCHEME://$SERVIP:$PORT$PATH -- $ERR",
    "Log_Upgrade_Failure_Msg": "$PN $MAC -- Upgrade failed: $ERR",
    "Custom_CA_Rule": "",
    "Report_Rule": "",
    "HTTP_Report_Method": "PUT",
    "Report_To_Server": "On Request",
    "Periodic_Upload_To_Server": "3600",
    "Upload_Delay_On_Local_Change": "60",
    "Resync_From_SIP": "Yes",
    "Auth_Resync-Reboot_1_": "Yes",
    "Auth_ID_1_": "",
    "User_ID_1_": "",
    "Password_1_": "",
    "SIP_Port_1_": "5060",
    "Enable_Web_Server": "Yes",
    "Web_Server_Port": "80",
    "Enable_Web_Admin_Access": "Yes",
    "Enable_Direct_Action_Url": "Yes",
    "Admin_Password": "",
    "Webex_Onboard_Enable": "Yes",
    "IKM_HTTP_Encrypt_Content": "",
    "Enable_TR-069": "No",
    "ACS_URL": "",
    "ACS_Username": "",
    "ACS_Password": "",
    "Periodic_Inform_Enable": "Yes",
    "Periodic_Inform_Interval": "20",
    "Connection_Request_Username": "",
    "Connection_Request_Password": "",
    "Syslog_Server": "",
    "Restricted_Access_Domains": "",
    "Proxy_Mode": "Off",
    "Use_Auto_Discovery__WPAD_": "Yes",
    "PAC_URL": "",
    "Proxy_Host": "",
    "Proxy_Port": "3128",
    "Proxy_Server_Requires_Authentication": "No",
    "Proxy_Username": "",
    "Proxy_Password": "",
    **{f"GPP_{letter}": "" for letter in "ABCDEFGHIJKLMNOP"},
    **{f"GPP_S{letter}": "" for letter in "ABCD"},
}
"""Every parameter that the emulated phone acts on; others are kept but have no effect."""

LINES = 16
"""Lines that a phone may have."""

PROFILE_RULES = ("Profile_Rule", "Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D")
"""The four rules, in the order that each resync follows them."""


def is_yes(value: str) -> bool:
    """Read a Boolean parameter."""
    return value.strip().lower() in {"yes", "1", "true"}
