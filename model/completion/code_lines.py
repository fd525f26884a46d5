"""Language-independent rules on lines of code: indentation, brackets, closing and continued lines.

They apply where there is no grammar, and to text that is still being generated and does not parse
yet. Otherwise the grammar decides (`validity.py`).
"""

import re

CLOSERS = ")]}>\"'`;,"
"""Characters that an editor may put behind the cursor while its person types."""
_TAB_WIDTH = 4
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_STRINGS = re.compile(
    r'"(?:\\.|[^"\\\n])*"'
    r"|(?<![^\W_])'(?:\\.|[^'\\\n])*'(?!\w)"  # not the apostrophe of a word
    r"|`(?:\\.|[^`\\\n])*`"
)
_STRINGS_AND_CHARACTERS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\[^\n]{1,8}?|[^\'\\\n])\'')
_WITH_LIFETIMES = {"haskell", "rust", "scala"}
"""Languages in which a single quote may start something other than a quoted text."""

_CLOSES = re.compile(
    r"""(?x)
      [)\]}][)\]}>(;,]* (\s*(//|\#|/\*).*)?         # brackets
    | />|</[\w:.-]*>\W*                             # tags
    | \*+/
    | (?i:end)(?i:if|for|foreach|while|switch|function|macro|module|case|class|def|do|try|block
        |region|select|sub|with|without|raw|verbatim|augroup)? (\(\w*\))? (\s\w+)? [;.,)]*
    | @end\w* (\(.*\))? | \{\{?/[\w.]+\}?\}            # of templates
    | (endef|fi|done|esac) (\s*[;|<>&).].*)?
    | (od|wend|loop|next(\s\w+)?|until\b(?!.*\bdo$).*)
    | \#\s*(endif|endregion)\b.* | \\end\{.*\}
    | [{<][%{?][-~=]?\s*(?:php\s+)?(?i:end)\w*\b.*  # of templates
    """
)
_GOES_ON = re.compile(
    r"""(?x)
      [)\]}{.?:&|+]
    | (else|elif|elsif|elseif|except|finally|catch|rescue|ensure|end|then|where)\b
    | \#\s*(else|elif|elifdef|elifndef)\b
    | @(else|elseif|empty)\b
    | [{<][%{]-?\s*(else|elif|elsif|when|catch)\b
    """
)
_CLAUSE = re.compile(r"(case|when|default|in)\b|[-*+|]\s|\d+[.)]\s")
_OPENS = re.compile(r"[\\:,([{=+\-*/%&|<.]$|\b(and|do|else|if|in|is|lambda|not|or|then)$")
_UNFINISHED = re.compile(
    r"@?\w+\(?|@|</?[\w.:-]*|#\s*\w*|[{<][%{?/:]?-?/?\s*\w*\s*[%}?]?|\\\w*(\{\w*)?|[-*+|.?:&]"
)
_STRING = re.compile(r"\w{0,2}[\"']")
_PYTHON_CONTINUATION = re.compile(r"\w{0,2}[\"']|(and|else|for|if|in|is|not in|or)\b|[-+*/%|&=<>]")
_CHAIN = re.compile(r"\s*(\?\.|\.|\??->|::|\|>|[-?:|]$)\s*(\w|$)")
_WITH_JOINED_STRINGS = {"c", "cpp", "python"}
_WITH_BACKTICKS = {"go", "javascript", "tsx", "typescript"}
_HEREDOCS = {
    "bash": re.compile(r"(?<!<)<<-?\s*[\"'\\]?([A-Za-z_]\w*)(?!.*\)\))"),  # nor a shift in `(( ))`
    "perl": re.compile(r"<<~?\s*[\"']?([A-Z_]\w*)"),
    "php": re.compile(r"<<<\s*[\"']?([A-Za-z_]\w*)"),
    "ruby": re.compile(r"<<[~-]?[\"'`]?([A-Z_]\w*)"),
}
"""What begins a text that ends with a line of the word in it."""
_MARKUP = {"html", "xml"}
_TAG = re.compile(r"<([A-Za-z][\w:.-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
_CLOSING_TAG = re.compile(r"</[A-Za-z]")
_VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    }
)
"""Elements of HTML that are never closed."""
_DIRECTIVE = re.compile(r"#\s*(if|ifdef|ifndef|(endif))\b")
_DEFINES = re.compile(
    r"""(?x)
      ([\w@()]+\s+)*? (def|class|func|fn|fun|function|impl|interface|module|sub|struct|trait)\b
    | (?!\W*(if|else|elif|for|foreach|while|do|try|catch|switch|match|when|with|synchronized)\b)
      \w.* ( \) [^;=()]* | => ) \s* \{
    """
)
_CONTAINS = re.compile(
    r"([\w@()<>]+\s+)*?(class|enum|extension|impl|interface|module|namespace|object|protocol|struct"
    r"|trait)\b"
)
_DECIDED_BY_SEMICOLON = {"sql"}


def indentation(line: str) -> int:
    """Columns of white space that `line` begins with."""
    space = line[: len(line) - len(line.lstrip())]
    return len(space.expandtabs(_TAB_WIDTH))


