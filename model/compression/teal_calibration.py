"""TEAL calibration (arXiv 2408.14690): the thresholds that skip a given share of the weights.

Magnitudes are measured on code, without padding and without the first tokens of each window, whose
activations are hundreds of times larger than all others (attention sinks). A uniform profile uses
the same quantile for every input. A greedy profile (algorithm 1 of the paper) raises in small steps
the level of the input whose error per skipped byte grows least. The paper measures the error at the
end of each layer; here it is the KL divergence of the model's output, so that layers get unequal
levels, too.
"""

import hashlib
import io
import itertools
import logging
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.model.atomic_write import atomic_write
from midline.model.compression.activation_statistics import GRID, Curves, measure_curves
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.paths import profiles_folder
from midline.model.runtime.decoder import Decoder, StepOptions
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.teal.column_norms import column_norms
from midline.model.teal.profile import INPUTS, Allocation, CalibrationText, Criterion, Profile
from midline.model.teal.thresholds import input_widths, native_thresholds
from midline.model.weights.config import ModelConfig
from midline.model.weights.packed import model_hash

log = logging.getLogger(__name__)

METHOD_VERSION = 1
ARRAYS = ("magnitude", "magnitude_energy", "weighted", "weighted_energy", "sensitivity")
Arrays = dict[str, NDArray[np.float64]]
WINDOWS = 16
WINDOW_TOKENS = 256
SINK_TOKENS = 16
"""First tokens of a window that are not counted, because of attention sinks."""
LEAST_TOKENS = 1024
BYTES_PER_TOKEN = 8
"""Upper bound of the mean bytes per token of code: a window is cut from this much text."""
COUNT_EVERY = 3
"""Every n-th position is counted, since neighbouring positions are correlated."""
PROBE_LEVEL = 0.5
PROBE_WINDOWS = 2
PROBE_TOKENS = 176
PROBE_EVERY = 4
"""Every n-th position is compared when the KL divergence of the output is measured."""
GREEDY_STEP = 0.01
Progress = Callable[[str, float], None]
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\r\f\v\b\x1b")


@dataclass(frozen=True)
class Measured:
    """The measurements that profiles are computed from.

    magnitude, weighted: the curves of both criteria. sensitivity: float64 [layers, 4], nats of KL
    divergence per unit of an input's energy dropped. sizes: float64 [layers, 4], bytes of the
    weights that each input is multiplied with.
    """

    model: str
    model_sha256: str
    text: CalibrationText
    magnitude: Curves
    weighted: Curves
    sensitivity: NDArray[np.float64]
    sizes: NDArray[np.float64]

    def profile(
        self,
        level: float,
        allocation: Allocation,
        criterion: Criterion,
        dense: Collection[str] = (),
    ) -> Profile:
        """The profile that skips `level` of the layers' weights; inputs in `dense` are not skipped.

        Raises UsageError if the other inputs cannot reach the level.
        """
        curves = self.weighted if criterion == "weighted" else self.magnitude
        sizes = self.sizes * np.array([float(name not in dense) for name in INPUTS])
        most = GRID[-1] * sizes.sum() / self.sizes.sum()
        if level > most:
            raise UsageError(f"with {', '.join(dense)} dense at most {most:.2f} can be skipped")
        wanted = level * float(self.sizes.sum())
        if allocation == "uniform":
            shares = np.full(sizes.shape, wanted / float(sizes.sum()))
        else:
            shares = allocate(curves, self.sensitivity, sizes, wanted / float(sizes.sum()))
        rows = [
            tuple(
                None if name in dense else float(f"{value:.5g}")
                for name, value in zip(INPUTS, row, strict=True)
            )
            for row in curves.thresholds_at(shares)
        ]
        return Profile(
            self.model, self.model_sha256, level, criterion, allocation, tuple(rows), self.text
        )


def read_text(paths: Sequence[Path]) -> str:
    """The concatenated text of all files; a folder stands for the text files in it.

    Raises UsageError for a path that is missing, a named file that is binary, and empty text.
    """
    pieces = []
    for path in paths:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and ".git" not in p.parts)
            pieces += [text for file in files if (text := _text_of(file)) is not None]
        elif path.is_file():
            text = _text_of(path)
            if text is None:
                raise UsageError(f"{path} is binary; calibration needs text, best your own code")
            pieces.append(text)
        else:
            raise UsageError(f"{path} does not exist; name files or folders of code")
    text = "\n".join(pieces)
    if not text.strip():
        raise UsageError(f"{paths[0]} holds no text; {_needed()}")
    return text


