"""Every kind of CWMP message once: (name, message, its XML below soap:Body, as the schema orders it)."""

from __future__ import annotations

from netprov.cwmp import rpc

PHONE = rpc.DeviceId("Cisco", "001234", "CP-8851-3PCC", "001234ab45de")

CASES: list[tuple[str, rpc.Rpc, str]] = [
    (
        "Inform",
        rpc.Inform(
            PHONE,
            (rpc.EventCode("0 BOOTSTRAP"), rpc.EventCode("M Download", "k1")),
            (
                rpc.ParameterValue("Device.DeviceInfo.SoftwareVersion", "11.3 <1> & more"),
                rpc.ParameterValue("Device.ManagementServer.PeriodicInformInterval", "20", "xsd:unsignedInt"),
            ),
            "2026-11-22T21:00:00Z",
            3,
        ),
        (
            "<cwmp:Inform><DeviceId><Manufacturer>Cisco</Manufacturer><OUI>001234</OUI>"
            "<ProductClass>CP-8851-3PCC</ProductClass><SerialNumber>001234ab45de</SerialNumber></DeviceId>"
            '<Event soapenc:arrayType="cwmp:EventStruct[2]"><EventStruct><EventCode>0 BOOTSTRAP</EventCode>'
            "<CommandKey /></EventStruct><EventStruct><EventCode>M Download</EventCode><CommandKey>k1</CommandKey>"
            "</EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-11-22T21:00:00Z</CurrentTime>"
            '<RetryCount>3</RetryCount><ParameterList soapenc:arrayType="cwmp:ParameterValueStruct[2]">'
            "<ParameterValueStruct><Name>Device.DeviceInfo.SoftwareVersion</Name>"
            '<Value xsi:type="xsd:string">11.3 &lt;1&gt; &amp; more</Value></ParameterValueStruct>'
            "<ParameterValueStruct><Name>Device.ManagementServer.PeriodicInformInterval</Name>"
            '<Value xsi:type="xsd:unsignedInt">20</Value></ParameterValueStruct></ParameterList></cwmp:Inform>'
        ),
    ),
    (
        "InformResponse",
        rpc.InformResponse(),
        "<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>",
    ),
    ("GetRPCMethods", rpc.GetRPCMethods(), "<cwmp:GetRPCMethods />"),
    (
        "GetRPCMethodsResponse",
        rpc.GetRPCMethodsResponse(("Inform", "TransferComplete")),
        (
            '<cwmp:GetRPCMethodsResponse><MethodList soapenc:arrayType="xsd:string[2]"><string>Inform</string>'
            "<string>TransferComplete</string></MethodList></cwmp:GetRPCMethodsResponse>"
        ),
    ),
    (
        "GetParameterNames",
        rpc.GetParameterNames("Device.", next_level=True),
        (
            "<cwmp:GetParameterNames><ParameterPath>Device.</ParameterPath><NextLevel>1</NextLevel>"
            "</cwmp:GetParameterNames>"
        ),
    ),
    (
        "GetParameterNamesResponse",
        rpc.GetParameterNamesResponse((("Device.LAN.", False), ("Device.LAN.IPAddress", True))),
        (
            '<cwmp:GetParameterNamesResponse><ParameterList soapenc:arrayType="cwmp:ParameterInfoStruct[2]">'
            "<ParameterInfoStruct><Name>Device.LAN.</Name><Writable>0</Writable></ParameterInfoStruct>"
            "<ParameterInfoStruct><Name>Device.LAN.IPAddress</Name><Writable>1</Writable></ParameterInfoStruct>"
            "</ParameterList></cwmp:GetParameterNamesResponse>"
        ),
    ),
    (
        "GetParameterValues",
        rpc.GetParameterValues(("Device.LAN.", "Device.DeviceSummary")),
        (
            '<cwmp:GetParameterValues><ParameterNames soapenc:arrayType="xsd:string[2]"><string>Device.LAN.</string>'
            "<string>Device.DeviceSummary</string></ParameterNames></cwmp:GetParameterValues>"
        ),
    ),
    (
        "GetParameterValuesResponse",
        rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.LAN.DHCP", "true", "xsd:boolean"),)),
        (
            '<cwmp:GetParameterValuesResponse><ParameterList soapenc:arrayType="cwmp:ParameterValueStruct[1]">'
            '<ParameterValueStruct><Name>Device.LAN.DHCP</Name><Value xsi:type="xsd:boolean">true</Value>'
            "</ParameterValueStruct></ParameterList></cwmp:GetParameterValuesResponse>"
        ),
    ),
    (
        "SetParameterValues",
        rpc.SetParameterValues((rpc.ParameterValue("Device.ManagementServer.URL", " x "),), "key"),
        (
            '<cwmp:SetParameterValues><ParameterList soapenc:arrayType="cwmp:ParameterValueStruct[1]">'
            '<ParameterValueStruct><Name>Device.ManagementServer.URL</Name><Value xsi:type="xsd:string"> x </Value>'
            "</ParameterValueStruct></ParameterList><ParameterKey>key</ParameterKey></cwmp:SetParameterValues>"
        ),
    ),
    (
        "SetParameterValuesResponse",
        rpc.SetParameterValuesResponse(1),
        "<cwmp:SetParameterValuesResponse><Status>1</Status></cwmp:SetParameterValuesResponse>",
    ),
    (
        "GetParameterAttributes",
        rpc.GetParameterAttributes(("Device.LAN.",)),
        (
            '<cwmp:GetParameterAttributes><ParameterNames soapenc:arrayType="xsd:string[1]">'
            "<string>Device.LAN.</string></ParameterNames></cwmp:GetParameterAttributes>"
        ),
    ),
    (
        "GetParameterAttributesResponse",
        rpc.GetParameterAttributesResponse((rpc.Attributes("Device.LAN.IPAddress", 2),)),
        (
            '<cwmp:GetParameterAttributesResponse><ParameterList soapenc:arrayType="cwmp:ParameterAttributeStruct[1]">'
            "<ParameterAttributeStruct><Name>Device.LAN.IPAddress</Name><Notification>2</Notification>"
            '<AccessList soapenc:arrayType="xsd:string[1]"><string>Subscriber</string></AccessList>'
            "</ParameterAttributeStruct></ParameterList></cwmp:GetParameterAttributesResponse>"
        ),
    ),
    (
        "SetParameterAttributes",
        rpc.SetParameterAttributes(
            (rpc.NewAttributes("Device.LAN.", 1), rpc.NewAttributes("Device.X", access=()))
        ),
        (
            '<cwmp:SetParameterAttributes><ParameterList soapenc:arrayType="cwmp:SetParameterAttributesStruct[2]">'
            "<SetParameterAttributesStruct><Name>Device.LAN.</Name><NotificationChange>1</NotificationChange>"
            "<Notification>1</Notification><AccessListChange>0</AccessListChange>"
            '<AccessList soapenc:arrayType="xsd:string[0]" /></SetParameterAttributesStruct>'
            "<SetParameterAttributesStruct><Name>Device.X</Name><NotificationChange>0</NotificationChange>"
            "<Notification>0</Notification><AccessListChange>1</AccessListChange>"
            '<AccessList soapenc:arrayType="xsd:string[0]" /></SetParameterAttributesStruct>'
            "</ParameterList></cwmp:SetParameterAttributes>"
        ),
    ),
    (
        "SetParameterAttributesResponse",
        rpc.SetParameterAttributesResponse(),
        "<cwmp:SetParameterAttributesResponse />",
    ),
    (
        "AddObject",
        rpc.AddObject("Device.X.", "key"),
        "<cwmp:AddObject><ObjectName>Device.X.</ObjectName><ParameterKey>key</ParameterKey></cwmp:AddObject>",
    ),
    (
        "AddObjectResponse",
        rpc.AddObjectResponse(12, 1),
        "<cwmp:AddObjectResponse><InstanceNumber>12</InstanceNumber><Status>1</Status></cwmp:AddObjectResponse>",
    ),
    (
        "DeleteObject",
        rpc.DeleteObject("Device.X.1."),
        "<cwmp:DeleteObject><ObjectName>Device.X.1.</ObjectName><ParameterKey /></cwmp:DeleteObject>",
    ),
    (
        "DeleteObjectResponse",
        rpc.DeleteObjectResponse(0),
        "<cwmp:DeleteObjectResponse><Status>0</Status></cwmp:DeleteObjectResponse>",
    ),
    (
        "Download",
        rpc.Download("k1", rpc.CONFIGURATION, "https://pr1.example.com/a?b&c", "user", "pass", 10, "t", 5),
        (
            "<cwmp:Download><CommandKey>k1</CommandKey><FileType>3 Vendor Configuration File</FileType>"
            "<URL>https://pr1.example.com/a?b&amp;c</URL><Username>user</Username><Password>pass</Password>"
            "<FileSize>10</FileSize><TargetFileName>t</TargetFileName><DelaySeconds>5</DelaySeconds><SuccessURL />"
            "<FailureURL /></cwmp:Download>"
        ),
    ),
    (
        "DownloadResponse",
        rpc.DownloadResponse(),
        (
            "<cwmp:DownloadResponse><Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime>"
            "<CompleteTime>0001-01-01T00:00:00Z</CompleteTime></cwmp:DownloadResponse>"
        ),
    ),
    (
        "TransferComplete",
        rpc.TransferComplete("k1", 9016, "404", "2026-11-22T21:00:00Z", "2026-11-22T21:00:01Z"),
        (
            "<cwmp:TransferComplete><CommandKey>k1</CommandKey><FaultStruct><FaultCode>9016</FaultCode>"
            "<FaultString>404</FaultString></FaultStruct><StartTime>2026-11-22T21:00:00Z</StartTime>"
            "<CompleteTime>2026-11-22T21:00:01Z</CompleteTime></cwmp:TransferComplete>"
        ),
    ),
    ("TransferCompleteResponse", rpc.TransferCompleteResponse(), "<cwmp:TransferCompleteResponse />"),
    ("Reboot", rpc.Reboot("k2"), "<cwmp:Reboot><CommandKey>k2</CommandKey></cwmp:Reboot>"),
    ("RebootResponse", rpc.RebootResponse(), "<cwmp:RebootResponse />"),
    ("FactoryReset", rpc.FactoryReset(), "<cwmp:FactoryReset />"),
    ("FactoryResetResponse", rpc.FactoryResetResponse(), "<cwmp:FactoryResetResponse />"),
    (
        "Fault",
        rpc.Fault(9003, "Invalid arguments", (rpc.ParameterFault("Device.X", 9005, "no such"),)),
        (
            "<soap:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault>"
            "<FaultCode>9003</FaultCode><FaultString>Invalid arguments</FaultString><SetParameterValuesFault>"
            "<ParameterName>Device.X</ParameterName><FaultCode>9005</FaultCode><FaultString>no such</FaultString>"
            "</SetParameterValuesFault></cwmp:Fault></detail></soap:Fault>"
        ),
    ),
]
