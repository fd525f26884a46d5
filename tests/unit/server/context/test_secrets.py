"""Which files seem to hold keys or passwords: every form is found, ordinary code is not."""

import re
import sysconfig
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from midline.server.context.secrets import looks_secret, secret_in

A = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1vW2xY3zA4bC5dE6fG7hI8jK9"
HEX = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "name",
    [
        *(".env", "conf/.env.production", "prod.env", ".envrc", ".netrc", ".npmrc", ".pypirc"),
        *(".git-credentials", "home/.my.cnf", ".dockercfg", ".vault_pass", ".vault_pass.txt"),
        *("keys/server.pem", "id_ed25519", "id_rsa.bak", "aws-credentials.json", "Secrets.yaml"),
        *(
            "/home/a/.aws/config",
            "/home/a/.ssh/config",
            "/home/b/.kube/config",
            ".docker/config.json",
        ),
        *("terraform.tfvars", "tokens.csv", "kubeconfig", "service-account-prod.json"),
    ],
)
def test_names_that_tell(name: str) -> None:
    assert looks_secret(name, "x = 1\n")


@pytest.mark.parametrize(
    "name",
    [
        *("src/app.py", "views/password_reset.py", "token.py", "tokenize_tests.txt", "keys.py"),
        *("environment.py", "awsome/config", "secretary.md", "docker/config.json", "README"),
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert not looks_secret(name, "x = 1\n")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "PuTTY-User-Key-File-2: ssh-rsa",
        "KEY = 'AKIAABCDEFGHIJKLMNOP'",
        "aws_secret_access_key = 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",
        '"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY"',
        "AccountKey=" + A[:86] + "==",
        "M" + A[:23] + "." + A[:6] + "." + A[:27],
        "curl -H ghp_" + A[:36],
        "github_pat_" + A[:22],
        "glpat-" + A[:20],
        "glrt-" + A[:20],
        "AIza" + A[:35],
        HEX[:32] + "-us12",
        "//registry.example.org/:_authToken=npm_" + A[:36],
        "sk-" + A[:48],
        "sk-ant-api03-" + A[:60],
        "sk-proj-" + A[:48],
        "hf_" + A[:34],
        "pypi-AgEIcHlwaS5vcmc" + A[:80],
        "SG." + A[:22] + "." + A[:43],
        "xoxb-1234567890-1234567890-" + A[:24],
        "https://hooks.slack.com/services/T0000/B0000/" + A[:24],
        "stripe.api_key = 'sk_live_" + A[:24] + "'",
        "rk_live_" + A[:24],
        "1234567890:AA" + A[:33],
        "AC" + HEX[:32],
        "dop_v1_" + HEX,
        "hvs." + A[:24],
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.sig",
        "api_key = 'c2VjcmV0c2VjcmV0'",
        "passphrase: 'correct-horse-battery'",
        '{"Password": "correct-horse"}',
        "define('DB_PASSWORD', 'hJ7kk2m8');",
        "postgres://app:hJ7kk2m8@db.internal/app",
        "https://oauth2:hJ7kk2m8@git.internal/x.git",
        "redis://:hJ7kk2m8@cache:6379/0",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "x = 1\n{}\n", "    # {}\r\nend"])
def test_forms_of_keys_are_found_in_any_file(text: str, frame: str) -> None:
    assert secret_in("a.py", frame.format(text).replace("{{", "{"))


@pytest.mark.parametrize("name", ["app.ini", "values.yaml", "deploy.sh", "dockerfile", "settings"])
@pytest.mark.parametrize(
    "line",
    [
        "PASSWORD=hJ7kk2m8",
        "export DB_PASSWORD=hJ7kk2m8",
        "api_token: hJ7kk2m8",
        "    client_secret = hJ7kk2m8",
        "  - MYSQL_PWD=hJ7kk2m8",
    ],
)
def test_values_without_quotes_are_found_in_files_of_settings(name: str, line: str) -> None:
    assert secret_in(name, f"a=1\n{line}\nb=2\n") == "assigned"
    assert secret_in("app.py", f"a=1\n{line}\nb=2\n") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/app.py", "password = read_password()\n"),
        ("src/app.py", "token = settings.token2\napi_key = os.environ['API_KEY_123']\n"),
        ("a.py", "token = ''\npassword = 'your-password'\nsecret = 'xxxxxxxxxxxxxxxx'\n"),
        ("a.yml", "password: ${PASSWORD_FROM_ENV}\n"),
        ("a.yml", "token: ${{ secrets.TOKEN_1 }}\n"),
        ("a.yml", "password: changeme\nsecretName: db-credentials-2\n"),
        ("a.yml", "secret:\n  name: hJ7kk2m8\n"),
        ("a.sh", "TOKEN=$(cat token-file-1)\n"),
        ("a.md", "connect to http://user:password@example.com or http://user:pass@host\n"),
        ("a.py", "re.match(r'https?://[^:]+:([^@]+)@', url)\n"),
        ("a.css", ".sk-circle-fade-dot-loading-animation {}\n"),
        ("a.html", "<div class='sk-estimator-doc-link-wrapper2'>\n"),
        ("a.py", "digest = '" + HEX + "'\n"),
        ("a.py", "x = 'AC' + 'SK'\n# TASK-0123456789abcdef\n"),
        ("a.txt", "password: at least 12 characters, one of them a digit\n"),
    ],
)
def test_ordinary_text_is_not_secret(name: str, text: str) -> None:
    assert secret_in(name, text) is None
    assert not looks_secret(name, text)


def test_the_standard_library_holds_next_to_no_secrets() -> None:
    """False positives among ordinary sources: 4 of 1,000 files at most."""
    library = Path(sysconfig.get_path("stdlib"))
    tests = {"test", "tests", "idle_test", "site-packages", "__pycache__"}
    files = [p for p in library.rglob("*.py") if not tests & set(p.relative_to(library).parts)]
    flagged = [p for p in files if looks_secret(p.name, p.read_text("utf-8", "replace"))]
    assert len(files) > 400
    assert len(flagged) <= len(files) * 0.004, flagged


def test_every_rule_can_match_where_its_keyword_is() -> None:
    data = resources.files("midline.server.context").joinpath("secret_rules.toml").read_text()
    rules = tomllib.loads(data)["rule"]
    assert len(rules) >= 20
    for rule in rules:
        assert set(rule) == {"name", "keywords", "pattern"} and all(rule["keywords"])
        assert re.compile(rule["pattern"]).search("") is None


@pytest.mark.timeout(60)
def test_hostile_texts_take_no_longer_than_others() -> None:
    """Runs of what the patterns repeat, 100 KB of each."""
    pieces = ["a:", "://a:", "password=", "sk-", "eyJ-", "AKIA", ".", "aws", "define(", "//", "1-"]
    pieces += [
        "token = ",
        "xoxb-",
        "BEGIN ",
        "-us",
        "SG.",
        "\n- pass",
        "hf_",
        "dapi",
        "_authToken=",
    ]
    for piece in pieces:
        secret_in("a.env", piece * (100_000 // len(piece)))
        secret_in("a.env", piece + "a" * 100_000)
        secret_in("a.env", "a" * 100_000 + piece)
