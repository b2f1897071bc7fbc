"""The cluster: which host runs which server, decided as vSphere HA does it. No sockets, no clock.

Every host has an `agent`. One of them is master: it alone changes the `record`, one document in the arbiters' store,
each change a swap that compares the record's revision. `master` decides, `placement` finds the hosts, `local` obeys on
each host, `guard` says what happens to a host whose agent does not answer. What happens is told by calls that carry
`now`, in seconds of any monotonic clock; no two hosts compare clocks, and no time stands in the record.
"""
