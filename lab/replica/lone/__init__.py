"""A lone server: the same record on a MariaDB without Galera, which only a restart brings back."""
