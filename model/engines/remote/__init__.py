"""The remote engine: any server with OpenAI's completion endpoint, behind the engine interface."""
