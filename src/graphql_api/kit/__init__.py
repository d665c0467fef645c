"""Small generic helpers; CONTRIBUTING.md lists them."""
