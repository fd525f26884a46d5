"""HTTP for other clients: OpenAI's completion endpoints and llama.cpp's `/infill`."""
