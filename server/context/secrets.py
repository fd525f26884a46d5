"""Whether a file seems to hold keys or passwords, by its name, its folder or a line of it.

Such a file is not read for the completion of another one. The text of the edited file is not
examined: it is in the prompt, whatever it holds. The server only refuses to complete files with the
name or folder of secrets (`useless.py`). The rules for the forms of keys are data
(`secret_rules.toml`); passwords have no form, and are recognized by the name they are assigned to.
"""

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import lru_cache
from importlib import resources

_FOLDERS = frozenset({".aws", ".azure", ".docker", ".gnupg", ".kube", ".ssh"})
_NAMES = (
    *(".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass"),
    *(".git-credentials", ".my.cnf", ".mylogin.cnf", ".dockercfg", ".dockerconfigjson", ".s3cfg"),
    *(".vault_pass*", ".vault-pass*", "vault_pass*", "vault-pass*", ".vault-token", ".boto"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ovpn", "*.ppk"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.tfvars", "*.tfstate", ".htpasswd"),
    *("*.asc", "*.gpg", "*.age", "credentials", "secrets", "kubeconfig", "*.kubeconfig", "shadow"),
    *("*.publishsettings", "service-account*.json", "service_account*.json", ".terraformrc"),
)
_DATA_ENDINGS = frozenset(
    {"json", "yml", "yaml", "toml", "ini", "cfg", "txt", "xml", "properties", "csv"}
)
_CONFIGURATIONS = (
    *("*.ini", "*.cfg", "*.cnf", "*.conf", "*.config", "*.properties", "*.yml", "*.yaml", "*.txt"),
    *("*.sh", "*.service", "dockerfile*", ".*", "*.env*"),
)
"""Files of assignments whose values need no quotes, where a name on the right would be no name."""

_MAX_LINE = 400
_STEMS = (
    *("api_key", "apikey", "api-key", "access_key", "accesskey", "access-key", "private_key"),
    *("auth_key", "authkey", "secret", "token", "password", "passwd", "passphrase"),
)
"""Names of what is secret, or their ends, in lower case."""
_UNQUOTED_STEMS = (*_STEMS, "pwd", "pass")
_QUOTED = re.compile(r"\d?[\"']?\s{0,20}[:=]\s{0,20}[\"']([^\"'\s{}$<>]{12,200})[\"']")
_LINE = re.compile(
    r"[ \t]*(?:export[ \t]+|-[ \t]+|ENV[ \t]+|set[ \t]+)?[\w.-]*[ \t]*[:=][ \t]*"
    r"([^\s\"'{}$<>()\[\]#;,]{8,200})[ \t\r]*"
)
_DEFINED = re.compile(
    r"define\(\s*[\"']\w*(?:PASSWORD|_KEY|_SALT|SECRET)[\"']\s*,\s*[\"']([^\"'\s]{8,200})[\"']"
)
_URL = re.compile(r"://[^\s/:@\"'<>{}$%]{0,80}:([^\s/@\"'<>{}$]{3,80})@[\w\[]")
_PLACEHOLDER = re.compile(
    r"(?i)(.)\1*|[a-z_.-]*(?:pass|secret|token|example|change_?me|your|dummy|placeholder)[a-z_.-]*"
    r"|user(?:name)?|pw|pwd|test\w*|foo\w*|bar\w*|admin|root|guest|none|null|true|false"
)
"""Words that stand for a password in examples and tests; a word with a digit in it does not."""
_TELLING_NAME = re.compile(r"credential|secret|password|token(?!i)")


def looks_secret(name: str, text: str) -> bool:
    """Whether the file seems to hold keys or passwords; `name` may have folders in it."""
    return is_secret_name(name) or secret_in(name.lower().rpartition("/")[2], text) is not None


@lru_cache(maxsize=256)
def is_secret_name(name: str) -> bool:
    """Whether a file is one of keys or passwords by its name or its folders alone."""
    folders, _, last = name.lower().rpartition("/")
    return bool(_FOLDERS & set(folders.split("/"))) or _is_named_secret(last)


def secret_in(name: str, text: str) -> str | None:
    """What kind of key or password the text of the file `name` seems to hold, if any."""
    for kind, keywords, pattern in _rules():
        if any(keyword in text for keyword in keywords) and pattern.search(text):
            return kind
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals become two characters
        lower = text
    if any(map(_is_password, _quoted_values(text, lower))):
        return "assigned in quotes"
    if any(_is_password(match[1]) for match in _DEFINED.finditer(text)):
        return "defined"
    if any(_is_password(match[1]) for match in _URL.finditer(text)):
        return "in a URL"
    is_configuration = "." not in name or _matches(name, _CONFIGURATIONS)
    if is_configuration and any(map(_is_password, _unquoted_values(text, lower))):
        return "assigned"
    return None


def _quoted_values(text: str, lower: str) -> Iterator[str]:
    """Strings that are assigned to names of what is secret, as in `api_key = "..."`."""
    for end in _ends_of(_STEMS, lower):
        if match := _QUOTED.match(text, end):
            yield match[1]


def _unquoted_values(text: str, lower: str) -> Iterator[str]:
    """Values of lines that are one assignment to such a name, as in `PASSWORD=...`."""
    for end in _ends_of(_UNQUOTED_STEMS, lower):
        start, stop = text.rfind("\n", 0, end) + 1, text.find("\n", end)
        line = text[start : stop if stop >= 0 else len(text)][:_MAX_LINE]
        is_name = line[end - start :].lstrip("0123456789 \t")[:1] in (":", "=")
        if is_name and (match := _LINE.fullmatch(line)):
            yield match[1]


def _ends_of(stems: tuple[str, ...], lower: str) -> Iterator[int]:
    """Where each of the stems ends; searching for literals is as fast as reading."""
    for stem in stems:
        at = lower.find(stem)
        while at >= 0:
            yield at + len(stem)
            at = lower.find(stem, at + len(stem))


def _is_named_secret(last: str) -> bool:
    stem, _, ending = last.rpartition(".")
    tells = ending in _DATA_ENDINGS and _TELLING_NAME.search(stem) is not None
    return tells or _matches(last, _NAMES)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _is_password(value: str) -> bool:
    """Whether a value is none of the words that stand for one."""
    return _PLACEHOLDER.fullmatch(value) is None


@lru_cache(maxsize=1)
def _rules() -> list[tuple[str, list[str], re.Pattern[str]]]:
    """Name, keywords and pattern of every rule."""
    data = resources.files(__package__).joinpath("secret_rules.toml").read_text("utf-8")
    rules = tomllib.loads(data)["rule"]
    return [(rule["name"], rule["keywords"], re.compile(rule["pattern"])) for rule in rules]
