"""Walks by chance from answer to answer along the links of the document: each answers, and as the document says."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case, HookContext
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput

from api.app import create_app
from api.links import LINKS
from tests.helpers.fuzzing import CHECKS, ENDLESS, Server, or_known, unlimited

SCHEMA = schemathesis.openapi.from_dict(create_app(Path("nowhere")).openapi()).exclude(path=list(ENDLESS))

NAMES: Final = {"next_page", *(target for targets in LINKS.values() for target in targets)}
SIZES: Final = {"limit", "max_results"}


@SCHEMA.hook
def flatmap_query(context: HookContext, value: Any) -> st.SearchStrategy[Any]:
    """One filter at most, and short pages, so that most answers have something to go on from."""
    assert context.operation is not None
    declared = {each.name: each.is_required for each in context.operation.iter_parameters() if each.location == "query"}
    if not isinstance(value, dict) or not declared:
        return st.just(value)
    size = {name: st.sampled_from([1, 2, value.get(name, 1)]) for name in sorted(SIZES & set(declared))}
    needed = {name for name in value if declared.get(name)}
    others = st.sets(st.sampled_from(sorted(value)), max_size=1) if value else st.just(set())
    filters = others.flatmap(lambda names: or_known({name: value[name] for name in sorted(names | needed)}))
    return st.tuples(filters, st.fixed_dictionaries(size)).map(lambda both: both[0] | both[1])


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[Server]:
    with unlimited(lake) as server:
        yield server


def walks(server: Server, number: int, derandomize: bool) -> Counter[str]:
    """How often each link was followed to an answer, with all that it hands on."""
    followed: Counter[str] = Counter()

    class Walk(SCHEMA.as_state_machine()):  # type: ignore[misc]  # the library makes the class
        def step(self, input: StepInput) -> StepOutput:
            output: StepOutput = super().step(input)
            if input.transition is not None and output.response.status_code == 200:
                wanted = sum(map(len, input.transition.parameters.values()))
                followed[input.transition.id] += len(input.applied_parameters) == wanted
            return output

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"base_url": server.url, "session": server.session, "timeout": 120}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Walk.run(
        settings=settings(
            max_examples=number,
            stateful_step_count=8,
            derandomize=derandomize,
            database=None,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
    )
    return followed


def declared(followed: Counter[str]) -> dict[str, set[str]]:
    """By the name of a link of the document, from which routes it was followed."""
    found: dict[str, set[str]] = {}
    for name in +followed:
        source, _, rest = name.partition(" -> [200] ")
        link = rest.partition(" -> ")[0]
        if link in NAMES:
            found.setdefault(link, set()).add(source)
    return found


def test_walks_along_the_links_are_answered_as_documented(server: Server) -> None:
    found = declared(walks(server, 40, derandomize=True))
    assert len(found) >= 8
    assert found["next_page"]


@pytest.mark.slow
def test_long_walks_follow_most_links(server: Server) -> None:
    """Chance leaves out a few each time; that every link leads somewhere is shown beside the document's examples."""
    found = declared(walks(server, 400, derandomize=False))
    assert len(NAMES - set(found)) < len(NAMES) / 4
    assert len(found["next_page"]) > 10
