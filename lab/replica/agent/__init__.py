"""The HA agent of a host: the cluster's core (`..cluster`) between heartbeats, arbiters and the hypervisor."""
