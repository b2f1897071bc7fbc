"""A physical server's hypervisor: it powers virtual servers on and off, and reads what runs from the system.

A server is a group of processes with a network namespace of its own, on the bridge that stretches over the rooms. It
outlives the hypervisor's program, as a virtual machine outlives its host's management agent: a new life of the program
finds what runs, and takes it up. What runs is never remembered, always looked up (`census`).

The same program is the guard of its host, parent of the agent that decides (`..cluster`): a stuck agent must not keep
servers alive that another host may be starting.
"""
