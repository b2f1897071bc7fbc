"""Who decides when rooms part: an etcd member in each room and one with the witness, and how to ask them."""
