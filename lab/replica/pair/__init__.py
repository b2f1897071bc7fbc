"""The database pair: MariaDB with Galera on two servers, their arbitrator in room three, a virtual address."""
