"""A server's disk: NBD socket, FUSE file, loop device, ext4.

Two sides that must never be one. The outer side (`carrier`) stands in the node's mount namespace and serves the file.
The inner side (`mounted`) stands in a mount namespace of its own and has the loop device and the file system. Were they
one, a power loss could leave the file's server as the last task of the namespace whose unmounting waits for that file:
it waits for itself, cannot be killed, and with it hang all users of loop devices of the machine: 2 of 15 kills under
load with one side, 0 of 200 with two (November 2026).
"""
