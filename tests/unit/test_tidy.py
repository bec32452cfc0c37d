"""The house style, as far as a program can check it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("edi", "storage", "pipeline")
MODULE_LINES_MAX = 400
TEST_MODULE_LINES_MAX = 500  # tables of cases are long
FUNCTION_LINES_MAX = 60
BANNED_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
TEXT_FILES = ("*.py", "*.toml", "*.md", "*.j2", "*.txt", "*.cfg", "Makefile", "run")
SKIPPED_FOLDERS = {"__pycache__", "build", "dist"}

# Folders of one machine, and a registry's hosts. In pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "(?<![\\w.~}-])/(?:" + "|".join(("work/", "tmp/", "home/", "root/", "opt/", "Users/")) + ")"
)
REGISTRY_HOSTS = re.compile("|".join(("py" + "pi\\.org", "python" + "hosted\\.org", "/simple" + "/")))

# str methods without arguments know Unicode white space; X12 is bytes, and a segment may end in one of those.
BYTE_EXACT = ("edi/segments.py", "edi/envelope.py", "edi/delimiters.py")
UNICODE_BLANKS = {"strip", "lstrip", "rstrip", "split", "rsplit"}

PRINTERS = re.compile(r"pipeline/(report|cli|demo)(\.py|/.*)")
# pipeline/answering/advice.py says refusals in X12's words; it makes none.
REFUSERS = re.compile(
    r"storage/(rules(_\w+)?|ledger|refusals|lines|acknowledgments|change(s|_figures)|consents|requests)\.py|pipeline/answering/advice\.py|tests/.*"
)


def _modules(*folders: str) -> list[str]:
    return sorted(
        path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py")
    )


@cache
def _source(module: str) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module), module)


def _functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _calls(node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call below a node, with the last part of the called name."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Attribute):
                yield call, call.func.attr
            elif isinstance(call.func, ast.Name):
                yield call, call.func.id


def _product_and_tests() -> list[str]:
    return _modules(*ROOMS, "tests")


@pytest.mark.parametrize("module", _product_and_tests())
def test_a_module_begins_by_saying_what_it_is(module: str) -> None:
    tree = _tree(module)
    assert ast.get_docstring(tree), f"{module} has no docstring"
    assert tree.body[0].lineno == 1, f"{module}: the docstring is not on the first line"


@pytest.mark.parametrize("module", _product_and_tests())
def test_modules_and_functions_stay_small(module: str) -> None:
    lines = len(_source(module).splitlines())
    bound = TEST_MODULE_LINES_MAX if module.startswith("tests/") else MODULE_LINES_MAX
    assert lines <= bound, f"{module} has {lines} lines"
    for function in _functions(module):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"{module}:{function.lineno} {function.name} has {length} lines"


def test_no_module_is_a_drawer_for_everything() -> None:
    named = [module for module in _product_and_tests() if BANNED_NAMES & set(Path(module).stem.split("_"))]
    assert named == []


def test_host_keys_are_pinned() -> None:
    trusting = ("Auto" + "AddPolicy", "Warning" + "Policy")
    named = [module for module in _product_and_tests() if any(word in _source(module) for word in trusting)]
    assert named == []


def test_only_reports_print() -> None:
    printing = [
        f"{module}:{call.lineno}"
        for module in _modules(*ROOMS)
        if not PRINTERS.fullmatch(module)
        for call, name in _calls(_tree(module))
        if name == "print" and isinstance(call.func, ast.Name)
    ]
    assert printing == []


def test_x12_is_cut_on_exact_bytes() -> None:
    loose = [
        f"{module}:{call.lineno} {name}"
        for module in BYTE_EXACT
        for call, name in _calls(_tree(module))
        if name == "splitlines" or (name in UNICODE_BLANKS and not call.args and not call.keywords)
    ]
    assert loose == []


def test_only_the_rules_refuse() -> None:
    naming = [
        f"{module}:{node.lineno}"
        for module in _modules(*ROOMS)
        if not REFUSERS.fullmatch(module)
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Refusal"
        and node.attr.isupper()
    ]
    assert naming == []


def test_nothing_names_one_machine_or_a_registry() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_PATHS.search(line) or REGISTRY_HOSTS.search(line)
    ]
    assert named == []


def _text_files() -> Iterator[Path]:
    """The project's own text, without samples (which are other people's) and what a run leaves behind."""
    for name in ("edi", "storage", "pipeline", "templates", "tests", "docs", ".ci"):
        for pattern in TEXT_FILES:
            for path in (ROOT / name).rglob(pattern):
                if not SKIPPED_FOLDERS & set(path.parts):
                    yield path
    for pattern in TEXT_FILES:
        yield from ROOT.glob(pattern)


def _asserts(function: ast.AST, own: dict[str, ast.AST]) -> bool:
    """Whether a test can fail by its own word.

    By an assert statement, pytest.raises and its kin, a call of something named check_... or assert_..., or a
    call of a function of the same module that does one of these.
    """
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    for _, name in _calls(function):
        if name in ("raises", "warns", "fail") or name.lstrip("_").startswith(("check_", "assert_")):
            return True
        if name in own and _asserts(own[name], {key: node for key, node in own.items() if key != name}):
            return True
    return False


@pytest.mark.parametrize("module", [m for m in _modules("tests") if Path(m).name.startswith("test_")])
def test_every_test_can_fail(module: str) -> None:
    own: dict[str, ast.AST] = {function.name: function for function in _functions(module)}
    idle = [name for name in own if name.startswith("test_") and not _asserts(own[name], own)]
    assert idle == [], f"{module}: nothing is asserted in {', '.join(idle)}"
