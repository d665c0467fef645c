"""One file, one Lambda function; wiring only."""
