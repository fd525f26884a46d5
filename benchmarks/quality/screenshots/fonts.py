"""Monospaced fonts: those that the recognizer is trained on, and those that it never saw.

They come from packages of Debian (fonts-dejavu-core, fonts-hack, fonts-firacode,
fonts-jetbrains-mono, fonts-inconsolata, fonts-liberation, fonts-noto-mono, fonts-anonymous-pro,
fonts-mononoki, fonts-agave, fonts-fantasque-sans, fonts-league-mono, fonts-hermit,
fonts-freefont-ttf, fonts-courier-prime) and npm (@fontsource/source-code-pro, roboto-mono,
ubuntu-mono, cascadia-code, ibm-plex-mono), installed or unpacked below one folder. Those of
Debian's that are missing are left out of training; a measurement needs all four of `MEASURED`.
"""

import os
from pathlib import Path

from midline.model.errors import MidlineError

VARIABLE = "MIDLINE_FONTS"
MEASURED = {
    "DejaVu Sans Mono": "DejaVuSansMono.ttf",
    "Hack": "Hack-Regular.ttf",
    "Fira Code": "FiraCode-Regular.ttf",
    "JetBrains Mono": "JetBrainsMono-Regular.ttf",
}
HELD_OUT = "JetBrains Mono"
_TRAINED = (
    "DejaVuSansMono", "Hack-", "FiraCode-Regular", "FiraCode-Retina", "FiraCode-Bold",
    "Inconsolata", "LiberationMono-", "NotoSansMono-", "NotoMono-", "Anonymous Pro.",
    "Anonymous Pro B.", "mononoki-", "agave-", "FantasqueSansMono-", "LeagueMono-Regular",
    "LeagueMono-Medium", "LeagueMono-Bold", "LeagueMono-Narrow", "Hermit-", "FreeMono",
    "Courier Prime Code", "source-code-pro-latin", "roboto-mono-latin", "ubuntu-mono-latin",
    "cascadia-code-latin",
)  # fmt: skip
_ENDINGS = (".ttf", ".otf", ".woff2")


def font_folder(given: Path | None = None) -> Path:
    """Where fonts are looked for: what was given, the variable, or the system's folder."""
    return given or Path(os.environ.get(VARIABLE, "/usr/share/fonts"))


def training_fonts(folder: Path) -> list[Path]:
    """Files to train on, the same font once."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _ENDINGS and path.name.startswith(_TRAINED):
            found.setdefault(path.stem, path)
    return list(found.values())


def measured_fonts(folder: Path) -> dict[str, Path]:
    """The four fonts of the screens; MidlineError names the one that is missing."""
    fonts = {}
    for name, file in MEASURED.items():
        path = next(iter(sorted(folder.rglob(file))), None)
        if path is None:
            raise MidlineError(
                f"{file} is not below {folder}; install the Debian package of {name} or say with "
                f"--fonts or {VARIABLE} where it is"
            )
        fonts[name] = path
    return fonts
