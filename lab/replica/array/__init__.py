"""An array of the replica: NBD over files with a cache that power loss forgets.

`python3 -m replica.array CONFIG.json`. `python3 -m replica.array.local CONFIG.json` is the same medium as a node's own
disk.
"""
