"""How models spell their fill-in-the-middle tokens, by words of their names."""

FimTexts = tuple[str, str, str, str | None, str | None]
_QWEN: FimTexts = (
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>",
)  # fmt: skip
_STARCODER: FimTexts = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", None, None)
_STARCODER_2: FimTexts = (
    "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<repo_name>", "<file_sep>",
)  # fmt: skip
_DEEPSEEK: FimTexts = ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", None, None)
_GEMMA: FimTexts = (
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", None, "<|file_separator|>",
)  # fmt: skip
_LLAMA: FimTexts = ("<PRE>", "<SUF>", "<MID>", None, None)
_BY_WORD: dict[str, FimTexts] = {
    "qwen": _QWEN,
    "starcoder2": _STARCODER_2,
    "starcoder": _STARCODER,
    "granite": _STARCODER,
    "deepseek": _DEEPSEEK,
    "codegemma": _GEMMA,
    "codellama": _LLAMA,
}


def fim_texts(model: str) -> FimTexts | None:
    """The texts of a model's tokens: prefix, suffix, middle, repository, file; None if unknown."""
    name = model.lower().replace("-", "").replace("_", "")
    return next((texts for word, texts in _BY_WORD.items() if word in name), None)
