"""Who a device is: one-time tokens, certificate requests, and the authority that signs. Pure."""
