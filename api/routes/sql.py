"""SQL over the public tables, for keys with the scope `sql`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.answers import documented
from api.formats import Format, chosen
from api.parameters import current
from warehouse.allowed_sql import LONGEST

router = APIRouter(prefix="/v1", tags=["sql"])


class Question(BaseModel):
    """A statement, and how it is answered."""

    query: str = Field(max_length=LONGEST, description="One SELECT over the tables of docs/tables.md.")
    format: Format | None = Field(None, description="json, csv, ndjson, arrow or parquet; goes before Accept.")


@router.post("/sql", **documented("sql", list[dict[str, Any]]))
async def sql(request: Request, question: Annotated[Question, Body()]) -> Response:
    """Rows of one statement at the published height. Amounts are exact text; decimals in Arrow and Parquet."""
    format_ = question.format or chosen(request.headers.get("accept", ""))
    answer: Response = await request.app.state.analyst.answer(
        request, current(request).manifest, question.query, format_
    )
    return answer
