"""What the pages say is true: links lead somewhere, commands parse, examples work on the recorded chain."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from api.app import create_app
from api.keys import Scope, create_key
from settings import defaults_from
from simplicity import WHAT_TO_TRY, app
from tests.helpers.api import running
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import people, recorded_lake

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands
OPTIONS = {name: {flag for option in command.params for flag in option.opts} for name, command in COMMANDS.items()}


def told(text: str) -> tuple[Any, str, list[str]]:
    """The command that a line calls, its name, and its arguments; of a group, the command inside."""
    name, *arguments = shlex.split(text.replace("[", "").replace("]", ""))
    command = COMMANDS[name]
    if isinstance(command, TyperGroup):
        name, *arguments = arguments
        command = command.commands[name]
    return command, name, arguments


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


class Place(NamedTuple):
    """Something that a page says."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}: {self.text}"


def blocks(page: Path, language: str = "") -> list[str]:
    """Fenced blocks of a page that say that they are in the language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [text for named, text in fenced if named == language]


def prose(page: Path) -> str:
    """A page without its fenced blocks, each table cell's escaped bar as it is shown."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL).replace(r"\|", "|")


def lines(program: str) -> list[Place]:
    """Lines of fenced blocks that call the program."""
    called = re.compile(rf"(\.venv/bin/)?{program} (.*)")
    return [
        Place(page, match[2])
        for page in PAGES
        for block in blocks(page)
        for line in block.splitlines()
        if (match := called.fullmatch(line))
    ]


def mentions(pattern: str) -> list[Place]:
    """Inline code that begins with the pattern; the pattern's group is what is kept."""
    return [Place(page, text) for page in PAGES for text in re.findall(rf"`{pattern}`", prose(page))]


LINKS = [Place(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())]
LINES = lines("simplicity")
MENTIONS = mentions(r"simplicity ([a-z][^`]*)")
TARGETS = lines("make") + mentions(r"make ([^`]+)")
CURLS = lines("curl") + mentions(r"curl ([^`]+)")


@pytest.mark.parametrize("link", [link for link in LINKS if "://" not in link.text], ids=str)
def test_relative_links_lead_to_files(link: Place) -> None:
    assert (link.page.parent / link.text).exists()


def test_the_documentation_names_every_notebook_that_is_there() -> None:
    named = {notebook for page in PAGES for notebook in re.findall(r"notebooks/\w+\.ipynb", page.read_text())}
    assert named == {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("line", LINES, ids=str)
def test_command_lines_parse(line: Place) -> None:
    command, name, arguments = told(line.text)
    command.make_context(name, arguments)


@pytest.mark.parametrize("mention", MENTIONS, ids=str)
def test_mentioned_commands_have_the_options_they_are_mentioned_with(mention: Place) -> None:
    command, _, arguments = told(mention.text)
    options = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_the_operators_page_lists_every_command() -> None:
    """With options that it has."""
    section = prose(ROOT / "docs/running.md").split("## Commands")[1].split("##")[0]
    listed = [row.split() for row in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)]
    assert sorted(name for name, *_ in listed) == sorted(OPTIONS)
    for name, *arguments in listed:
        assert set(arguments[:1]) <= OPTIONS[name]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_make_targets_exist(target: Place) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert set(target.text.split()) <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_make_help_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    told = re.findall(r"echo 'make ([a-z-]+) ", makefile)
    assert told
    assert set(told) <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("path", [*PAGES, ROOT / "docker/compose.yml", ROOT / "docker/Dockerfile"], ids=name_of)
def test_environment_variables_are_those_of_options(path: Path) -> None:
    """Those that the commands read."""
    commands = [
        inner for command in COMMANDS.values() for inner in getattr(command, "commands", {"": command}).values()
    ]
    known = {str(option.envvar) for command in commands for option in command.params if option.envvar}
    assert set(re.findall(r"\bSIMPLICITY_[A-Z_]*[A-Z]\b", path.read_text())) <= known


def test_the_settings_file_of_the_readme_is_understood(tmp_path: Path) -> None:
    (settings,) = blocks(ROOT / "README.md", "toml")
    file = tmp_path / "simplicity.toml"
    file.write_text(settings)
    assert isinstance(GROUP, TyperGroup)
    defaults = defaults_from(file, GROUP)
    assert defaults is not None
    assert defaults["sync"]["network"] == "mainnet"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def api(lake: Path) -> Iterator[httpx.Client]:
    with MempoolNode() as node, running(create_app(lake, node=node.connect)) as client:
        yield client


@pytest.mark.parametrize(
    "line", [line for line in LINES if line.text.split()[0] in ("status", "sql", "audit", "verify")], ids=str
)
def test_commands_that_read_work_on_the_recorded_chain(line: Place, lake: Path, api: httpx.Client) -> None:
    """With the folder of the lake, and the server over it as the other indexer."""
    places = {"./data": str(lake), "https://another-indexer.example": str(api.base_url)}
    result = CliRunner().invoke(app, [places.get(word, word) for word in shlex.split(line.text)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("curl", CURLS, ids=str)
def test_requests_are_answered_on_the_recorded_chain(curl: Place, lake: Path, api: httpx.Client) -> None:
    """`$B` and the words in capitals stand for what the page says; every answer but an empty filter has content."""
    transaction = api.get("/v1/indexer/brc20/WTF/history?limit=1").json()[0]["txid"]
    words = {
        "ADDRESS": people()["alice"],
        "TICKER": "WTF",
        "POOL_ID": "LOL-WTF",
        "HEIGHT": "125",
        "TXID": transaction,
    }

    def filled(text: str) -> str:
        return re.sub("|".join(words), lambda word: words[word[0]], text)

    given = shlex.split(curl.text, comments=True)
    (url,) = (word for word in given if word.startswith(("$B/", "http://127.0.0.1:8080/")))
    body = given[given.index("--json") + 1] if "--json" in given else None
    path = filled(url.replace("$B", "/v1/indexer").removeprefix("http://127.0.0.1:8080"))
    headers = {"Content-Type": "application/json"}
    if "X-API-Key: $KEY" in given:
        headers["X-API-Key"] = create_key(lake, "page", [Scope.SQL])[1]
    if path.startswith("/v1/events"):
        with api.stream("GET", path, headers=headers) as stream:
            assert any(line.startswith("data:") for line in stream.iter_lines())
        return
    answer = api.get(path) if body is None else api.post(path, content=filled(body).encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json() or "from=895534" in path


def test_what_the_demo_says_to_try_works(lake: Path, api: httpx.Client) -> None:
    told = WHAT_TO_TRY.format(url="", lake=lake)
    paths = re.findall(r"^  (/\S+)", told, re.MULTILINE)
    commands = re.findall(r"^  \.venv/bin/simplicity (.*)$", told, re.MULTILINE)
    assert len(paths) == len(commands) == 4
    for path in paths:
        assert api.get(path).status_code == 200, path
    for command in commands:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, result.output


def test_something_of_each_kind_was_found() -> None:
    """The patterns above still match what the pages hold."""
    assert min(map(len, (LINKS, LINES, MENTIONS, TARGETS, CURLS))) >= 5
