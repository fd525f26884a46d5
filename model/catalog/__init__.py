"""The catalogue of models, and the sources their files are pulled from."""
