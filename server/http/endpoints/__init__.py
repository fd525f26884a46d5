"""The endpoints, one file each: a function `answer(service, request)` and its path."""