def _text_of(path: Path) -> str | None:
    try:
        data = path.read_bytes()
        return None if CONTROL_BYTES & set(data) else data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error


def _needed() -> str:
    return (
        f"calibration needs at least {LEAST_TOKENS} tokens, about {LEAST_TOKENS * 4 // 1024} KB "
        "of code"
    )


def windows(engine: NativeEngine, text: str) -> list[list[int]]:
    """Up to WINDOWS windows of WINDOW_TOKENS ids, spread evenly over the text.

    Raises UsageError naming the amount needed if the text is too short.
    """
    found = []
    for i in range(WINDOWS):
        start, end = len(text) * i // WINDOWS, len(text) * (i + 1) // WINDOWS
        piece = text[start : min(end, start + WINDOW_TOKENS * BYTES_PER_TOKEN)]
        ids = engine.tokenizer.encode(piece)[:WINDOW_TOKENS]
        if len(ids) > 2 * SINK_TOKENS:
            found.append(ids)
    count = sum(map(len, found))
    if count < LEAST_TOKENS:
        raise UsageError(f"the text has {count} tokens in usable pieces; {_needed()}")
    return found


def measure(
    engine: NativeEngine, text: str, description: str, progress: Progress = lambda _, __: None
) -> Measured:
    """Measure everything that profiles of this model need; takes minutes for a model of 1 GB.

    Measurements on the same text are cached in the folder of profiles. progress(what, share) is
    called with shares from 0 to 1. Raises UsageError if the text is too short.
    """
    ids = windows(engine, text)
    digest = hashlib.sha256(np.concatenate([np.asarray(w, "<i4") for w in ids]).tobytes())
    about = CalibrationText(description, digest.hexdigest(), sum(map(len, ids)))
    sha256 = model_hash(engine.path)
    path = profiles_folder() / f"{sha256[:16]}-{about.sha256[:16]}-v{METHOD_VERSION}.npz"
    arrays = _read_arrays(path, engine.config)
    if arrays is None:
        arrays = _measure(engine, ids, progress)
        _write_arrays(path, arrays)
    return Measured(
        engine.name, sha256, about,
        Curves(arrays["magnitude"], arrays["magnitude_energy"]),
        Curves(arrays["weighted"], arrays["weighted_energy"]),
        arrays["sensitivity"], matrix_bytes(engine.decoder),
    )  # fmt: skip


def _read_arrays(path: Path, config: ModelConfig) -> Arrays | None:
    curve = (config.layers, len(INPUTS), len(GRID))
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float64) for name in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    is_good = all(
        array.shape == (curve if name != "sensitivity" else curve[:2])
        and bool(np.isfinite(array).all())
        for name, array in arrays.items()
    )
    return arrays if is_good else None


def _write_arrays(path: Path, arrays: Arrays) -> None:
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    try:
        atomic_write(path, archive.getbuffer())
    except OSError as error:
        log.warning("%s could not be written (%s); it is measured again next time", path, error)


def _measure(engine: NativeEngine, ids: list[list[int]], progress: Progress) -> Arrays:
    decoder = engine.decoder
    config = engine.config
    norms = column_norms(decoder.file, config)
    widths = input_widths(config)
    rows = _activations(decoder, ids, progress)
    magnitude, weighted = measure_curves(rows, norms, widths)
    sensitivity = _probe(decoder, weighted, ids, progress)
    return {
        "magnitude": magnitude.thresholds,
        "magnitude_energy": magnitude.energy,
        "weighted": weighted.thresholds,
        "weighted_energy": weighted.energy,
        "sensitivity": sensitivity,
    }


def _activations(
    decoder: Decoder, windows: list[list[int]], progress: Progress
) -> Iterator[NDArray[np.float32]]:
    """Activations of each window without its first tokens, float32 [tokens, layers, channels]."""
    for i, ids in enumerate(windows):
        sequence = Cached()
        try:
            yield decoder.activations(sequence, ids)[SINK_TOKENS::COUNT_EVERY]
        finally:
            decoder.cache.finish(sequence, remember=False)
        progress("measuring magnitudes", (i + 1) / len(windows))


def matrix_bytes(decoder: Decoder) -> NDArray[np.float64]:
    """Bytes of the weights that each input is multiplied with: float64 [layers, 4]."""
    sections = decoder.weights.plan.sections
    layers = range(decoder.config.layers)
    return np.array([[float(sections[f"{i}.{name}"].nbytes) for name in INPUTS] for i in layers])


