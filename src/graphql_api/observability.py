"""The one logger: events with fields, no personal data."""

from aws_lambda_powertools import Logger

logger = Logger(service="member-operations", log_uncaught_exceptions=False)
