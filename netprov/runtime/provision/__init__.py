"""The HTTP and HTTPS profile servers, and the syslog listener."""
