"""The reference tokenizers, each as a function from text to ids.

`llama.cpp` is its own implementation, loaded without weights. `transformers` is what
`AutoTokenizer` makes of the same GGUF, with the special tokens registered that its conversion
leaves out. `published` is the `tokenizers` library set up as the model's published
`tokenizer.json` says, with the vocabulary of the GGUF.
"""

from collections.abc import Callable
from typing import Any

from midline.model.tokenizer.bpe import PRE_TOKENIZATIONS
from midline.model.tokenizer.vocabulary import CONTROL, Vocabulary
from midline.model.weights.gguf import GGUFFile

Encode = Callable[[str, bool], list[int]]
"""Ids of a text; the flag says whether special tokens are parsed."""


def llama_cpp(file: GGUFFile) -> Encode:
    """The vocabulary of llama.cpp, through llama-cpp-python."""
    from llama_cpp import Llama

    model = Llama(str(file.path), vocab_only=True, verbose=False)

    def encode(text: str, special: bool) -> list[int]:
        ids: list[int] = model.tokenize(text.encode("utf-8"), add_bos=False, special=special)
        return ids

    return encode


def transformers(file: GGUFFile) -> Encode:
    """What `AutoTokenizer.from_pretrained(gguf_file=...)` gives."""
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(str(file.path.parent), gguf_file=file.path.name)
    return _library(made.backend_tokenizer, Vocabulary.from_gguf(file))


def published(file: GGUFFile) -> Encode:
    """The `tokenizers` library by the published pre-tokenization, without normalization."""
    from tokenizers import Tokenizer, models

    vocabulary = Vocabulary.from_gguf(file)
    merges = [tuple(line.split(" ")) for line in file.metadata["tokenizer.ggml.merges"]]
    ids = {text: id for id, text in enumerate(vocabulary.strings)}
    made = Tokenizer(models.BPE(ids, merges))
    made.pre_tokenizer = _published_steps(file.metadata["tokenizer.ggml.pre"])
    return _library(made, vocabulary)


REFERENCES: dict[str, Callable[[GGUFFile], Encode]] = {
    "llama.cpp": llama_cpp,
    "transformers": transformers,
    "published": published,
}


def _published_steps(pre: str) -> Any:
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

    if pre == "smollm":
        return Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    (expression,) = PRE_TOKENIZATIONS[pre].expressions
    split = Split(Regex(expression), behavior="isolated")
    return Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])


def _library(made: Any, vocabulary: Vocabulary) -> Encode:
    """`made`, a tokenizer of the `tokenizers` library, with the special tokens registered."""
    from tokenizers import AddedToken

    for text, id in vocabulary.special.items():
        control = bool(vocabulary.kinds[id] == CONTROL)
        token = AddedToken(text, special=control, normalized=False)
        (made.add_special_tokens if control else made.add_tokens)([token])

    def encode(text: str, special: bool) -> list[int]:
        made.encode_special_tokens = not special
        ids: list[int] = made.encode(text, add_special_tokens=False).ids
        return ids

    return encode