def _probe(
    decoder: Decoder, curves: Curves, windows: list[list[int]], progress: Progress
) -> NDArray[np.float64]:
    """Mean KL divergence from dense in nats per energy dropped from an input, [layers, 4].

    One kind of input of one or two neighbouring layers is sparse at a time; neighbouring layers
    share the result.
    """
    places = [(2 * i + 1) * len(windows) // (2 * PROBE_WINDOWS) for i in range(PROBE_WINDOWS)]
    texts = [windows[place][:PROBE_TOKENS] for place in places]
    dense = [_log_probabilities(decoder, ids, None) for ids in texts]
    shape = curves.energy.shape[:2]
    thresholds = curves.thresholds_at(np.full(shape, PROBE_LEVEL))
    dropped = curves.energy_at(np.full(shape, PROBE_LEVEL))
    found = np.zeros(shape)
    cells = list(itertools.product(_groups(shape[0]), range(shape[1])))
    for n, (layers, j) in enumerate(cells):
        rows: list[list[float | None]] = [[None] * shape[1] for _ in range(shape[0])]
        for layer in layers:
            rows[layer][j] = float(thresholds[layer, j])
        alone = _probing(rows)
        kls = [
            _divergence(expected, _log_probabilities(decoder, ids, alone))
            for expected, ids in zip(dense, texts, strict=True)
        ]
        found[layers, j] = max(float(np.mean(kls)), 1e-9) / dropped[layers, j].sum()
        progress("probing layers", (n + 1) / len(cells))
    return found


def _probing(rows: list[list[float | None]]) -> Profile:
    nothing = CalibrationText("", "", 0)
    return Profile("", "", PROBE_LEVEL, "weighted", "uniform", tuple(map(tuple, rows)), nothing)


def _groups(layers: int) -> list[list[int]]:
    """The first and the last layer alone, because they are outliers; the others in pairs."""
    middle = list(range(1, layers - 1))
    pairs = [middle[i : i + 2] for i in range(0, len(middle), 2)]
    return [[0], *pairs, *([[layers - 1]] if layers > 1 else [])]


def _log_probabilities(
    decoder: Decoder, ids: list[int], profile: Profile | None
) -> NDArray[np.float32]:
    """Log-probabilities of every PROBE_EVERY-th position, float32 [rows, vocab]."""
    sequence = Cached(sparse_from=SINK_TOKENS)
    options = StepOptions()
    if profile is not None:
        native = native_thresholds(profile, decoder.file, decoder.config, decoder.native_config)
        options = StepOptions(thresholds=native)
    rows = list(range(SINK_TOKENS, len(ids), PROBE_EVERY))
    try:
        logits = decoder.step_logits(sequence, ids, rows, options)
    finally:
        decoder.cache.finish(sequence, remember=False)
    peak = logits.max(axis=1, keepdims=True)
    np.subtract(logits, peak, out=logits)
    sums = np.exp(logits).sum(axis=1, keepdims=True)
    np.subtract(logits, np.log(sums), out=logits)
    return logits


def _divergence(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    return float((np.exp(expected) * (expected - found)).sum(axis=1, dtype=np.float64).mean())


def allocate(
    curves: Curves, sensitivity: NDArray[np.float64], sizes: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Levels [layers, 4] that skip `level` of the bytes with the least total error.

    The error of an input is its sensitivity times the energy dropped. Levels rise in steps of one
    percent; the last step is shortened so that exactly `level` of the bytes are skipped.
    """
    levels = np.zeros(sizes.shape)
    energy = curves.energy * sensitivity[..., None]
    at = np.zeros(sizes.shape, int)
    left = level * float(sizes.sum())
    most = len(GRID) - 1
    while left > 0:
        ahead = np.minimum(at + 1, most)
        rise = np.take_along_axis(energy, ahead[..., None], 2)[..., 0] - np.take_along_axis(
            energy, at[..., None], 2
        )[..., 0]  # fmt: skip
        is_open = (at < most) & (sizes > 0)
        cost = np.where(is_open, np.maximum(rise, 0) / np.maximum(sizes, 1e-30), np.inf)
        cell = np.unravel_index(int(cost.argmin()), cost.shape)
        step = min(float(GREEDY_STEP), left / float(sizes[cell]))
        levels[cell] += step
        at[cell] += 1
        left -= step * float(sizes[cell])
        if left < 1e-6 * float(sizes.sum()):
            break
    return levels
