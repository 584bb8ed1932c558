"""One module a peer: it starts the servers, plays the devices and returns what was measured."""
