"""The fixed texts: enough of them, in four languages, with a hash that notices changes."""

import dataclasses

from midline.benchmarks.quality.prompts import fingerprint, load_prompts
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def test_eight_texts_are_of_four_languages_in_turn():
    languages = [prompt.language for prompt in load_prompts(8)]
    assert len(languages) == 8
    assert sorted(languages[:4]) == sorted(languages[4:]) == ["cpp", "java", "python", "typescript"]


def test_every_text_has_at_least_224_tokens(qwen05_path):
    tokenizer = Tokenizer.from_gguf(read_gguf(qwen05_path))
    assert min(len(tokenizer.encode(prompt.text)) for prompt in load_prompts()) >= 224


def test_fingerprint_changes_with_a_letter():
    prompts = load_prompts()
    changed = [dataclasses.replace(prompts[0], text=prompts[0].text + " "), *prompts[1:]]
    assert fingerprint(prompts) == fingerprint(load_prompts())
    assert fingerprint(changed) != fingerprint(prompts)
