// The client of HTTP for outgoing calls.
