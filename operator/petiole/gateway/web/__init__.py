"""Pages for people: what the gateway knows and what the operator decided, to be read only."""
