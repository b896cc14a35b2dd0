"""The table of the parameters that multiplatform phones know, by type and series.

Facts gathered in November 2026 from Cisco's XML Reference Guide, administration and provisioning guides for
multiplatform phones, from the configuration report of a phone (6841, 12.0(1)) and from public templates (FusionPBX, Wazo);
nothing was tried on a phone. Defaults, descriptions and the sources of each name are left out.

    [type: series]           what follows is of this type, and known of this series: `all`, series or models joined by |
    = values                 what follows takes these: alternatives, ranges, `<=31` for at most 31 characters
    Name Name_{line}_        names; {line} is an extension, {n} and {m} are other numbers

A series that ends in `?` is that of the only phones whose list was seen: it says nothing of others. After a name, `!`
marks a password or key, and `@12.0(3)` the release that Cisco lists it with as new or changed.
"""

from __future__ import annotations

TABLE = """\
[bool: all]
Enable_Web_Server Enable_Web_Admin_Access Enable_Direct_Action_Url Display_Password_Warnings@12.0(3)
Block_Nonproxy_SIP Enable_802.1X_Authentication DNS_Caching_Enable PC_PORT_Enable Enable_PC_Port_Mirror
Use_Config_TOS Enable_CDP Enable_LLDP-MED Provision_Enable Resync_On_Reset Resync_From_SIP
Resync_After_Upgrade_Attempt Resync_Fails_On_FNF User_Configurable_Resync Upgrade_Enable Peer_Firmware_Sharing
PRT_Upload_at_Crash@12.0(2) Remove_Last_Reg Use_Compact_Header Talk_Package Hold_Package Conference_Package
RFC_2543_Call_Hold Dialog_SDP_Enable Keep_Referee_When_Refer_Failed Display_Diversion_Info
Display_Anonymous_From_Header Disable_Local_Name_To_Header Call_Statistics RTP_Before_ACK
SSRC_Reset_on_RE-INVITE Escape_Display_Name Random_REG_CID_on_Reboot Hold_Target_Before_Refer
Handle_VIA_received Handle_VIA_rport Insert_VIA_received Insert_VIA_rport Substitute_VIA_Addr
Send_Resp_To_Src_Port STUN_Enable STUN_Test_Enable ICE_STUN_Enable Redirect_Keep_Alive Line_Enable_{line}_
Share_Ext_{line}_ Restrict_MWI_{line}_ NAT_Mapping_Enable_{line}_ NAT_Keep_Alive_Enable_{line}_
SIP_100REL_Enable_{line}_ Auth_Resync-Reboot_{line}_ SIP_Remote-Party-ID_{line}_ Refer-To_Target_Contact_{line}_
Sticky_183_{line}_ Auth_INVITE_{line}_ Ntfy_Refer_On_1xx-To-Inv_{line}_ User_Equal_Phone_{line}_
P-Early-Media_Support_{line}_ SIP_SessionID_Support_{line}_ MediaSec_Request_{line}_
MediaSec_Over_TLS_Only_{line}_ Auth_Support_RFC8760_{line}_@12.0(2) Use_low-bandwidth_OPUS_{line}_
Conference_Single_Hardkey_{line}_ Voice_Mail_Enable_{line}_@11.3(5) Feature_Key_Sync_{line}_
Enable_Broadsoft_Hoteling_{line}_ Use_OB_Proxy_In_Dialog_{line}_ Register_{line}_ Make_Call_Without_Reg_{line}_
Ans_Call_Without_Reg_{line}_ Use_DNS_SRV_{line}_ DNS_SRV_Auto_Prefix_{line}_ Dual_Registration_{line}_
Auto_Register_When_Failover_{line}_ TLS_Name_Validate_{line}_ Block_CID_Enable_{line}_ DND_Enable_{line}_
CFWD_Enable_{line}_ Use_Pref_Codec_Only_{line}_ G711u_Enable_{line}_ G711a_Enable_{line}_ G729a_Enable_{line}_
G722_Enable_{line}_ G722.2_Enable_{line}_ iLBC_Enable_{line}_ OPUS_Enable_{line}_ Silence_Supp_Enable_{line}_
Enable_URI_Dialing_{line}_ Blind_Attn-Xfer_Enable_{line}_ Auth_Page_{line}_ Auto_Ans_Page_On_Active_Call_{line}_
Call_Park_Monitor_Enable_{line}_ Enable_Direct_PLK_Configuration@11.3(7) SCA_Barge-In-Enable
SCA_Sticky_Auto_Line_Seize Conference_Serv Attn_Transfer_Serv Blind_Transfer_Serv Cfwd_All_Serv Cfwd_Busy_Serv
Cfwd_No_Ans_Serv Secure_Call_Serv Call_Recording_Serv Reverse_Phone_Lookup_Serv Directory_Enable
XsiDir_Individual_Mode_Enable XsiDir_Personal_Enable XsiDir_Group_Enable XsiDir_Enterprise_Enable
XsiDir_GroupCommon_Enable XsiDir_EnterpriseCommon_Enable LDAP_Dir_Enable LDAP_StartTLS_Enable
LDAP_Prompt_For_Empty_Credentials Programmable_Softkey_Enable DND_Serv Block_ANC_Serv Block_CID_Serv
Call_Park_Serv Call_Pick_Up_Serv Group_Call_Pick_Up_Serv Service_Annc_Serv Webex_Onboard_Enable@11.3(6)
Webex_Directory_Enable@11.3(6) Webex_Metrics_Enable@12.0(2) Ignore_DHCP_Time_Offset Daylight_Saving_Time_Enable
Cfwd_All Cfwd_Busy Cfwd_No_Answer DND_Setting Block_ANC_Setting CW_Setting Auto_Answer_Page Block_CID_Setting
Secure_Call_Setting Alert_Tone_Off Shared_Line_DND_Cfwd_Enable BLF_Callpark_On_Line_Key_Enable@12.0(4)
Use_Line_Keys_For_BLF_List Call_Pickup_Audio_Notification BXfer_To_Starcode_Enable BXfer_On_Speed_Dial_Enable
[bool: 6800?]
Proxy_Settings Bluetooth WideBand_Handset_Enable Feature_Toggle_Http_Proxy Feature_Toggle_SRST
Feature_Toggle_VPN
[bool: 6800|7800?|8800?]
Log_Missed_Calls_for_EXT_{line}
[bool: 6800|7800|8800]
User_Password_Prompt Phone-UI-User-Mode Survivability_Test_Mode Enable_VLAN X-SWITCH-INFO_Support@12.0(4)
Use_Auto_Discovery__WPAD_@11.3(7) Proxy_Server_Requires_Authentication@11.3(7) MIC_Cert_Refresh_Enable@11.3(5)
Enable_TR-069 Periodic_Inform_Enable TR-069_Traceability CWMP_V1.2_Support TR-069_VoiceObject_Init
TR-069_DHCPOption_Init Forced_NAT64@12.0(5) SSRC_Reset_on_Rx_RE-INVITE@12.0(7)SR3
SSRC_Reset_on_Tx_RE-INVITE@12.0(7)SR3 Feature_Activation_Code_Sync_{line}_ CallInfo_Subscribe_{line}_@12.0(2)
Broadsoft_ACD_{line}_ Call_Information_Enable_{line}_ Disposition_Code_Enable_{line}_ Trace_Enable_{line}_
Emergency_Escalation_Enable_{line}_ Queue_Status_Notification_Enable_{line}_
Auto_Available_After_Sign-In_{line}_ Unavailable_Reason_Code_Enable_{line}_ Anywhere_Enable_{line}_
Block_Anonymous_Call_Enable_{line}_ Call_Waiting_Enable_{line}_ Personal_Directory_Enable Search_All_Enable
Browse_Mode_Enable EM_Enable Add_Contacts_to_Directory_Personal XMPP_Enable Login_Invisible CISCO_XML_EXE_Enable
LDAP_Unified_Search_Enable@11.3(7) Factory_Reset_Menu@11.3(2) Profile_Rule_Menu@11.3(2) Speed_Dials
User_Preferences Network_Configuration Device_Administration Status Report_Problem_Menu CallLog_Enable
Replace_Unresolved_Caller_Name_with_Number Cfwd_Setting Keep_Focus_On_Active_Call@11.3(5) Ringer_Volume_Control
Ehook_Enable Screen_Saver_Enable
[bool: 6800|7800|8800 except 6821, 7832, 8832]
Connect_on_Bootup@11.3(7)
[bool: 6800|8800?]
TR-069_Fallback_Support Paging_Serv Miss_Call_Shortcut
[bool: 6800|9800?]
Dialed_in_Call_History BXfer_To_Remote_Party_Number_Enable Wake_up_phone_screen_when_BLF_pickup_is_ringing
Feature_Toggle_Metrics_LineStatus Feature_Toggle_Metrics_Service Feature_Toggle_SW_Channel_Schema
Feature_Toggle_Support_RFC8760 Feature_Toggle_Visual_Confirmation Feature_Toggle_Webex_CallLog
Feature_Toggle_Webex_Cloud Feature_Toggle_Webex_Directory Feature_Toggle_Webex_METRICS Feature_Toggle_Webex_PRT
Feature_Toggle_Webex_Reboot
[bool: 6841|6851|6861|6871|8811|8851|8861]
Audio_Overload_Point_9dB
[bool: 6851|6871|8800 except 8832]
Peripheral_Inventory_Enable
[bool: 6861|8861|8865?|8875?|9861|9871?]
Phone-wifi-on
[bool: 6871|8800 except 8832]
Assistant_Call_Filter
[bool: 7800|8800?]
Phone-UI-readonly
[bool: 8800]
Display_XMPP_User_ID_With_Top_Priority
[bool: 8800?]
Enable_SSLv3 Message_Waiting_{line}_ ACD_Login_Serv Dial_Assistance
[bool: 8800|9800]
Webex_Calendar_Enable
[bool: 8800|9800?]
iSAC_Enable_{line}_
[bool: 8832]
Accessibility@12.0(7)
[bool: 8832|9800]
Voice_Feedback_Enable@12.0(7)
[bool: 8851|8861|8865|9861]
Disable_Side_USB_Port@11.3(7)
[bool: 9800?]
Disable_Back_USB_Port Debug_Mode_Visible Enable_BT RX_ROC_Reset_on_Re-Key Log_Missed_Calls_{line}_
MARI_Enable_{line}_ FEC_Enable_{line}_ Help_Desk_Enable Feature_Toggle_Action_Button Feature_Toggle_Audio_BNR
Feature_Toggle_Crash_PRT Feature_Toggle_Favorite_button Feature_Toggle_Feature_Usage_Metrics
Feature_Toggle_Hybrid_Meeting Feature_Toggle_Lyra_config Feature_Toggle_MS_RTP_DEBUG
Feature_Toggle_MeetingNotify_ListMode Feature_Toggle_MeetingNotify_Support Feature_Toggle_Meeting_Metrics
Feature_Toggle_PRT_Metrics Feature_Toggle_ThousandEyes Feature_Toggle_Upgrade_Metrics
Feature_Toggle_Webex_APPAPI Feature_Toggle_Webex_Calendar Feature_Toggle_Webex_Call_METRICS
Feature_Toggle_Webex_Hotdesking Feature_Toggle_Webex_Show_Issues
[choice: all]
BLF_List_Feature_Options
= Http|Https
Enable_Protocol
= Disabled|Enabled
FIPS_Mode Firewall Broadcast_Echo Auto_Config Precondition_Support_{line}_
= IPv4 Only|IPv6 Only|Dual Mode
IP_Mode
= DHCP|Static IP
Connection_Type IPv6_Connection_Type
= Manual,DHCP|Manual|DHCP,Manual
DNS_Server_Order
= Parallel|Sequential
DNS_Query_Mode
= AUTO|10 HALF|10 FULL|100 HALF|100 FULL|1000 FULL
Switch_Port_Config PC_Port_Config
= None|$MA|$MAU|$MAC|$SN
Syslog_Identifier
= EMERGENCY|ALERT|CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG
Debug_Level
= Disabled|Basic Http Authentication|XSI Authentication
Profile_Authentication_Type
= PUT|POST
HTTP_Report_Method
= On Request|On Local Change|Periodically
Report_To_Server
= POST|PUT
PRT_Upload_Method
= PAID-RPID-FROM|PAID-FROM|RPID-PAID-FROM|RPID-FROM|FROM
Caller_ID_Header
= none|gzip
Sip_Accept_Encoding
= IPv4|IPv6
SIP_IP_Preference
= IPv4|IPv6|Auto
SDP_IP_Preference
= UDP|TCP|TLS|AUTO
SIP_Transport_{line}_
= None|No|Yes|Follow silence supp setting
Set_G729_annexb_{line}_
= Disabled|none|header|session|user|id
Privacy_Header_{line}_
= No Ring|1-14
Default_Ring_{line}_
= Optional|Required|Strict
Secure_Call_Option_{line}_
= Normal|Based on SRV Port
Proxy_Redundancy_Method_{line}_
= Login Credentials|SIP Credentials
XSI_Authentication_Type_{line}_ XSI_Authentication_Type
= G711u|G711a|G729a|G722|G722.2|iLBC|iSAC|OPUS
Preferred_Codec_{line}_
= Unspecified|G711u|G711a|G729a|G722|G722.2|iLBC|iSAC|OPUS
Second_Preferred_Codec_{line}_ Third_Preferred_Codec_{line}_
= InBand|AVT|INFO|Auto|InBand+INFO|AVT+INFO
DTMF_Tx_Method_{line}_
= Default|List All
Codec_Negotiation_{line}_
= AES 128|AES 256 GCM
Encryption_Method_{line}_
= 1-16|Disabled
Extension_{n}_
= private|shared
Share_Call_Appearance_{n}_
= Horizontal First|Vertical First
Line_ID_Mapping
= None|Simple|DIGEST-MD5
LDAP_Auth_Method
= Phone|Server|XSI Server|Webex
Display_Recents_From@11.3(6)
= GMT-12:00|GMT-11:00|GMT-10:00|GMT-09:00|GMT-08:00|GMT-07:00|GMT-06:00|GMT-05:00|GMT-04:00|GMT-03:30|
+ GMT-03:00|GMT-02:00|GMT-01:00|GMT|GMT+01:00|GMT+02:00|GMT+03:00|GMT+03:30|GMT+04:00|GMT+04:30|GMT+05:00|
+ GMT+05:30|GMT+05:45|GMT+06:00|GMT+06:30|GMT+07:00|GMT+08:00|GMT+09:00|GMT+09:30|GMT+10:00|GMT+11:00|
+ GMT+12:00|GMT+13:00|GMT+14:00
Time_Zone
= 12hr|24hr
Time_Format
= month/day|day/month
Date_Format
= No Ring|1|2|3|4|5|6|7|8|9|10|11|12
Hold_Reminder_Ring
= Name|Ext|Both
BLF_Label_Display_Mode
= Broadsoft|Asterisk|RFC3265_4235|Sylantro
Server_Type
[choice: 6800?]
Custom_LED_Type
[choice: 6800|7800|8800]
Preferred_Audio_Device
= TLS 1.0|TLS 1.1|TLS 1.2|TLS 1.3
TLS_Client_Min_Version@12.0(2)
= TLS 1.1|TLS 1.2|TLS 1.3
TLS_Server_Min_Version@12.0(7)SR2
= Manufacturing installed|Custom installed
Certificate_Select@12.0(7)
= Auto|Manual|Off
Proxy_Mode@11.3(7)
= Call-Info|Dialog
Share_Line_Event_Package_Type@11.3(5)
= SIPREC|SIPINFO
Call_Recording_Protocol_{line}_
= Sync From Server|Sync From Local
ACD_Status_{line}_
= Phone|Handsfree|Both
Bluetooth_Mode
= Enterprise|Group|Personal|Enterprise Common|Group Common
Directory_Type
= Trusted|Local Credential|Remote Credential
CISCO_XML_EXE_Auth_Mode
= Default|Customized|No
Require_Authentication_for_LCD_Menu_Access@11.3(2)
= All Cfwds|Only the Cfwd All
Forward_Softkey@11.3(6)
= Voicemail|Voicemail, Missed Call
Handset_LED_Alert
= Clock|Download Picture|Logo
Screen_Saver_Type
= 1m|5m|30m|Always On
Back_Light_Timer
= Default|Download Picture|Logo|Text
Boot_Display
= Default|Download Picture|Logo
Phone_Background
[choice: 6800|7800|8800?]
PoE_Power_Required
[choice: 6800|9800?]
= TIA|ETSI|HAC
Compliant_Standard
= Show|Hide
BLF_List
[choice: 6861]
= WLAN|WPS
Phone-wifi-type
[choice: 6861|8861|9861|9871?|8875?]
= Auto|EAP-FAST|PEAP-GTC|PEAP-MSCHAPV2|PSK|WEP|None|EAP-PEAP|EAP-TLS
Security_Mode_{n}_
= Auto|2.4 GHz|5 GHz
Frequency_Band_{n}_
[choice: 6871|8800 except 8832]
= Default|Executive|Assistant
Executive_Assistant_Role
[choice: 7800|8800]
= Classic|WxC
Trans_Auth_Type@11.3(5)
[choice: 8800?]
Logo_Type Background_Picture_Type
= 20|30
Set_iLBC_mode_{line}_
[choice: 8832]
= Enabled|Disabled
LED_Indicator_In_Display_Off_Mode@12.0(7)
[choice: 8832?]
= Regular|Large
Font_Size@12.0(7)
[choice: 8832|9800]
= True|False
Office_Hours_Enabled@12.0(7)
= Slowest|Slower|Normal|Faster|Fastest
Voice_Feedback_Speed@12.0(7)
= Lowest|Low|Normal|High|Highest
Voice_Feedback_Volume@12.0(7)
[choice: 8851|8861|8865|9800]
= 1-16|Disabled
Unit_{n}_Extension_{m}_@12.0(3)
[choice: 8851|8861|8865|9800?]
= private|shared
Unit_{n}_Share_Call_Appearance_{m}_@12.0(3)
[choice: 9800?]
KEM_Type
= TLS 1.1|TLS 1.2
TLS_Min_Version
= Original|Noise removal|Optimize for my voice
Microphone_Audio
= Original|Optimize for voice
Incoming_Audio
= Emergency Call|Off
Action_Button_Function
= Single Press|Long Press|Press 3 times
Service_Trigger
= Enabled|Disabled
Silent_Emergency_Call
= False|Non-work Day Only|All Days
Deep_Sleep_Enabled
= False|True
Enable_Audible_Alert
= Catalan|Chinese|Chinese_HongKong|Chinese_Taiwan|Czech|Danish|Dutch|English|English-US|Finnish|French|
+ French_Canada|German|Greek_Greece|Hungarian|Italian|Japanese|Korean|Norwegian|Polish|Portuguese|
+ Portuguese_Brazil|Russian|Spanish|Spanish_Colombia|Swedish|Turkish|Ukrainian
Phone_Language
= Voicemail|Voicemail, Missed Call
Phone_LED_Alert
= Cyan Dark|Purple Dark|Blue Dark|Violet Dark|Blue Light|Violet Light
Appearance
[int: all]
Prefix_Length Max_Redirection Max_RTP_ICMP_Err G722.2_Dynamic_Payload iLBC_Dynamic_Payload iSAC_Dynamic_Payload
OPUS_Dynamic_Payload INFOREQ_Dynamic_Payload
= 1-65535
Web_Server_Port
= 0-4095
VLAN_ID PC_Port_VLAN_ID
= 128-149|151-158|161-254
DHCP_VLAN_Option
= 0-65535
Resync_Random_Delay SIP_TCP_Port_Min SIP_TCP_Port_Max EXT_RTP_Port_Min SIP_Port_{line}_ EXT_SIP_Port_{line}_
= 15-1440
PRT_Max_Timer
= 1-255
Max_Forward
= 0-255
Max_Auth
= 2048-49151
RTP_Port_Min RTP_Port_Max
= 96-127
AVT_Dynamic_Payload AVT_16kHz_Dynamic_Payload AVT_48kHz_Dynamic_Payload
= 1-10
Call_Appearances_Per_Line CallLog_Associated_Line
= 50-999
Max_Display_Records
= 0-15
Ringer_Volume Speaker_Volume Handset_Volume Headset_Volume
= 4-15
Display_Brightness
[int: 6800?]
LCD_Contrast
[int: 6800|7800|8800]
Session_Timer_m_
= 0-65535
Proxy_Port@11.3(7) XMPP_Port
= 1-16
Line
[int: 6800|9800?]
G722.2_OA_Dynamic_Payload iLBC_30ms_Dynamic_Payload
[int: 6851|8851|8861|8865|9800]
= 0-3
Number_of_Units
[int: 8800?]
Inactivity_Timer_m_
[int: 8800|9800?]
Bluetooth_Volume Attendant_Console_LCD_Brightness
[int: 8832]
= 100-2000
Key_Again_Reset_Time@12.0(7) Key_Double_Press_Time@12.0(7) Key_Triple_Press_Time@12.0(7)
[int: 8832|9800]
= 1-60
Display_Off_Idle_Timeout__mins_@12.0(7)
[int: 8845|8865]
H264_BP0_Dynamic_Payload H264_HP_Dynamic_Payload
[int: 9800?]
RSFEC_Dynamic_Payload Host_Guest_Status_{line}_ Phone_On_Time_Before_Working_Hour_Start__mins_
Phone_Off_Time_After_Working_Hour_End__mins_ Idle_Timeout__mins_
[seconds: all]
Session_Max_Timeout Session_Idle_Timeout SIP_T1 Reg_Retry_Long_Intvl Reg_Retry_Long_Random_Delay Sub_Retry_Intvl
RTP_Packet_Size SIP_Timer_B SIP_Timer_H SIP_Timer_D SIP_Timer_J Reg_Min_Expires Reg_Max_Expires Sub_Min_Expires
Sub_Max_Expires VQ_Report_Interval_{line}_ Voice_Mail_Subscribe_Interval_{line}_ Silent_Ring_Duration
Interdigit_Long_Timer Interdigit_Short_Timer Cfwd_No_Ans_Delay Hold_Reminder_Timer Subscribe_Expires
Subscribe_Retry_Interval Subscribe_Delay
= 600-65535
Resync_At_Random_Delay
= 0-65535
Forced_Resync_Delay NAT_Keep_Alive_Intvl Referor_Bye_Delay_{line}_ Referee_Bye_Delay_{line}_
Refer_Target_Bye_Delay_{line}_ Proxy_Fallback_Intvl_{line}_
= 600-259200
Periodic_Upload_To_Server
= 10-900
Upload_Delay_On_Local_Change
= 0-64
SIP_T2 SIP_T4 SIP_Timer_F
= 0-2000000
INVITE_Expires ReINVITE_Expires
= 1-2147483647
Reg_Retry_Intvl
= 0-2147483647
Reg_Retry_Random_Delay Reg_Retry_Intvl_Cap
= 0-255
RTCP_Tx_Interval Reorder_Delay
= 10-65535
Subscription_Expires_{line}_
= 10-86400
Hoteling_Subscription_Expires_{line}_
= 32-2000000
Register_Expires_{line}_
[seconds: 6800|7800|8800]
Periodic_Inform_Interval
= 1-300
Network_Startup_Delay
= 0-65535
Survivability_Proxy_Fallback_Intvl_{line}_
= 30-65000
Screen_Saver_Wait
[seconds: 6800|7800|8800?]
XMPP_Retry_Interval Screen_Saver_Refresh_Period
[seconds: 6800|8800?]
Countdown_Timer_s_
[seconds: 9800?]
User_Preferred_OffHook_Timer Dial_Out_Delay
[seconds-list: all]
Resync_Periodic Resync_Error_Retry_Delay Upgrade_Error_Retry_Delay
[seconds-list: 7800|8800]
Transition_Authorization_Error_Retry_Delay@12.0(2)
[time: all]
= HHmm
Resync_At__HHmm_
[time: 8800|9800?]
= HH:mm
Set_Local_Time__HH_mm_
[time: 8832|9800]
= HH:mm
Working_Hours_Start@12.0(7) Working_Hours_End@12.0(7)
[ip: all]
= IPv4
Static_IP NetMask Gateway Primary_DNS Secondary_DNS EXT_IP
= IPv6
IPv6_Static_IP IPv6_Gateway IPv6_Primary_DNS IPv6_Secondary_DNS
[host: all]
Host_Name Domain Syslog_Server Primary_NTP_Server Secondary_NTP_Server Peer_Firmware_Sharing_Log_Server
STUN_Server Voice_Quality_Report_Address_{line}_ Proxy_{line}_ Outbound_Proxy_{line}_ Alternate_Proxy_{line}_
Alternate_Outbound_Proxy_{line}_ XSI_Host_Server_{line}_ Voice_Mail_Server_{line}_ XSI_Host_Server LDAP_Server
[host: 6800|7800|8800]
Proxy_Host@11.3(7) Survivability_Proxy_{line}_ XMPP_Server
[host: 6800|7800|8800 except 6821, 7832, 8832]
VPN_Server@11.3(7)
[url: all]
Custom_CA_Rule PRT_Upload_Rule Primary_Request_URL_{line}_ Secondary_Request_URL_{line}_ Control_Server_URL
[url: 6800?]
Page_Service_URL
[url: 6800|7800|8800]
CDC_Server_{n}_@12.0(7) PAC_URL@11.3(7) MIC_Cert_Refresh_Rule@11.3(5) ACS_URL ACS_URL_In_Use
Connection_Request_URL BACKUP_ACS_URL XML_Directory_Service_URL XML_Application_Service_URL Picture_Download_URL
Logo_URL
[url: 7800|8800]
Trans_Auth_Rule@11.3(5)
[url: 9800?]
Locale_Path
[rule: all]
Resync_Trigger_{n} Profile_Rule Profile_Rule_B Profile_Rule_C Profile_Rule_D Report_Rule Upgrade_Rule
[rule: 6800|7800|8800?]
Cisco_Headset_Upgrade_Rule
[text: all]
Restricted_Access_Domains TLS_Cipher_List Firewall_Config Asset_ID Disable_DF DHCP_Option_To_Use
DHCPv6_Option_To_Use Log_Request_Msg Log_Success_Msg Log_Failure_Msg Log_Upgrade_Request_Msg
Log_Upgrade_Success_Msg Log_Upgrade_Failure_Msg HTTP_User_Agent_Name PRT_Name PRT_HTTP_Header
PRT_HTTP_Header_Value GPP_A GPP_B GPP_C GPP_D GPP_E GPP_F GPP_G GPP_H GPP_I GPP_J GPP_K GPP_L GPP_M GPP_N GPP_O
GPP_P SIP_User_Agent_Name SIP_Server_Name SIP_Reg_User_Agent_Name SIP_Accept_Language DTMF_Relay_MIME_Type
Hook_Flash_MIME_Type Try_Backup_RSC Retry_Reg_RSC iSAC_Codec_Name G711u_Codec_Name G711a_Codec_Name
G729a_Codec_Name G722_Codec_Name G722.2_Codec_Name iLBC_Codec_Name OPUS_Codec_Name AVT_Codec_Name
Shared_User_ID_{line}_ NAT_Keep_Alive_Msg_{line}_ NAT_Keep_Alive_Dest_{line}_ SIP_TOS_DiffServ_Value_{line}_
RTP_TOS_DiffServ_Value_{line}_ SIP_Proxy-Require_{line}_ Voice_Quality_Report_Group_{line}_
Conference_Bridge_URL_{line}_ Display_Name_{line}_ User_ID_{line}_ Auth_ID_{line}_ SIP_URI_{line}_
Login_User_ID_{line}_ Dial_Plan_{line}_ Emergency_Number_{line}_ Auth_Page_Realm_{line}_ Mailbox_ID_{line}_
Reversed_Auth_Realm_{line}_ Caller_ID_Map_{line}_ Short_Name_{n}_ Extended_Function_{n}_ Station_Name
Station_Display_Name Voice_Mail_Number Ring{n} Login_User_ID SIP_Auth_ID Directory_Name LDAP_Search_Base
LDAP_Client_DN LDAP_Username LDAP_Last_Name_Filter LDAP_First_Name_Filter LDAP_Search_Item_{n}
LDAP_Item_{n}_Filter LDAP_Display_Attrs LDAP_Number_Mapping PSK_{n} Idle_Key_List Connected_Meeting_Key_List
Off_Hook_Key_List Dialing_Input_Key_List Progressing_Key_List Connected_Key_List Start-Xfer_Key_List
Start-Conf_Key_List Conferencing_Key_List Releasing_Key_List Hold_Key_List Ringing_Key_List
Shared_Active_Key_List Shared_Held_Key_List Webex_Directory_Name@11.3(6) Time_Offset__HH_mm_
Daylight_Saving_Time_Rule Dictionary_Server_Script Cfwd_All_Act_Code Cfwd_All_Deact_Code Block_ANC_Act_Code
Block_ANC_Deact_Code CW_Act_Code CW_Deact_Code CW_Per_Call_Act_Code CW_Per_Call_Deact_Code DND_Act_Code
DND_Deact_Code Call_Park_Code Call_Pickup_Code Call_Unpark_Code Group_Call_Pickup_Code Dial_Tone
Outside_Dial_Tone Prompt_Tone Busy_Tone Reorder_Tone Off_Hook_Warning_Tone Ring_Back_Tone Call_Waiting_Tone
Confirm_Tone MWI_Dial_Tone Cfwd_Dial_Tone Holding_Tone Conference_Tone Secure_Call_Indication_Tone Page_Tone
Alert_Tone System_Beep Call_Pickup_Tone Cadence_{n} Call_Return_Code Blind_Transfer_Code Cfwd_Busy_Act_Code
Cfwd_Busy_Deact_Code Cfwd_No_Ans_Act_Code Cfwd_No_Ans_Deact_Code Block_CID_Act_Code Block_CID_Deact_Code
Block_CID_Per_Call_Act_Code Block_CID_Per_Call_Deact_Code Secure_All_Call_Act_Code Secure_No_Call_Act_Code
Secure_One_Call_Act_Code Secure_One_Call_Deact_Code Referral_Services_Codes Feature_Dial_Services_Codes
Prefer_G711u_Code Force_G711u_Code Prefer_G711a_Code Force_G711a_Code Prefer_G722_Code Force_G722_Code
Prefer_G722.2_Code Force_G722.2_Code Prefer_G729a_Code Force_G729a_Code Prefer_iLBC_Code Force_iLBC_Code
Prefer_OPUS_Code Force_OPUS_Code Cfwd_All_Dest Cfwd_Busy_Dest Cfwd_No_Ans_Dest Speed_Dial_{n}_Name
Speed_Dial_{n}_Number BLF_List_URI Customizable_PLK_Options
= <=128
Company_UUID_{line}_
= <=63
LDAP_Corp_Dir_Name
[text: 6800?]
Serviceability_Map Preferred_Password_Input_Mode ACD_Available_LED ACD_Unavailable_LED ACD_Wrap-up_LED
Application_LED BLF_Busy_LED BLF_Held_LED BLF_Idle_LED BLF_Ringing_LED Disabled_LED Divert_On_LED Idle_LED
Local_Active_LED Local_Held_LED Local_Progressing_LED Local_Ringing_LED Local_Seized_LED MWI_New_LED
MWI_None_LED MWI_Urgent_LED Parking_Lot_Busy_LED Parking_Lot_Idle_LED Register_Failed_LED Registering_LED
Remote_Active_LED Remote_Held_LED Remote_Progressing_LED Remote_Ringing_LED Remote_Seized_LED
Remote_Undefined_LED Serv_Subscribe_Failed_LED Serv_Subscribing_LED
[text: 6800|7800|8800]
CDC_Root_CA_Fingerprint_{n}_@12.0(7) Proxy_Username@11.3(7) ACS_Username Connection_Request_Username
BACKUP_ACS_User XsiDir_Personal_Name XsiDir_Group_Name XsiDir_Enterprise_Name XsiDir_GroupCommon_Name
XsiDir_EnterpriseCommon_Name XMPP_User_ID XML_Application_Service_Name XML_User_Name Group_{n}_Paging_Script
Broadsoft_Call_History_Key_List Allowed_APIs
= <=64
Device_Config_Version
[text: 6800|7800|8800 except 6821, 7832, 8832]
= <=31
VPN_User_Name@11.3(7) VPN_Tunnel_Group@11.3(7)
[text: 6800|7800|8800 except 7832, 8832]
ACD_Logged-on_LED ACD_Logged-off_LED Call_Forward_On_LED Call_Forward_Off_LED Divert_Off_LED DND_On_LED
DND_Off_LED
[text: 6800|7800|8800?]
Downgrade_Rev_Limit XML_Directory_Service_Name Missed_Call_Key_List Language_Selection Locale Paging_Code
Text_Logo
[text: 6800|8800?]
EM_User_Domain Service_Annc_Base_Number Service_Annc_Extension_Codes
[text: 6851|8851|8861|8865|9800]
Unit_{n}_Key_{m}_
[text: 6861|8861|9861|9871?|8875?]
Network_Name_{n}_
= <=32
Wi-Fi_User_ID_{n}_
[text: 8800]
Text_Display
[text: 8800?]
G729b_Codec_Name Directory_User_ID Group_Paging_Script
[text: 8800|9800?]
Set_Local_Date__mm_dd_yyyy_ Prefer_ISAC_Code Force_ISAC_Code
[text: 8832|9800]
Work_Days@12.0(7)
[text: 8851|8861|8865|9800]
Unit_{n}_Short_Name_{m}_@12.0(3)
[text: 9800?]
Custom_Menu_Name Quick_Number_{n}_Number Quick_Number_{n}_Name Action_Button_Service_Destination Mute_Tone
Unmute_Tone Locale_Ver Unit_{n}_Line_Label_{m}_
[password: all]
Admin_Password! User_Password! Password_{line}_! Login_Password_{line}_! Login_Password! SIP_Password!
LDAP_Password!
[password: 6800|7800|8800]
CDC_Challenge_Password_{n}_!@12.0(7) Proxy_Password!@11.3(7) GPP_SA! GPP_SB! GPP_SC! GPP_SD!
IKM_HTTP_Encrypt_Content! ACS_Password! Connection_Request_Password! BACKUP_ACS_Password! XMPP_Password!
XML_Password!
[password: 6800|7800|8800 except 6821, 7832, 8832]
= <=31
VPN_Password!@11.3(7)
[password: 6861|8861]
= <=32
WEP_Key_{n}_!
[password: 6861|8861|9861|9871?|8875?]
PSK_Passphrase_{n}_!
= <=64
Wi-Fi_Password_{n}_!
[password: 8800?]
Directory_Password!
[password: 8800|9800?]
Auth_Page_Password_{line}_!
"""
