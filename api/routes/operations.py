"""What became of the operations of a transaction, in words."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import answer, documented
from api.errors import TransactionNotFound
from api.explanations import DECISIONS, OTHERWISE, explained
from api.parameters import TxidPath, current
from api.rows import HistoryRow, history_row
from warehouse.histories import Operation

router = APIRouter(prefix="/v1/indexer/brc20", tags=["operations"])


class Decision(TypedDict):
    """Why an operation is judged otherwise than the predecessor would."""

    id: Annotated[str, Field(description="Number in docs/protocol.md, section 15.")]
    explanation: str


class OperationRow(HistoryRow):
    """An operation with all that is known of its verdict."""

    vout: Annotated[int, Field(description="The output that carries it.")]
    step: Annotated[int | None, Field(description="Number of the step of a multi-transfer, from 0.")]
    is_multi: Annotated[bool, Field(description="Part of a multi-transfer.")]
    ticker_text: Annotated[str | None, Field(description="The ticker as the record carries it.")]
    verdict: Annotated[str, Field(description="valid or refused.")]
    step_code: Annotated[str | None, Field(description="Why the step of a multi-transfer was refused.")]
    explanation: Annotated[str, Field(description="The verdict in words.")]
    divergence: list[Decision]
    payload: Annotated[str, Field(description="The text of the output; what is no UTF-8 is replaced.")]


@router.get("/operations/{txid}", **documented("operations", list[OperationRow]))
async def operations(request: Request, txid: TxidPath) -> Response:
    """Every operation of a transaction, refused ones too, in processing order; 404 when it has none."""
    view, wanted = current(request), txid.lower()
    rows: list[Operation] = await request.app.state.queries.ask(
        view.manifest, lambda histories: histories.of_transaction(wanted)
    )
    if not rows:
        raise TransactionNotFound(f"transaction {wanted} has no record up to height {view.tip.height}", "txid")
    return answer([operation_row(row) for row in rows])


def operation_row(operation: Operation) -> OperationRow:
    """An operation with its verdict in words."""
    return OperationRow(
        **history_row(operation),
        vout=operation.vout,
        step=operation.step,
        is_multi=operation.multi,
        ticker_text=operation.ticker_text,
        verdict="valid" if operation.valid else "refused",
        step_code=operation.step_code,
        explanation=explained(operation.valid, operation.code, operation.step_code),
        divergence=[
            Decision(id=tag, explanation=DECISIONS.get(tag, OTHERWISE))
            for tag in (operation.divergence or "").split(",")
            if tag
        ],
        payload=(operation.payload or b"").decode(errors="replace"),
    )
