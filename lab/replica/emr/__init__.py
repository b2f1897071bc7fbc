"""Dopasoins, the electronic medical record: an ASGI application on the member's own database."""
