"""NBD: how hosts, virtualisation nodes and arrays speak of blocks.

`protocol` and `handshake` know bytes only; `server` and `client` put them on asyncio transports. The dialect is the
fixed newstyle handshake with simple replies, as the NBD project's `doc/proto.md` defines it, so that foreign clients
(nbdinfo, nbdcopy, qemu-io, fio, nbdfuse) are served too.
"""
