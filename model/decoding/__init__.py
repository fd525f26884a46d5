"""Drawing tokens: requests, continuous batching, sampling."""
