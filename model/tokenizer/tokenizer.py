"""The tokenizer: text to token ids and back, built from the metadata of a GGUF file.

It differs from the published tokenizers in two ways. Text is never normalized, so that a file's
bytes are preserved: `e` followed by a combining accent stays two characters (the published Qwen2
tokenizer composes them, llama.cpp does not). And special tokens are only recognized where the
caller asks for it: a literal `<|fim_middle|>` in a user's file is plain text.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import ModelFileError
from midline.model.tokenizer.base import FimTokens
from midline.model.tokenizer.bpe import PRE_TOKENIZATIONS, BytePairEncoder
from midline.model.tokenizer.vocabulary import BYTE_SYMBOLS, CONTROL, USER_DEFINED, Vocabulary
from midline.model.weights.gguf import GGUFFile, StringArray

_FIM_TEXTS = {
    "pre": ("<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>"),
    "suf": ("<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>"),
    "mid": ("<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>"),
    "pad": ("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>"),
    "rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "sep": ("<|file_sep|>",),
}
_END_TEXTS = (
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
)
_PRINTABLE = bytes(range(0x20, 0x7F))
_CACHED_TEXTS = 256
_SURROGATES = re.compile("[\ud800-\udfff]")
_BAD_BYTES = re.compile("([\udc80-\udcff]+)")


class Tokenizer:
    """Encodes and decodes for one model. Build it with `Tokenizer.from_gguf`.

    Attributes: `vocabulary`; `bos_id` and `add_bos` (whether a prompt should begin with it, which
    `encode` leaves to the caller); `end_tokens`, every id that ends a generation; `fim`, None for a
    model without fill-in-the-middle; `chat_template`, the Jinja text or None; `name`, the file's.
    """

    def __init__(self, vocabulary: Vocabulary, encoder: BytePairEncoder, file: GGUFFile) -> None:
        self.vocabulary, self._encoder, self.name = vocabulary, encoder, file.path.name
        metadata = file.metadata
        self.bos_id = self._metadata_id(metadata, "bos")
        self.eos_id = self._metadata_id(metadata, "eos")
        default = metadata.get("tokenizer.ggml.pre") == "llama-bpe"
        self.add_bos = bool(metadata.get("tokenizer.ggml.add_bos_token", default))
        template = metadata.get("tokenizer.chat_template")
        self.chat_template: str | None = template if template and type(template) is str else None
        parts = {part: self._fim_id(metadata, part) for part in _FIM_TEXTS}
        self.fim = _fim_tokens(parts)
        self.end_tokens = self._end_tokens(metadata, parts)
        self._lock = threading.Lock()
        self._cached: OrderedDict[str | bytes, tuple[int, ...]] = OrderedDict()

    @classmethod
    def from_gguf(cls, file: GGUFFile) -> "Tokenizer":
        """The tokenizer described by the file's metadata.

        Raises `ModelFileError` for a tokenizer that is not byte-level BPE, for an unknown
        pre-tokenization, which is named, and for a vocabulary with parts missing.
        """
        kind = file.metadata.get("tokenizer.ggml.model")
        if kind != "gpt2":
            raise ModelFileError(
                f"{file.path} has a tokenizer of the kind {kind!r} and Midline only runs "
                f"byte-level BPE, called 'gpt2'"
            )
        pre = file.metadata.get("tokenizer.ggml.pre")
        if not isinstance(pre, str) or pre not in PRE_TOKENIZATIONS:
            raise ModelFileError(
                f"{file.path} needs the pre-tokenization {pre!r} and Midline only knows "
                f"{', '.join(PRE_TOKENIZATIONS)}"
            )
        vocabulary = Vocabulary.from_gguf(file)
        if any(BYTE_SYMBOLS[byte] not in vocabulary.ids for byte in b"\n" + _PRINTABLE):
            raise ModelFileError(f"{file.path} has a vocabulary that cannot spell every text")
        encoder = BytePairEncoder(vocabulary, _merges(file), PRE_TOKENIZATIONS[pre])
        return cls(vocabulary, encoder, file)

    @property
    def vocab_size(self) -> int:
        """Number of ids, unused ones included."""
        return len(self.vocabulary)

    def encode(self, text: str | bytes, *, special: bool = False) -> list[int]:
        """Ids of `text`, without BOS.

        With `special`, control tokens spelled out in the text become their ids; without it they are
        plain text. User-defined tokens (`<tool_call>`), which are part of a model's language and
        not of its protocol, are recognized in any text. Bytes that are not UTF-8 become one byte
        token each and split the text; a lone surrogate in a `str` becomes U+FFFD; a byte for which
        the vocabulary has no token is left out (SmolLM2 lacks some control characters).
        """
        ids: list[int] = []
        for part in self._split(_readable(text), special):
            if isinstance(part, int):
                ids.append(part)
            else:
                ids += self._encode_plain(part)
        return ids

    def encode_cached(self, text: str | bytes) -> tuple[int, ...]:
        """`encode(text)`, kept for the texts asked for last: windows of a file that is edited.

        The cache belongs to the tokenizer and is freed with it. Threads may share it.
        """
        with self._lock:
            ids = self._cached.pop(text, None)
        if ids is None:
            ids = tuple(self.encode(text))
        with self._lock:
            self._cached[text] = ids
            if len(self._cached) > _CACHED_TEXTS:
                self._cached.popitem(last=False)
        return ids

    def with_bos(self, ids: Sequence[int]) -> list[int]:
        """`ids` after BOS, if the model's prompts begin with it and it is not there yet."""
        if not self.add_bos or self.bos_id is None or list(ids[:1]) == [self.bos_id]:
            return list(ids)
        return [self.bos_id, *ids]

    def is_control(self, id: int) -> bool:
        """Whether a token belongs to the model's protocol and never to text."""
        return bool(self.vocabulary.kinds[id] == CONTROL)

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """Ids of control and user-defined tokens by their text."""
        return self.vocabulary.special

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`: special tokens are spelled out, bytes that are not UTF-8 become U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, id: int) -> bytes:
        """Bytes of token `id`, for a special token its literal text; `IndexError` if unknown."""
        return self.vocabulary.token_bytes(id)

    def special_id(self, text: str) -> int | None:
        """Id of the control or user-defined token written `text`."""
        return self.vocabulary.special.get(text)

    def tokens_with_prefix(self, prefix: bytes) -> NDArray[np.int64]:
        """Ids of the normal tokens that begin with `prefix`; special tokens never do."""
        return self.vocabulary.with_prefix(prefix)

    def tokens_that_prefix(self, text: bytes) -> NDArray[np.int64]:
        """Ids of the normal tokens that `text` begins with, shortest first."""
        return self.vocabulary.prefixes_of(text)

    @cached_property
    def special_pattern(self) -> re.Pattern[str]:
        """Matches special tokens, the longest one where several match."""
        return _alternatives(self.vocabulary.special)

    @cached_property
    def _user_defined_pattern(self) -> re.Pattern[str]:
        kinds = self.vocabulary.kinds
        special = self.vocabulary.special
        return _alternatives(text for text, id in special.items() if kinds[id] == USER_DEFINED)

    def _split(self, text: str, special: bool) -> Iterator[str | int]:
        """The plain parts of `text` and the ids of the special tokens between them, in order."""
        at = 0
        pattern = self.special_pattern if special else self._user_defined_pattern
        for match in pattern.finditer(text):
            if match.start() > at:
                yield text[at : match.start()]
            yield self.vocabulary.special[match.group()]
            at = match.end()
        if at < len(text):
            yield text[at:]

    def _encode_plain(self, text: str) -> list[int]:
        if text.isascii():
            return self._encoder.encode(text)
        ids: list[int] = []
        for index, part in enumerate(_BAD_BYTES.split(text)):
            if index % 2:
                ids += self._encoder.encode_bytes(part.encode("utf-8", "surrogateescape"))
            elif part:
                ids += self._encoder.encode(part)
        return ids

    def _metadata_id(self, metadata: dict[str, Any], name: str) -> int | None:
        id = metadata.get(f"tokenizer.ggml.{name}_token_id")
        known = isinstance(id, int) and 0 <= id < len(self.vocabulary)
        return id if known else None

    def _fim_id(self, metadata: dict[str, Any], part: str) -> int | None:
        id = self._metadata_id(metadata, f"fim_{part}")
        return self._first_special(_FIM_TEXTS[part]) if id is None else id

    def _first_special(self, texts: Iterable[str]) -> int | None:
        return next((id for id in map(self.special_id, texts) if id is not None), None)

    def _end_tokens(self, metadata: dict[str, Any], parts: dict[str, int | None]) -> frozenset[int]:
        """The end-of-generation tokens, chosen by metadata, role and text as llama.cpp does."""
        named = [self._metadata_id(metadata, name) for name in ("eos", "eot", "eom")]
        roles = [parts[part] for part in ("pad", "rep", "sep")]
        texts = map(self.special_id, _END_TEXTS)
        return frozenset(id for id in (*named, *roles, *texts) if id is not None)


def _merges(file: GGUFFile) -> list[bytes]:
    merges = file.metadata.get("tokenizer.ggml.merges")
    if not isinstance(merges, StringArray):
        raise ModelFileError(f"{file.path} has a byte-level BPE vocabulary without merges")
    return merges.raw_list()


def _fim_tokens(parts: dict[str, int | None]) -> FimTokens | None:
    prefix, suffix, middle = parts["pre"], parts["suf"], parts["mid"]
    if prefix is None or suffix is None or middle is None:
        return None
    return FimTokens(prefix, suffix, middle, parts["rep"], parts["sep"])


def _alternatives(texts: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _readable(text: str | bytes) -> str:
    """`text` as `str` in which U+DC80 to U+DCFF stand for bytes that are not UTF-8."""
    if isinstance(text, bytes):
        return text.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)
