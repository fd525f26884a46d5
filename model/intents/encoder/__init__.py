"""The encoder: MiniLM with an intent and a slot head, trained with torch, run with onnxruntime.

It is the rival of the student and an option. Training needs the extra `train`, inference the extra
`encoder`; nothing of this is imported by the server unless it is asked for.
"""
