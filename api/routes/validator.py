"""What wallets ask before they lock bitcoin for W. No node is needed; the network is that of the served lake."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.parameters import current
from api.rows import ServiceHealth
from api.validation import AddressVerdict, MintVerdict, RawTransaction, address_verdict, mint_verdict
from ingest.networks import NETWORKS, Network

router = APIRouter(prefix="/v1/validator", tags=["validator"])


@router.post("/validate-wrap-mint", **documented("validate_wrap_mint", MintVerdict))
def validate_wrap_mint(request: Request, body: RawTransaction) -> Response:
    """Whether a transaction mints W once it is in a block, as far as its own bytes tell."""
    return answer(mint_verdict(body.raw_tx_hex, _network(request)))


@router.post("/validate-address-from-witness", **documented("validate_address", AddressVerdict))
def validate_address(request: Request, body: RawTransaction) -> Response:
    """Whether output 2 of a transaction pays to the vault that its witness reveals; the amount is not examined."""
    return answer(address_verdict(body.raw_tx_hex, _network(request)))


@router.get("/health", **documented("validator_health", ServiceHealth))
async def health(request: Request) -> Response:
    """Healthy once the network is known, which is with the first published block; 503 before."""
    current(request)
    return answer(ServiceHealth(status="healthy", service="validator", version=request.app.version))


def _network(request: Request) -> Network:
    return NETWORKS[current(request).manifest.network]
