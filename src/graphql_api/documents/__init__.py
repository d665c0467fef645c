"""Documents that clients send: the manifests of their versions, and what was sent by its hash."""
