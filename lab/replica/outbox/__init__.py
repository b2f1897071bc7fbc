"""What rooms one and two owe room three: the outbox, its breaker, and the thread that delivers."""
