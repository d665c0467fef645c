"""Member operations for chain retailers, as a GraphQL API over DynamoDB."""
