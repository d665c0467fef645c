"""One file, one Lambda function; wiring only."""

import gc
import os

# What a function loads stays loaded. Until its first event is answered (observability.invocation)
# the collector would walk over all of it again and again, a seventh of a cold start.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
