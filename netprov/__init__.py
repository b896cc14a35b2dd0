"""netprov: network discovery bundle for staging LANs of Cisco multiplatform (MPP) IP phones.

The map, in reading order (a test keeps it complete).

Ground that everything stands on:

    errors                      the whole error tree, and the located problem
    wire                        Reader and Writer: bounds-checked cursors
    mac                         MAC addresses: every notation read, one written
    machine                     Endpoint, Datagram, Machine: the contract between cores and pumps
    number                      whole numbers in text that others wrote
    hostport                    hosts with ports as text, and the ports of services
    auth_param                  parameters of HTTP challenges and credentials
    cookie                      cookies of HTTP, as a client keeps them for one session
    nonce                       nonces of HTTP Digest, each good once
    rate                        how many messages are looked at
    failure                     how often something may fail, by phone and by sender
    xml                         XML of others, bounded while it is parsed
    text                        text of others: clean where it comes in, visible where it is shown

What the operator writes, one YAML file in the operator's words:

    inventory                   the inventory: its data model, its files, its places
    inventory.model             the data model of one inventory
    inventory.model.scalar      MAC addresses, names, ranges, durations
    inventory.model.network     networks, as the operator describes them
    inventory.model.dhcp        how DHCP serves
    inventory.model.dns         hosts, SRV and other records
    inventory.model.phone       classes and phones
    inventory.model.provision   profiles, static files, how the servers behave
    inventory.model.lab         the virtual LAN to try an inventory on
    inventory.model.acs         the TR-069 ACS, as the operator describes it
    inventory.model.source      where values of profiles come from that are kept elsewhere
    inventory.model.metrics     where metrics are published
    inventory.model.site        the server and its certificates
    inventory.yaml              YAML with places
    inventory.yaml.source       files as text: size, UTF-8, control characters
    inventory.yaml.core_schema  plain scalars by YAML 1.2
    inventory.yaml.flow         values as YAML on one line
    inventory.yaml.mark         where a value was written, packed
    inventory.yaml.syntax       the YAML parser's objections in plain words
    inventory.yaml.compose      YAML documents as values and marks
    inventory.schema            the model as JSON Schema and as reference page
    inventory.foreign           keys of other programs, and what to write instead
    inventory.words             the model's objections in plain words
    inventory.ignore            comments by which a finding is accepted
    inventory.option            every DHCP option as written, and where
    inventory.master            DNS master files that an inventory names
    inventory.template          template files that profiles name
    inventory.sheet             phones listed in a CSV file
    inventory.enrol             phones added to a CSV file
    inventory.gather            the files that one inventory is made of
    inventory.annex             how an inventory comes to name a CSV file of phones
    inventory.load              files read into a Document: inventory and places

Other servers' words, turned into a draft of an inventory:

    convert                     other servers' configurations, read into a draft
    convert.draft               the draft, and what was not carried over
    convert.rule                what another server gives to whom, and what wins
    convert.cell                tags that can meet in one client
    convert.decide              first-match classes that tell clients apart
    convert.outcome             what clients get, and the classes that give it
    convert.classes             the search for first-match classes
    convert.served              whom a network serves
    convert.value               octets of options as an inventory writes them
    convert.arrange             rules as networks and first-match classes
    convert.isc                 the servers of ISC
    convert.isc.condition       conditions of dhcpd and Kea as `match`
    convert.isc.typed           names, types and octets of ISC's options
    convert.isc.dhcpd_syntax    statements of dhcpd.conf
    convert.isc.dhcpd           dhcpd.conf
    convert.isc.kea             kea-dhcp4.conf
    convert.dnsmasq             dnsmasq.conf
    convert.dnsmasq.option      dhcp-option of dnsmasq in octets
    convert.dnsmasq.name        names in a dnsmasq.conf
    convert.dnsmasq.tag         tags of clients in a dnsmasq.conf
    convert.dnsmasq.config      directives of a dnsmasq.conf
    convert.label               labels of phones, as bar-code scanners type them
    convert.phone_list          CSV lists, and what spreadsheets do to them
    convert.ansible             Ansible inventories
    convert.zone                master files, and the zones of a named.conf
    convert.profile             a phone's own profile
    convert.seen                what servers were seen to hand out
    convert.form                which format a file is in

What follows from it: the plan, frozen, in the words of the protocols:

    plan                        the complete answer to "what does each service serve"
    plan.condition              conditions of classes, as the matcher takes them
    plan.site                   the inventory with every default decided
    plan.domain                 the domains of a site
    plan.dns                    the zones that the site serves
    plan.pki                    the certificates that the site needs
    plan.dhcp                   networks, classes, phones and their options in octets
    plan.group                  clients that are treated alike, and the options as written that each gets
    plan.offer                  what a client would get: the DHCP server asked in memory
    plan.reference              what is said of a name that stands for nothing declared
    plan.provision              what the profile servers serve
    plan.source                 the sources of profiles' values
    plan.path                   every path at which profiles are to be had
    plan.layer                  what phones share: parameters, policies
    plan.phone                  emulated twins of the listed phones
    plan.metrics                where metrics are published
    plan.difference             what is different between two plans
    plan.stored                 a plan as one text, for another process
    plan.cwmp                   where the ACS listens, and what each phone gets from it

Every reason a phone would not provision, before it is plugged in:

    check                       the table of rules, and their run
    check.rule                  what a rule is, what it finds, what it looks at
    check.written               rules of profiles, and the phones that take them in different ways
    check.network               rules about networks
    check.pool                  rules about pools and leases
    check.phone                 rules about phones and classes
    check.match                 rules about the conditions of classes
    check.method                rules about discovery methods
    check.acs                   rules about the TR-069 ACS
    check.srv                   rules about SRV records and the domain
    check.name                  rules about names
    check.zone                  rules about zones, which the plan applies
    check.certificate           rules about certificates and trust
    check.presented             rules about the chains that hosts present
    check.option                rules about DHCP options
    check.profile               rules about profile parameters
    check.parameter             rules about names and values of parameters
    check.lint                  profiles from elsewhere
    check.secret                rules about secrets: that they are there, and nobody else's
    check.directive             rules about Profile_Rule, Upgrade_Rule and their like
    check.file                  rules about firmware, directories, paths

The cores, one folder a protocol, without sockets, clocks or disks. DHCP for IPv4:

    dhcp                        DHCP for IPv4, both roles
    dhcp.option                 options
    dhcp.option.kind            the kinds of value that options hold
    dhcp.option.name            DNS names inside options
    dhcp.option.vendor          options 43, 125, 124 and 82: options inside options
    dhcp.option.fqdn            option 81: a client's name in DNS
    dhcp.option.table           the table of options
    dhcp.option.provisioning    the options that lead a phone to a server
    dhcp.option.remark          what is odd about the octets of an option
    dhcp.message                the message
    dhcp.match                  which clients a class takes, known in full or in part
    dhcp.config                 what the server serves
    dhcp.contents               what one client gets
    dhcp.lease                  a lease, and what happens to it
    dhcp.pool                   the free addresses of some ranges
    dhcp.share                  who holds how much of a pool
    dhcp.leases                 the lease table of one network
    dhcp.lease_tables           the lease tables of all networks
    dhcp.relay                  what relay agents say
    dhcp.reply                  replies: what they hold, where they go
    dhcp.intake                 from a request to what is needed to answer it
    dhcp.placement              which of its link's networks a client is given
    dhcp.probe                  offers that wait for a conflict check
    dhcp.other                  other servers, as clients name them or as they answer
    dhcp.quiet                  links on which nothing is offered for a while
    dhcp.server                 the server machine
    dhcp.lease_file             leases as other servers keep them
    dhcp.client_event           what happens to a client
    dhcp.client                 the client machine

DNS:

    dns                         authoritative answers, transfers, forwarding, a stub resolver
    dns.iana                    the registries of DNS
    dns.iana.rrtype             record types by their mnemonics
    dns.iana.rrclass            classes
    dns.iana.rcode              response codes, also those of TSIG
    dns.iana.opcode             kinds of messages
    dns.iana.flag               flags of the header, flags of EDNS
    dns.message                 messages and what they are made of
    dns.message.name            domain names
    dns.message.field           fields of record data as text and as wire
    dns.message.field_security  fields of DNSSEC's records
    dns.message.field_service   fields that say where something is: SVCB, LOC, APL
    dns.message.rdata           record data as text and as wire
    dns.message.query           a query as received
    dns.zone                    zones
    dns.zone.zone               a frozen zone
    dns.zone.generate           one line of a master file that stands for many
    dns.zone.master             master files
    dns.zone.delegation         what a parent says of another zone of ours
    dns.zone.journal            what changed between versions of a zone
    dns.zone.lookup             the server's algorithm: what zones say of a name
    dns.zone.lease_name         names of leases in zones
    dns.server                  from a query to a reply
    dns.server.compose          a message under construction
    dns.server.quick            the short way for plain queries
    dns.server.transfer         zone transfers
    dns.server.tsig             transaction signatures
    dns.server.cookie           DNS cookies
    dns.server.rate             response rate limiting
    dns.server.notifier         NOTIFY to secondaries
    dns.server.policy           how a server answers, and whom
    dns.server.answer           the responder
    dns.server.cache            whole replies by their queries
    dns.forward                 what a forwarder does to messages
    dns.config                  what a DNS server is told
    dns.stub                    a stub resolver
    dns.service                 names of the provisioning services
    dns.order                   the order in which SRV targets are tried

Certificates:

    pki                         a local authority, chains, what a phone makes of them
    pki.names                   which names a certificate stands for
    pki.request                 what is to be certified
    pki.chain                   what a certificate says
    pki.verify                  why a phone would refuse a chain
    pki.issue                   making certificates
    pki.bundle                  a key with its chain; PKCS#12
    pki.revocation              revocation lists
    pki.renewal                 when to issue again
    pki.authority               what the local CA does next
    pki.disk                    private files, replaced whole
    pki.stage                   changes of the files, staged until they are published
    pki.store                   the authority and its chains in the state directory

TFTP:

    tftp                        TFTP, both roles
    tftp.packet                 requests, blocks, acknowledgements, errors, options
    tftp.transfer               what both ends of a transfer share: source, limits, negotiation, timer
    tftp.sender                 the server's end of a read
    tftp.netascii               the text mode
    tftp.download               the client's end of a read

Profiles:

    provision                   what a phone may ask for and what it gets
    provision.firmware          versions of firmware, and the names of loads
    provision.parameter         the parameters of phones
    provision.parameter.table   which there are, by type and series
    provision.parameter.value   which texts are values of a type
    provision.parameter.catalogue which parameter a name means, and which phones know it
    provision.macro             $MA, $PSN … expanded, and read back from paths
    provision.profile           flat-profile XML from layers of parameters, and its parser
    provision.config            what the servers serve: sockets, phones, paths
    provision.requester             who asks: address, certificate, User-Agent
    provision.crypto            AES-256-CBC as openssl writes it, aes128gcm of RFC 8188
    provision.secret            keys and passwords, kept apart or derived
    provision.auth              Basic and Digest
    provision.answer            what the catalog answers
    provision.gate              the gate before profiles and keys
    provision.gate.guard        a phone's own profile, encrypted and locked
    provision.gate.handout      who is given what opens a profile, and how often
    provision.gate.demand       what a class demands of who asks, on every road
    provision.gate.tree         whose a file of a static tree is
    provision.gate.probe        marks of our own probes
    provision.report            what phones send back
    provision.template.field    what templates and sources know of a phone
    provision.source            what an answer of a source must be to be used
    provision.template.limit    what a template may take
    provision.template          templates in profiles
    provision.template.undefined what a template asks for in vain
    provision.compose           what a phone is sent: layers merged, templates rendered, the way to HTTPS
    provision.syslog            syslog messages, and what phones say in them
    provision.standing          what a fact changes in a phone's record
    provision.event             what the servers report
    provision.http              an HTTP request and its reply
    provision.selection         which part of a file answers a request
    provision.respond           HTTP requests answered from the catalog
    provision.catalog           (protocol, path, who asks) -> content, redirect or refusal

TR-069:

    cwmp                        the CPE WAN Management Protocol, both roles
    cwmp.soap                   the SOAP envelope
    cwmp.fault                  the fault codes of CWMP
    cwmp.rpc                    remote procedure calls as values
    cwmp.parameter_codec        calls about parameters, to and from XML
    cwmp.codec                  every other call, to and from XML
    cwmp.objects                objects whose instances come and go
    cwmp.parameter              a phone's data model
    cwmp.action                 what the phone's side asks of its pump, and reports
    cwmp.outstanding            what a phone has still to tell its ACS
    cwmp.method                 what the phone's side does when the ACS calls
    cwmp.cpe                    the phone's side of a session
    cwmp.config                 what an ACS serves, and to which devices
    cwmp.device                 what an ACS knows of a device, and wants of it
    cwmp.transaction            one call that an operator asks of a device, until it has ended
    cwmp.queue                  the calls that have not ended, in the order of each device
    cwmp.connection_request     which device may be asked for a session, where, by which account
    cwmp.session                which session of an ACS a request belongs to
    cwmp.admission              whose Inform is taken in
    cwmp.acs                    the server's side of a session
    cwmp.auth                   HTTP authentication of phones

The phone, the only core that speaks every protocol:

    phone                       what a phone does from power-up to a profile
    phone.rule                  what an operator or a profile can tell a phone to fetch
    phone.rule.conceal          parameters and rules as they may be shown
    phone.rule.refusal          why a phone refuses a rule
    phone.rule.url              URLs of rules and options
    phone.rule.condition        conditions of rules
    phone.rule.grammar          the grammar of profile, upgrade and report rules
    phone.rule.ladder           URLs tried for one option value
    phone.rule.written          a rule before macros and templates are filled in
    phone.action                what the road asks of the world, and what can come back
    phone.handset               what a phone is
    phone.handset.identity      models, serials, who a phone is
    phone.handset.settings      parameters that steer provisioning
    phone.handset.customization the customization state, as a table
    phone.handset.history       what a phone shows of its last resyncs and upgrades
    phone.handset.management    what a phone remembers of its ACS
    phone.handset.memory        what a phone remembers
    phone.handset.flash         what a phone has written down
    phone.handset.schedule      delays, periods, times of day
    phone.source                what each DHCP option says about where to provision from
    phone.fetch                 from a URL to applied parameters
    phone.fetch.http            HTTP/1.1 as a phone speaks it
    phone.fetch.reach           one request to one host, directly or through a proxy
    phone.fetch.pac             PAC files: programs that name proxies
    phone.fetch.proxy           the HTTP proxy that a request goes through
    phone.fetch.auth            answers to HTTP challenges
    phone.fetch.exchange        one URL: addresses, redirects, challenges, statuses
    phone.fetch.alias           profiles in somebody else's XML
    phone.fetch.load            from an answer to applied parameters
    phone.srv                   a profile by DNS SRV
    phone.acs                   TR-069 on the phone
    phone.acs.client            the client that the phone's parameters want
    phone.acs.session           sessions, and what they lead to
    phone.discover              DHCP options, then DNS SRV
    phone.resync                the four profile rules
    phone.upgrade               firmware, stage by stage
    phone.report                what a phone reports
    phone.meaning               what a rule means to a phone
    phone.onboarding            which of Cisco's services phones ask, and their codes
    phone.cloud                 remote customization and activation codes, with stand-ins
    phone.boot                  the road, in the guide's order
    phone.life                  what comes after power-up
    phone.life.input            what happens to a phone from outside
    phone.life.agenda           when each thing is due
    phone.life.live             resyncs, retries, upgrades, reports, for ever
    phone.life.machine          one phone under power
    phone.life.screen           what a phone shows
    phone.life.command          the console's words
    phone.life.form             the form of a phone's web page
    phone.life.page             what a phone answers to HTTP
    phone.life.notify           SIP NOTIFY at the phone
    phone.walk                  a road walked in memory

What is kept on disk, one writer each:

    state                       leases, device records, serials, secrets
    state.clock                 the lease clock, which never steps
    state.lease                 leases on disk
    state.device                device records, read
    state.device_file           device records, written in batches that have bounds
    state.fair_queue            a bounded queue that is fair between sources
    state.dhcp_fact             what DHCP's events tell of a client
    state.acs.fact              what the ACS's events tell of a phone
    state.device_record         what services report of phones, gathered and recorded
    state.space                 room on the disk, and who stops first
    state.reserve               room kept for leases on a disk that others have filled
    state.sqlite                SQLite files, opened private and of a known version
    state.acs.transaction_record a call to a device as it is kept, and without its secrets
    state.acs                   what the ACS keeps
    state.acs.store             an ACS's devices, what is asked of them, what was reported
    state.serial                serial numbers of zones, across restarts
    state.tsig_key              TSIG keys that are kept outside the inventory
    state.catalog               the catalog, with the CA and the secrets that are kept on disk
    state.archive               the state of a server in one encrypted file
    state.place                 where in the state directory things are
    state.hold                  one process a role on a state directory
    state.handout               keys that were given
    state.tree                  files of static trees

What joins cores to the world, each in a few lines (a wing bears the name of its core):

    runtime                     pumps and their supervisor
    runtime.role                what a running service is to its supervisor
    runtime.address             whether an address or an interface is one of this machine's
    runtime.operation           what can be asked of a running process by name
    runtime.refusal             why a socket cannot be bound
    runtime.handover            TCP ports that pass from one role to another in a change
    runtime.transaction         a change of several services together
    runtime.watch               what others change beside the inventory
    runtime.self_check          whether what a process serves answers
    runtime.task                tasks that are begun again when they fail
    runtime.roles               the roles of `netprov serve`, and what plays each
    runtime.leaving             services that end when what is under way is over
    runtime.recent              what happened of late, for those who ask and who watch
    runtime.process             what a running process says of itself, and can be told
    runtime.supervise           start, change and stop services together
    runtime.privilege           root given up, and what is kept
    runtime.log                 one log line an event
    runtime.metrics             events counted, and where the numbers are given
    runtime.metrics_page        what Prometheus reads
    runtime.throttle            events reported one by one, of a flood their number
    runtime.sdnotify            readiness and life signs for systemd
    runtime.net                 sockets and what is on the link
    runtime.net.mmsg            datagrams in batches
    runtime.net.outbox          room in a send buffer for the answers that leave at once
    runtime.net.reach           which hosts a packet reaches at once
    runtime.net.poll            many sockets behind one descriptor
    runtime.net.poll_thread     many sockets, in a thread of their own
    runtime.net.listen          planned sockets, as far as they are on this machine
    runtime.net.inherited       sockets that the service manager has opened
    runtime.net.frame           frames, ARP and ping probes, socket filters
    runtime.net.rtnetlink       addresses and routes of one interface
    runtime.net.interface       the interfaces of this machine
    runtime.net.arp             the MAC address behind an IP address, as the kernel knows it
    runtime.net.sender          the MAC address behind an IP address, as the leases know it
    runtime.net.posted          what phones posted with earlier requests
    runtime.net.known           which addresses are phones', when there is not room for all
    runtime.web                 what every web server here stands on
    runtime.web.tls_layer       TLS between a socket's octets and a protocol's
    runtime.web.stream          an accepted connection, plain or TLS
    runtime.web.peer            whom a connection is from, by its client certificate
    runtime.web.handshake       TLS handshakes under way, and why they fail
    runtime.web.tls             TLS contexts from the certificate store
    runtime.web.second          whether another server presents its certificates already
    runtime.web.tls_keeper      the certificates of one service, kept current
    runtime.web.connection      the open connections of a web server
    runtime.web.excerpt         what a record may tell of a request that was refused
    runtime.web.handler         HTTP by aiohttp, with what it lacks
    runtime.web.head            requests that are a head and nothing else
    runtime.web.door            what is answered at once, and what goes to aiohttp
    runtime.web.body            bodies of requests, bounded one by one and together
    runtime.web.own_head        HEAD asked of a web server by its own process
    runtime.web.file            files sent as answers
    runtime.web.server          an HTTP and HTTPS server on the sockets of one service
    runtime.dhcp                the DHCP wing
    runtime.dhcp.service        the DHCP service
    runtime.dhcp.port           the sockets of one interface
    runtime.dhcp.port_change    which interfaces and addresses are served at
    runtime.dhcp.batch          wakes the service when datagrams have come, not too often
    runtime.dhcp.overload       what is read when more comes than can be answered
    runtime.dhcp.pace           lets replies leave a few at a time
    runtime.dhcp.pins           the table of neighbours, held to the leases
    runtime.dhcp.trouble        what goes wrong for a while, told once
    runtime.dhcp.other_server   other DHCP servers on the link
    runtime.dhcp.look           a look at links for other servers
    runtime.dns                 the DNS wing
    runtime.dns.service         the DNS service
    runtime.dns.serving         what pumps answer with, swapped whole on a reload
    runtime.dns.udp             queries over UDP
    runtime.dns.tcp             queries over TCP
    runtime.dns.forward         queries passed on to another server
    runtime.dns.worker          further processes that answer over UDP
    runtime.dns.lease           follows the leases, for their names
    runtime.dns.notify          NOTIFY over UDP
    runtime.dns.ask             one question to one server
    runtime.source              sources of profiles' values, for whoever serves profiles
    runtime.source.thread       work that blocks
    runtime.source.sql          a database is asked
    runtime.source.url          a URL is asked
    runtime.source.program      a program is asked
    runtime.source.pool         one question for each phone at a time, and what is kept of the answers
    runtime.tftp                the TFTP wing
    runtime.tftp.admission      whose requests are looked at when too many come
    runtime.tftp.text           text in netascii, made once
    runtime.tftp.opener         what a read request is answered with
    runtime.tftp.transfers      the transfers under way
    runtime.tftp.service        the TFTP service
    runtime.provision           the wing of profiles
    runtime.provision.front     answers of one process, and what another has to decide
    runtime.provision.channel   what the processes of the service say to each other
    runtime.provision.worker    the body of a further process
    runtime.provision.pool      further processes: started, changed, replaced, stopped
    runtime.provision.service   the HTTP and HTTPS servers
    runtime.provision.syslog    the syslog listener
    runtime.control             the wing of local control
    runtime.control.message     what goes over a control socket
    runtime.control.place       where the control sockets are
    runtime.control.server      the control socket of one process
    runtime.control.client      asks the processes of a state directory
    runtime.control.reload      a reload of every process as one transaction
    runtime.cwmp                the TR-069 wing
    runtime.cwmp.connection_request asks devices for sessions
    runtime.cwmp.desk           what operators ask of the ACS while it runs
    runtime.cwmp.service        the ACS on the network

The emulated phone's pump:

    emulator                    sockets for the road
    emulator.failure            what a phone calls errors, and how long it waits
    emulator.dhcp               leases of emulated phones
    emulator.fetch              DNS and TFTP as they ask
    emulator.web                HTTP and HTTPS as they ask
    emulator.phone              one emulated phone
    emulator.stay               a phone that lives on
    emulator.flash              what phones keep between runs
    emulator.doors              a living phone's own web page and SIP port
    emulator.console            consoles of living phones on a local socket
    emulator.fleet              many phones from one process
    emulator.cloud              stand-ins for Cisco's cloud in labs

Why a phone is not provisioned: one engine over steps, and where steps come from:

    explain                     from steps to a cause
    explain.verdict             what one fetch came to, by its status
    explain.profile             what the answers of a boot brought, in clear or behind a key
    explain.cause               every reason to stay without a profile
    explain.timeline            steps in words
    explain.option              what the options of a lease have to do with a failure
    explain.lookup              what went wrong in DNS
    explain.session             what was said in a session with an ACS
    explain.engine              the first cause, from the steps of one boot
    explain.stranger            who was seen on the LAN and is not listed
    explain.who                 which phone a text means
    explain.promise             steps from the plan: what an inventory promises
    explain.promise_tls         handshakes as an inventory promises them
    explain.promise_web         file servers as an inventory promises them
    explain.record              steps from the servers' records
    explain.capture             steps from a packet capture
    explain.capture.frame       frames of a pcap or pcapng file, within limits
    explain.capture.client      who is in a capture
    explain.capture.keep        which packets of a capture are kept
    explain.capture.packet      packets of a capture file
    explain.capture.stream      a TCP connection and the HTTP in it
    explain.capture.handshake   what a capture shows of TLS
    explain.capture.dialogue    DNS, TFTP and connections of a phone
    explain.capture.conversation one connection put into steps
    explain.capture.reading     a capture read as the boots of phones

Asks running services as a phone would:

    doctor                      the examination of a running site
    doctor.client               the clients that it asks as
    doctor.dhcp                 an offer, and no lease
    doctor.clock                what time phones are told
    doctor.web                  certificates and paths
    doctor.trip                 a phone's own road, walked from this machine
    doctor.road                 from a lease to a profile, every turning
    doctor.examination          all of it, in order
    doctor.server               what each server of the inventory says for itself
    doctor.agreement            whether they agree, so that one can take over from another

Every reason that any of these gives:

    reason                      what netprov finds wrong, whichever verb says it
    reason.loading              reasons that a file cannot be loaded
    reason.index                every reason by its id, gathered from the code that finds it
    reason.page                 reasons as pages of the documentation

Two servers, asked the same:

    compare                     clients and questions for two servers
    compare.client              whom servers are compared for
    compare.answer              questions, and answers in comparable form
    compare.judge               where answers differ, and what explains it
    compare.dhcp                conversations of many clients
    compare.link                sockets to DHCP servers
    compare.dns                 names, types and transports
    compare.web                 paths, by TFTP, HTTP and HTTPS
    compare.report              a comparison for people, JSON and JUnit

What another plan would change:

    diff                        everything that clients would see differently
    diff.seen                   one thing seen differently, and likes of it
    diff.dhcp                   what clients are offered
    diff.dns                    sets of records
    diff.listener               sockets that come and go
    diff.certificate            what certificates say
    diff.profile                parameters of each phone, files for everybody
    diff.told                   a difference as lines for people
    diff.acs                    what devices are made to do

Other servers' configurations, from the plan:

    export                      configurations of other servers
    export.written              files, and what they cannot hold
    export.kea_machine          files, sockets and partner of a Kea server
    export.kea_test             conditions as Kea writes them
    export.kea                  kea-dhcp4.conf
    export.dhcpd_test           conditions as dhcpd writes them
    export.dhcpd                dhcpd.conf of ISC
    export.dnsmasq_tag          conditions as tags of dnsmasq
    export.dnsmasq_value        values of options as dnsmasq takes them
    export.dnsmasq_name         names in a dnsmasq.conf
    export.dnsmasq              dnsmasq.conf
    export.tree                 profiles as files
    export.nginx                nginx.conf, with the tree
    export.name_server          NSD, Knot and BIND

Virtual LANs:

    lab                         virtual LANs, and what runs on them
    lab.topology                what a LAN is made of
    lab.wire                    a cable with faults
    lab.kernel                  the Linux calls Python lacks
    lab.netns                   network namespaces and their links
    lab.process                 programs inside a namespace
    lab.lan                     hosts on switches, gone when left
    lab.server                  `netprov serve` on a host
    lab.relay                   a DHCP relay agent for the LAN's routers
    lab.fleet                   phones that boot at once
    lab.residence               phones that live on
    lab.daemon                  dnsmasq, dhcpd and Kea on a host
    lab.exported                NSD, Knot, BIND, nginx and tftpd on a host
    lab.stage                   a server and somebody who asks it everything
    lab.proof                   two servers proved alike, or not
    lab.trial                   an inventory tried on a virtual LAN
    lab.enclosure               where everything vanishes with its maker

What people type:

    cli                         the command: a table of verbs
    cli.against                 what a changed inventory is compared with
    cli.proposal                a first inventory for a machine
    cli.site                    which inventory a verb reads
    cli.environment             what `check` looks at on this machine
    cli.findings                findings as text, JSON and SARIF
    cli.judge                   what `check` finds in an inventory on this machine
    cli.reference               every reason that netprov gives, for people
    cli.say                     text for people, of which a terminal obeys nothing
    cli.colour                  whether what is printed has colours
    cli.word                    words that are no verb's: what was meant
    cli.table                   tables on a terminal, plain lines elsewhere
    cli.follow                  what running processes tell of events, followed
    cli.scene                   phones and events, cut to a screen
    cli.progress                what takes long, told while it lasts
    cli.ending                  how a verb ends that has something to take back
    cli.sourced                 a profile with the values that sources give
    cli.stay                    how emulated phones live on
    cli.timeline                what emulated phones did, on paper
    cli.proof                   exports proved beside netprov
    cli.side                    servers that are compared, as they are named
    cli.verb                    the verbs, in folders by what they are about
    cli.verb.inventory          verbs about the inventory
    cli.verb.inventory.init     a first inventory
    cli.verb.inventory.check    find every reason a phone would not provision
    cli.verb.inventory.import_  draft an inventory from another server's configuration
    cli.verb.inventory.export   write other servers' configurations
    cli.verb.inventory.compare  compare two servers
    cli.verb.inventory.schema   the JSON Schema of the inventory
    cli.verb.inventory.render   what would be served, as files
    cli.verb.inventory.plan     what a changed inventory would change
    cli.verb.service            verbs about services that run
    cli.verb.service.serve      run the services
    cli.verb.service.reload     let running services take a changed inventory
    cli.verb.service.status     what runs here, on one screen
    cli.verb.service.watch      what happens, as it happens
    cli.verb.service.log        log levels of running services
    cli.verb.service.drain      let running services finish, and end
    cli.verb.service.state      back up, restore, give to a second server
    cli.verb.service.install    units, users and directories onto a machine
    cli.verb.service.install.unit units, users, groups and directories for systemd
    cli.verb.service.install.installation what of them is on a machine, and who wrote it
    cli.verb.service.uninstall  units, users and directories off a machine
    cli.verb.service.acs        phones driven by TR-069
    cli.verb.service.acs.choice which devices are meant
    cli.verb.service.acs.load   which devices a firmware is not made for
    cli.verb.service.acs.told   how a call to a device reads
    cli.verb.service.acs.device the devices of the ACS, and what they reported
    cli.verb.service.acs.call   a verb for each method
    cli.verb.service.acs.order  a call planned, confirmed, queued, waited for
    cli.verb.service.acs.history what was asked, and what came of it
    cli.verb.service.leases     list, show, release, export leases
    cli.verb.service.phones     what the servers know of each phone
    cli.verb.service.phones.roll who is listed while phones are taken in
    cli.verb.service.phones.desk each phone that is taken in: added, told, heard
    cli.verb.service.phones.adopt strangers who are taken in
    cli.verb.service.phones.add phones into the inventory, as a scanner types them
    cli.verb.service.doctor     ask running services as phones would
    cli.verb.service.cert       certificates: issue, renew, revoke
    cli.verb.service.cert.desk  what the subcommands work on
    cli.verb.service.cert.show  certificates as people and programs read them
    cli.verb.service.cert.own   certificates that come from, or go, elsewhere
    cli.verb.answer             verbs about what phones are told
    cli.verb.answer.query       what DNS says, and how phones read it
    cli.verb.answer.rule        what a rule means to a phone
    cli.verb.answer.decode      what the octets of an option mean
    cli.verb.answer.files       what phones ask for and get
    cli.verb.answer.profile     show, encrypt and decrypt profiles
    cli.verb.answer.explain     why, and from which line
    cli.verb.answer.explain.dhcp what DHCP would answer a client
    cli.verb.answer.explain.phone what a phone will do
    cli.verb.answer.explain.records what phones did, by the servers' records
    cli.verb.answer.explain.capture what phones did, by a capture
    cli.verb.answer.explain.story how a phone's story is printed
    cli.verb.lab                verbs that need no phone
    cli.verb.lab.demo           an inventory on a virtual LAN
    cli.verb.lab.phone          boot emulated phones, and let them live
    cli.verb.lab.phone.choice   what was chosen on the command line
    cli.verb.lab.phone.story    what phones did, as it happens
    cli.verb.lab.phone.resident phones that live, with what they keep
    cli.verb.lab.handset        look at a living phone, and press its keys
    cli.verb.lab.cloud          stand in for the cloud
"""
