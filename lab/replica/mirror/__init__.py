"""The mirror: what a virtualisation node decides about its lease and its volumes. No sockets, no clock.

`lease` says which node is active, `volume` keeps the copies of one volume equal, `node` holds both together. What
happens is told by calls (`tick`, `connected`, `lost`, `done`, `request`…) that carry `now`, in seconds of any monotonic
clock; what is to be done is asked of the protocols in `work` and `store`. These never call back before they return.

One bitmap is write-intent log and log of changes at once: **a set bit says that the copies may differ in this grain**.
"""
