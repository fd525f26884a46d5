"""Chat templates of models that run elsewhere, by words of their names."""

_CHATML = """\
{%- if messages[0]['role'] != 'system' %}{{- '<|im_start|>system\\n' + SYSTEM + '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{{- '<|im_start|>assistant\\n' }}"""  # noqa: E501
_SYSTEMS = {"qwen": "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."}
"""The message that the published template puts in front, where a chat has none of its own."""
CHATML_TOKENS = ("<|im_start|>", "<|im_end|>")


def chat_template(model: str) -> str | None:
    """The template of a model, whose special tokens are CHATML_TOKENS; None if it is not known."""
    name = model.lower()
    system = next((text for word, text in _SYSTEMS.items() if word in name), None)
    return None if system is None else _CHATML.replace("SYSTEM", repr(system))