def masked(text: str, language: str | None = None) -> str:
    """`text` with spaces in place of its strings and characters, equally long."""
    strings = _STRINGS_AND_CHARACTERS if language in _WITH_LIFETIMES else _STRINGS
    return strings.sub(lambda match: " " * len(match.group()), text)


def net_depth(text: str, language: str | None = None) -> int:
    """Brackets opened in `text` less those closed, what is quoted left out."""
    return sum(_DEPTH.get(character, 0) for character in masked(text, language))


def unmatched_closer(text: str, language: str | None = None) -> int | None:
    """Offset of the first bracket that closes nothing in `text`; None if there is none."""
    depth = 0
    for at, character in enumerate(masked(text, language)):
        depth += _DEPTH.get(character, 0)
        if depth < 0:
            return at
    return None


def imbalance(text: str, language: str | None = None) -> int:
    """How far `text` is from closing the brackets and strings that it opens."""
    left = masked(text, language)
    quotes = 0 if language in _WITH_LIFETIMES else left.count("'") % 2
    if re.search(r"\w'\w", left):  # an apostrophe
        quotes = 0
    return abs(net_depth(text, language)) + quotes + sum(left.count(q) % 2 for q in '"`')


def is_text_open(text: str, language: str | None = None) -> bool:
    """Whether `text` ends inside a literal of several lines that it begins itself.

    Between backticks in JavaScript and Go, between three quotes in Python; or in a here-document.
    """
    if language in _HEREDOCS:
        return _is_heredoc_open(text, _HEREDOCS[language])
    if language in _WITH_BACKTICKS:
        return masked(text, language).count("`") % 2 == 1
    if language == "python":
        return any(text.count(quote) % 2 == 1 for quote in ('"""', "'''"))
    return False


def _is_heredoc_open(text: str, begins: re.Pattern[str]) -> bool:
    word = ""
    for line in text.split("\n"):
        if word:
            word = "" if line.strip().rstrip(";,)") == word else word
        elif found := begins.search(line):
            word = found[1]
    return bool(word)


def tag_depth(line: str, language: str | None = None) -> int:
    """Tags opened in a line of markup less those closed; 0 in other languages."""
    if language not in _MARKUP:
        return 0
    opened = [tag for tag in _TAG.finditer(line) if tag[1].lower() not in _VOID and not tag[2]]
    return len(opened) - len(_CLOSING_TAG.findall(line))


def directive_depth(line: str) -> int:
    """1 for a line that opens a conditional of the preprocessor, -1 for one that ends it."""
    found = _DIRECTIVE.match(line.strip())
    return 0 if found is None else -1 if found.group(2) else 1


def is_closing(text: str) -> bool:
    """Whether a line, without its indentation, does nothing but close what stands above it."""
    return bool(_CLOSES.fullmatch(text))


def goes_on(text: str, statement: str, language: str | None = None) -> bool:
    """Whether a line continues the statement above it that began with the line `statement`.

    Both without their indentation. `else` goes on with an `if`, a `case` or a list item with one of
    its kind, and in SQL any line with a statement that has no semicolon yet.
    """
    if _GOES_ON.match(text) or language in _DECIDED_BY_SEMICOLON:
        return True
    clause, first = _CLAUSE.match(text), _CLAUSE.match(statement)
    return clause is not None and first is not None and text[0].isalpha() == statement[0].isalpha()


def is_definition(text: str) -> bool:
    """Whether a line, without its indentation, begins a function or a class."""
    return bool(_DEFINES.match(text))


def is_container(text: str) -> bool:
    """Whether a line, without its indentation, begins a class or the like."""
    return bool(_CONTAINS.match(text))


def opens(text: str) -> bool:
    """Whether a line ends so that something has to follow on the next."""
    return bool(_OPENS.search(text))


def is_continued(text: str) -> bool:
    """Whether the statement of a line goes on in the next one, however that is indented.

    Behind a comma that may be the next element of a list, which is another one.
    """
    return opens(text) and not text.endswith((",", ":"))


def is_continuation(below: str, language: str | None, rest: str) -> bool:
    """Whether a line that begins like `below` belongs to the whole line above it, in brackets that
    `rest` closes: two strings that follow each other are one in some languages, and operators of
    Python join lines.
    """
    if not _may_be_joined(language, rest):
        return False
    return bool((_PYTHON_CONTINUATION if language == "python" else _STRING).match(below))


def is_chained(line: str) -> bool:
    """Whether a line goes on with what the one above it returns: a call in a chain."""
    return bool(_CHAIN.match(line))


def may_be_continued(line: str, language: str | None, rest: str) -> bool:
    """Whether only what stands below a whole line tells that it goes on there."""
    is_open = language == "python" or line.rstrip().endswith(('"', "'"))
    return is_open and _may_be_joined(language, rest)


def _may_be_joined(language: str | None, rest: str) -> bool:
    return language in _WITH_JOINED_STRINGS and rest.lstrip().startswith((")", "]", "}"))


def may_go_on(text: str) -> bool:
    """Whether a line of which only the beginning `text` is known may yet close or continue."""
    return bool(_UNFINISHED.fullmatch(text))
