$TTL 1h
@       IN SOA ns1 hostmaster 2024010101 3600 900 604800 300
        IN NS  ns1
        IN A   10.20.0.11
        IN TXT "v=spf1 -all"
ns1     IN A   10.20.0.2
pr1     IN A   10.20.0.11
prov    IN CNAME pr1
www     IN CNAME www.example.net.
_ciscoprov-https._tls 300 IN SRV 10 20 443 pr1
_sip._udp IN SRV 0 0 5060 pr1
*.lab   IN A   10.20.0.99
