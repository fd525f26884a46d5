"""The `midline-bench` command: every subcommand, and the module it lives in."""

from collections.abc import Sequence

from midline.server.cli.command_line import Program, run_program

SPEED = Program(
    name="midline-bench speed",
    description="tokens per second, alone or paired with another engine",
    examples="""\
  midline-bench speed prefill --peer llama.cpp        a prompt of 512 tokens, paired runs
  midline-bench speed samples --samples 16            16 samples of one prompt
  midline-bench speed keystroke --lines 50            a typist at the language server""",
    module="midline.benchmarks.speed.{}",
    commands={
        "prefill": "a prompt from an empty cache to the logits of its last token",
        "decode": "one token after another with a filled context",
        "samples": "several continuations of one shared prompt",
        "keystroke": "typing at the language server; with --peer, the engine calls of typing",
        "windows": "three windows on one engine process: memory, typing while others generate",
        "recovery": "how long a window waits: for initialize, and after a kill of its engine",
        "http": "throughput of HTTP clients that ask at once, and the first token of a stream",
        "editor": "from a key to ghost text on the screen of a real editor",
        "memory": "resident memory after a completion with a long context",
        "start": "from a new process to its first token",
        "drafting": "prompt lookup decoding against plain greedy decoding",
        "sparse": "matrix-vector products with channels skipped against dense ones",
        "selfdraft": "self-speculation against plain greedy decoding",
        "versions": "start, prefill, decode and MBXP throughput of another installation, paired",
        "samples-curve": "decode steps by number of samples and length of the shared prompt",
    },
)
MBXP = Program(
    name="midline-bench mbxp",
    description="execute the MBXP problems in thirteen languages, isolated, and report pass@k",
    examples="""\
  midline-bench mbxp doctor
  midline-bench mbxp fetch
  midline-bench mbxp run --model qwen2.5-coder-0.5b --lang python --out build/mbxp/python
  midline-bench mbxp report build/mbxp/python""",
    module="midline.benchmarks.mbxp.actions.{}",
    commands={
        "fetch": "get the problems, verified",
        "run": "complete the problems with a model and evaluate the completions",
        "evaluate": "execute the completions of a JSONL file",
        "report": "table, JSON and plot of one or two result folders",
        "doctor": "which languages can be evaluated here, and what is missing",
    },
)
BUDGET = Program(
    name="midline-bench budget",
    description="strategies of thinking at equal tokens, seconds and operations",
    examples="""\
  midline-bench budget run --pool build/pool/05b --out build/budget
  midline-bench budget report build/budget --pool build/pool/05b""",
    module="midline.benchmarks.budget.actions.{}",
    commands={
        "run": "draw, execute and judge what is compared",
        "report": "right answers by tokens, seconds and operations: tables, plots and a page",
        "speed": "how fast the models read and write here, to translate costs into seconds",
        "versus": "llama.cpp's greedy answer beside --strategy auto within its time",
        "limits": "how well budgets of seconds and cancellations are kept",
    },
)
QUALITY = Program(
    name="midline-bench quality",
    description="logits, tokenizer and completion quality against references",
    examples="""\
  midline-bench quality cursor --only python          completions at marked cursors
  midline-bench quality logits --prompts 2            logits against float32""",
    module="midline.benchmarks.quality.{}.measure",
    commands={
        "logits": "the model's probabilities against a float32 reference",
        "tokenizer": "token ids against llama.cpp and transformers",
        "screen": "the screened output matrix against the whole one",
        "cursor": "completions at marked cursors of small projects, against what belongs there",
        "ranking": "which of several samples to show first, judged by execution",
        "instruction-sets": "logits and texts of one set of kernels against another",
        "identical": "texts of another installation, byte for byte",
        "fuzz": "completions at random places of real files: exceptions, empty answers, broken "
        "syntax",
        "infilling": "HumanEval-Infilling, completed at a cursor and executed",
        "confidence": "how right a completion is by its probability: what the show gate rests on",
        "typing": "what is on the screen while a person types real lines",
        "intents": "what sentences ask for: intents and slots, told by the student and the encoder",
        "alignment": "completions that start inside a token",
        "sparsity": "activation sparsity against perplexity",
        "calibration": "kinds of calibration text against each other",
        "context": "chunks of other files, filtered in different ways",
        "duplicates": "planted near duplicates: recall and precision of deduplication",
        "guard": "repetition signals against failed samples",
        "hygiene": "what of calibration text and marked cursors is in MBXP",
        "interruption": "large inputs of `midline corpus`: memory, and what is left after kills",
        "signals": "quality signals against those of RedPajama's own code",
        "screenshots": "what is read in screenshots of code and errors",
        "zoom": "zoom-in selection, from scratch and small, at equal reader tokens",
        "engines": "greedy texts of the ONNX engine against the native engine's float path",
        "quantization": "quantization recipes: size, speed, energy, pass@1, robustness",
    },
)
PROGRAM = Program(
    name="midline-bench",
    description="Measure Midline's speed and quality.",
    examples="""\
  midline-bench figures                          targets, and what was measured
  midline-bench speed decode --peer llama.cpp    tokens per second beside another engine
  midline-bench quality cursor                   completions at marked cursors
  midline-bench mbxp doctor                      which languages can be executed here""",
    module="midline.benchmarks.{}.command",
    commands={
        "speed": SPEED,
        "mbxp": MBXP,
        "quality": QUALITY,
        "budget": BUDGET,
        "attacks": "fuzz, kills, a storm and a soak: what held",
        "figures": "every promised figure: its command, the wanted value, the value now",
        "structure": "numbers of the source tree and of the way of a keystroke through it",
    },
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `midline-bench` and return its exit status."""
    return run_program(PROGRAM, argv)


if __name__ == "__main__":
    raise SystemExit(main())
