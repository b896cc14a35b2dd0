"""netprov: network discovery bundle for staging LANs of Cisco multiplatform (MPP) IP phones.

The map, in reading order (a test keeps it complete). Ground:

    errors                   the whole error tree, and the located problem
    wire                     Reader and Writer: bounds-checked cursors
    machine                  Endpoint, Datagram, Machine: the contract between cores and pumps

What the operator writes:

    inventory                one YAML file, in the operator's words
    inventory.model          its data model
    inventory.model.scalar   MAC addresses, names, ranges, durations
    inventory.model.network  networks
    inventory.model.dhcp     how DHCP serves
    inventory.model.dns      hosts, SRV, records
    inventory.model.phone    classes, phones
    inventory.model.provision  profiles, static files, how the servers behave
    inventory.model.lab      the virtual LAN to try it on
    inventory.model.acs      the TR-069 ACS
    inventory.model.metrics  where metrics are given
    inventory.model.site     the server, its certificates
    inventory.source         files as text: size, UTF-8, control characters
    inventory.core_schema    plain scalars by YAML 1.2
    inventory.flow           values as YAML on one line
    inventory.mark           where a value was written, packed
    inventory.syntax         the YAML parser's objections in plain words
    inventory.compose        YAML document -> values and marks
    inventory.schema         the model as JSON Schema and as reference
    inventory.words          the model's objections in plain words
    inventory.ignore         comments by which a finding is accepted
    inventory.master         DNS master files that the inventory names
    inventory.template       the template files that profiles name
    inventory.sheet          phones of a CSV file
    inventory.gather         the files that one inventory is made of
    inventory.load           files -> Document: inventory and places
    inventory.convert        other servers' configurations, read into a draft
    inventory.convert.draft  the draft, what was not carried over
    inventory.convert.option options as other servers write them
    inventory.convert.dnsmasq  dnsmasq.conf
    inventory.convert.dhcpd  ISC dhcpd.conf
    inventory.convert.kea    kea-dhcp4.conf
    inventory.convert.listing  CSV lists, Ansible inventories

What follows from it:

    plan                     inventory -> Plan
    plan.site                the inventory with every default decided
    plan.domain              the domains of a site
    plan.dns                 which zones the site serves
    plan.pki                 which certificates the site needs
    plan.dhcp                networks, classes, phones and their options in octets
    plan.offer               what a client would get
    plan.provision           the provisioning servers' part
    plan.layer               what phones share: parameters, policies
    plan.phone               the emulated twins of the listed phones
    plan.metrics             where metrics are given
    plan.cwmp                where the ACS listens, and what each phone gets from it

Every reason a phone would not provision:

    check                    the table of rules, and their run
    check.rule               what a rule is, finds and looks at
    check.loading            why a file cannot be loaded
    check.network            rules about networks
    check.pool               rules about pools and leases
    check.phone              rules about phones and classes
    check.method             rules about discovery methods
    check.acs                rules about the TR-069 ACS
    check.srv                rules about SRV records and the domain
    check.name               rules about names
    check.zone               rules about zones, which the plan applies
    check.certificate        rules about certificates and trust
    check.presented          rules about the chains that hosts present
    check.option             rules about DHCP options
    check.profile            rules about profile parameters
    check.directive          rules about Profile_Rule, Upgrade_Rule and their like
    check.file               rules about firmware, directories, paths

The cores, one folder a protocol; DHCP:

    dhcp                     DHCP for IPv4
    dhcp.name                DNS names inside options
    dhcp.kind                the kinds of value that options hold
    dhcp.vendor              options 43, 125, 124 and 82: options inside options
    dhcp.options             the table of options
    dhcp.message             the message
    dhcp.match               which clients a class takes
    dhcp.config              what the server serves
    dhcp.contents            what one client gets
    dhcp.lease               a lease, and what happens to it
    dhcp.pool                the free addresses of some ranges
    dhcp.leases              the lease table of one network
    dhcp.limit               how many messages are looked at
    dhcp.relay               what relay agents say
    dhcp.reply               replies: what they hold, where they go
    dhcp.intake              from a request to what is needed to answer it
    dhcp.probe               offers that wait for a conflict check
    dhcp.other               other servers, as clients name them
    dhcp.server              the server machine
    dhcp.lease_file          leases as other servers keep them
    dhcp.remark              what is odd about an option
    dhcp.client_event        what happens to a client
    dhcp.client              the client machine

DNS:

    dns                      authoritative answers, transfers, forwarding, a stub
    dns.name                 domain names
    dns.rrtype               the registry of record types
    dns.rdata                record data: text, wire
    dns.zone                 a frozen zone
    dns.master               master files
    dns.query                a query as received
    dns.lookup               the server's algorithm: what the zones say
    dns.compose              the message under construction
    dns.quick                the short way for plain queries
    dns.journal              what changed between versions of a zone
    dns.transfer             zone transfers
    dns.tsig                 transaction signatures
    dns.cookie               cookies
    dns.rate                 response rate limiting
    dns.notifier             NOTIFY to secondaries
    dns.manner               how a server answers, and whom
    dns.answer               the responder
    dns.cache                whole replies by their queries
    dns.lease_name           names of leases in the zones
    dns.forward              what a forwarder does to messages
    dns.config               what a DNS server is told
    dns.stub                 a stub resolver
    dns.service              the names of the provisioning services
    dns.order                the order in which SRV targets are tried

Certificates:

    pki                      a local authority, chains, what a phone makes of them
    pki.names                which names a certificate stands for
    pki.request              what is to be certified
    pki.chain                what a certificate says
    pki.verify               why a phone would refuse a chain
    pki.issue                making certificates
    pki.bundle               a key with its chain; PKCS#12
    pki.revocation           revocation lists
    pki.renewal              when to issue again
    pki.authority            what the local CA does next
    pki.disk                 private files, replaced whole
    pki.store                the authority and its chains in the state directory

TFTP:

    tftp                     both roles
    tftp.packet              requests, blocks, acknowledgements, errors, options
    tftp.transfer            what both ends share: source, limits, negotiation, timer
    tftp.sender              the server's end of a read
    tftp.netascii            its text mode
    tftp.download            the client's end of a read

Profiles:

    provision                what a phone may ask for and what it gets
    provision.macro          $MA, $PSN … expanded, and read back from paths
    provision.profile        flat-profile XML from layers of parameters, and its parser
    provision.config         what the servers serve: sockets, phones, paths
    provision.asker          who asks: address, certificate, User-Agent
    provision.crypto         AES-256-CBC as openssl writes it, aes128gcm of RFC 8188
    provision.secret         keys and passwords, kept apart or derived
    provision.auth           Basic and Digest
    provision.answer         what the catalog answers
    provision.guard          a phone's own profile, encrypted and locked
    provision.report         what phones send back
    provision.template       templates in profiles
    provision.compose        what a phone is sent: layers merged, templates rendered, the way to HTTPS
    provision.syslog         syslog messages, and what phones say in them
    provision.standing       what a fact changes in a phone's record
    provision.event          what the servers report
    provision.http           an HTTP request and its reply
    provision.respond        HTTP requests answered from the catalog
    provision.catalog        (protocol, path, who asks) -> content, redirect or refusal

TR-069:

    cwmp                     the CPE WAN Management Protocol, both roles
    cwmp.soap                the SOAP envelope
    cwmp.fault               the fault codes
    cwmp.rpc                 its calls as values
    cwmp.parameter_codec     its calls about parameters to and from XML
    cwmp.codec               its calls to and from XML
    cwmp.parameter           a phone's data model
    cwmp.action              what the phone's side asks of its pump, and reports
    cwmp.method              what the phone's side does when the ACS calls
    cwmp.cpe                 the phone's side of a session
    cwmp.config              what an ACS serves, and to which devices
    cwmp.device              what an ACS knows of a device, and wants of it
    cwmp.acs                 the server's side of a session
    cwmp.auth                HTTP authentication of phones

The phone:

    phone                    what a phone does from power-up to a profile
    phone.identity           models, versions, who a phone is
    phone.url                URLs of rules and options
    phone.condition          conditions of rules
    phone.rules              the grammar of profile, upgrade and report rules
    phone.action             what the road asks, and what can come back
    phone.settings           parameters that steer provisioning
    phone.customization      the customization state, as a table
    phone.handset            what a phone remembers
    phone.ladder             URLs tried for one option value; the order of SRV targets
    phone.source             what each DHCP option says about where to provision from
    phone.http               HTTP/1.1 as a phone speaks it
    phone.auth               answers to HTTP challenges
    phone.fetch              one URL: addresses, redirects, challenges, statuses
    phone.alias              profiles in somebody else's XML
    phone.load               from an answer to applied parameters
    phone.srv                a profile by DNS SRV
    phone.acs                a profile by a TR-069 ACS
    phone.discover           DHCP options, then DNS SRV
    phone.resync             the four profile rules
    phone.upgrade            firmware, stage by stage
    phone.report             what a phone reports
    phone.life               resyncs, retries, upgrades, for ever
    phone.meaning            what a rule means to a phone
    phone.cloud              remote customization and activation codes, with stand-ins
    phone.boot               the road, in the guide's order
    phone.schedule           delays, periods, times of day
    phone.walk               a road walked in memory
    phone.tell               a timeline in words
    phone.verdict            what one fetch came to
    phone.cause              every reason to stay without a profile
    phone.explain            why a phone is not provisioned

What joins cores to the world:

    runtime                  pumps
    runtime.mmsg             datagrams in batches
    runtime.dns              the DNS service
    runtime.dns_udp          its UDP pump
    runtime.dns_tcp          its TCP pump
    runtime.dns_mind         what its pumps answer with
    runtime.dns_forward      its forwarder
    runtime.dns_worker       further processes that answer over UDP
    runtime.dns_ask          one question to one server
    runtime.dns_lease        follows the lease file for names
    runtime.dns_notify       its NOTIFY pump
    runtime.dns_key          its TSIG keys that are kept outside the inventory
    runtime.dns_serial       its serial numbers across restarts
    runtime.clock            the lease clock, which never steps
    runtime.store            leases on disk
    runtime.link             frames, ARP and ping probes, socket filters
    runtime.neighbour        other DHCP servers
    runtime.dhcp_port        the sockets of one interface
    runtime.gather           wakes a pump, not too often
    runtime.pace             lets replies leave a few at a time
    runtime.teller           reports events, of a flood their number
    runtime.dhcp             the DHCP service
    runtime.service          what a running service is to its supervisor
    runtime.supervise        start, reload and stop services together
    runtime.log              one log line an event
    runtime.notify           readiness and life signs for systemd
    runtime.tls              TLS contexts from the certificate store
    runtime.tls_keeper       the certificates of one service, kept current
    runtime.doctor           asks running services as a phone would
    runtime.doctor_patient   whom it asks for
    runtime.doctor_dhcp      an offer, and no lease
    runtime.doctor_time      what time phones are told
    runtime.doctor_road      from a lease to a profile, every turning
    runtime.doctor_web       certificates and paths
    runtime.phone            the pump of emulated phones
    runtime.rtnetlink        addresses and routes of one interface
    runtime.phone_cloud      the cloud's stand-ins for labs
    runtime.phone_fleet      many phones from one process
    runtime.phone_dhcp       their leases
    runtime.phone_plan       the world as an inventory promises it
    runtime.phone_record     what the servers noted of a phone, as steps
    runtime.phone_trouble    what a phone calls errors, and its patience
    runtime.phone_fetch      their DNS and TFTP
    runtime.phone_web        their HTTP and HTTPS
    runtime.poll             many sockets behind one descriptor
    runtime.poll_thread      many sockets, in a thread of their own
    runtime.listen           planned sockets, as far as they are on this machine
    runtime.arp              the MAC address behind an IP address, as the kernel knows it
    runtime.sender           the same, or as the leases know it
    runtime.records          device records
    runtime.syslog           the syslog listener
    runtime.catalog          the catalog with its CA and secrets
    runtime.tree             files of static trees
    runtime.tftp             the TFTP server
    runtime.http             the HTTP and HTTPS servers
    runtime.handshake        TLS handshakes under way, and why they fail
    runtime.stream           an accepted connection, plain or TLS
    runtime.metrics          events counted, for Prometheus
    runtime.dhcp_fact        what DHCP's events tell of a client
    runtime.acs_fact         what the ACS's events tell of a phone
    runtime.acs_store        what the ACS knows of its devices, on disk
    runtime.visitor          the open connections of a web server
    runtime.acs              the ACS on the network

Virtual LANs:

    lab                      virtual LANs, and what runs on them
    lab.topology             what a LAN is made of
    lab.wire                 a cable with faults
    lab.kernel               the Linux calls Python lacks
    lab.netns                network namespaces and their links
    lab.process              programs inside a namespace
    lab.lan                  hosts on switches, gone when left
    lab.server               `netprov serve` on a host
    lab.relay                a DHCP relay agent for the LAN's routers
    lab.fleet                phones that boot at once
    lab.trial                an inventory tried on a virtual LAN
    lab.packet               packets of a capture file
    lab.stream               a TCP connection and the HTTP in it
    lab.handshake            what a capture shows of TLS
    lab.dialogue             DNS, TFTP and connections of a phone
    lab.conversation         one connection put into steps
    lab.capture              a capture read as the boots of phones
    lab.enclosure            where everything vanishes with its maker

What people type:

    cli                      the command, one module per verb
    cli.site                 which inventory a verb reads
    cli.surroundings         what `check` looks at on this machine's disk
    cli.findings             findings as text, JSON and SARIF
    cli.check                netprov check
    cli.import_              netprov import
    cli.schema               netprov schema
    cli.render               netprov render
    cli.query                netprov query
    cli.serve                run the services
    cli.cloud                stand in for the cloud
    cli.rule                 explain a rule
    cli.explain              netprov explain
    cli.explain_phone        what a phone will do
    cli.explain_records      what phones did, by the servers' records
    cli.explain_capture      what phones did, by a capture
    cli.explain_story        how a phone's story is printed
    cli.explain_dhcp         what DHCP would answer a client, and why
    cli.decode               what the octets of an option mean
    cli.leases               list, show, release, export leases
    cli.phone                boot emulated phones
    cli.demo                 an inventory on a virtual LAN
    cli.timeline             what emulated phones did, on paper
    cli.table                tables on a terminal, plain lines elsewhere
    cli.cert                 certificates
    cli.cert_desk            what its subcommands work on
    cli.cert_show            certificates as people and programs read them
    cli.cert_own             certificates that come from, or go, elsewhere
    cli.files                `netprov files`
    cli.profile              `netprov profile`
    cli.phones               `netprov phones`
    cli.doctor               ask running services as phones would
"""
