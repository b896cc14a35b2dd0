"""The wing of local control: how `netprov reload` and running services talk."""
