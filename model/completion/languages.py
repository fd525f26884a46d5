"""The language of a text, by the editor's language identifier or the file name.

Identifiers are those of the Language Server Protocol (`TextDocumentItem.languageId`). They matter
where a name says nothing or the wrong thing: unsaved documents, notebook cells, shared headers.
"""

SUFFIXES = {
    "bash": ".sh .bash",
    "c": ".c",
    "cmake": ".cmake",
    "cpp": ".cpp .cc .cxx .h .hh .hpp .hxx .ipp .inl .cu",
    "csharp": ".cs",
    "css": ".css",
    "dockerfile": ".dockerfile",
    "elixir": ".ex .exs",
    "go": ".go",
    "haskell": ".hs",
    "html": ".html .htm",
    "java": ".java",
    "javascript": ".js .jsx .mjs .cjs",
    "json": ".json",
    "kotlin": ".kt .kts",
    "latex": ".tex",
    "lua": ".lua",
    "makefile": ".mk .mak",
    "markdown": ".md .markdown",
    "perl": ".pl .pm .t",
    "php": ".php",
    "python": ".py .pyi .pyw",
    "ruby": ".rb .rake .gemspec",
    "rust": ".rs",
    "scala": ".scala .sc",
    "sql": ".sql",
    "svelte": ".svelte",
    "swift": ".swift",
    "toml": ".toml",
    "tsx": ".tsx",
    "typescript": ".ts .mts .cts",
    "vue": ".vue",
    "xml": ".xml .svg .xhtml",
    "yaml": ".yaml .yml",
}
"""Languages by the suffixes of their files, the usual one first."""

_BY_SUFFIX = {suffix: language for language, found in SUFFIXES.items() for suffix in found.split()}
_BY_NAME = {
    "cmakelists.txt": "cmake",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "gnumakefile": "makefile",
    "makefile": "makefile",
    "rakefile": "ruby",
}
_BY_IDENTIFIER = {
    **{language: language for language in SUFFIXES},
    "cuda-cpp": "cpp",
    "javascriptreact": "javascript",
    "jsonc": "json",
    "objective-c": "c",
    "objective-cpp": "cpp",
    "shellscript": "bash",
    "sh": "bash",
    "typescriptreact": "tsx",
    "vue-html": "vue",
}


def language_of_text(name: str, identifier: str = "") -> str:
    """The language of the file `name`, which an editor calls `identifier`; "" if neither is known.

    The identifier counts for more than the name, except that "typescript" and "javascript" leave a
    `.tsx` or `.jsx` file what it is.
    """
    base = name.rpartition("/")[2].lower()
    by_name = _BY_NAME.get(base, _BY_SUFFIX.get(base[base.rfind(".") :] if "." in base else "", ""))
    named = _BY_IDENTIFIER.get(identifier.lower(), "")
    if (by_name, named) == ("tsx", "typescript"):
        return by_name
    return named or by_name


def title(name: str, identifier: str = "") -> str:
    """A file name that tells the language: `name`, or one with another suffix if it says otherwise.

    An unsaved document in Go is `untitled.go`; the Python cell of `trip.ipynb` is `trip.py`.
    """
    language = language_of_text(name, identifier)
    if not identifier or not language or language == language_of_text(name):
        return name
    if language == "c" and name.endswith(".h"):
        return name
    stem = name.rpartition(".")[0] or name or "untitled"
    return stem + SUFFIXES[language].split()[0]
