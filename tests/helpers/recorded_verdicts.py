"""What becomes of each protocol transaction of the recorded chain, in the order of its manifest, by the rules.

Records in the notation of `tests.helpers.scenarios`; a transaction without any is silent.
"""

from collections.abc import Sequence
from typing import Final

VERDICTS: Final[Sequence[Sequence[str]]] = [
    # 115
    ["op=deploy tick=WTF from=alice to=alice"],
    ["op=deploy tick=LOL from=bob to=bob"],
    # 116: another spelling of WTF (R-CORE-TICK-1), a million each, one more than the limit
    ["op=deploy tick=WTF error=TICKER_ALREADY_EXISTS from=carol to=carol"],
    ["op=mint tick=WTF amt=1000000 from=alice to=alice"],
    ["op=mint tick=WTF amt=1000000 from=bob to=bob"],
    ["op=mint tick=WTF amt=1000000 from=carol to=carol"],
    ["op=mint tick=WTF amt=1000000 from=dave to=dave"],
    ["op=mint tick=WTF amt=1000000 from=erin to=erin"],
    ["op=mint tick=WTF amt=1000000 from=frank to=frank"],
    ["op=mint tick=WTF amt=1000001 error=EXCEEDS_MINT_LIMIT from=alice to=alice"],
    # 400 + 400 of 1000; 400 more exceed it, 200 do not
    ["op=mint tick=LOL amt=400 from=alice to=alice"],
    ["op=mint tick=LOL amt=400 from=bob to=carol"],
    ["op=mint tick=LOL amt=400 error=EXCEEDS_MAX_SUPPLY from=carol to=carol"],
    ["op=mint tick=LOL amt=200 from=dave to=dave"],
    ["op=mint tick=NOPE amt=1 error=TICKER_NOT_DEPLOYED from=erin to=erin"],
    # 117
    ["op=transfer tick=WTF amt=250000.5 from=alice to=bob"],
    ["op=transfer tick=WTF amt=1250000.5 from=bob to=carol"],
    ["op=transfer tick=WTF amt=0.00000001 error=INSUFFICIENT_BALANCE from=bob to=carol"],
    ["op=transfer tick=LOL amt=200 from=dave to=dave"],
    ["op=transfer tick=LOL amt=1 error=INSUFFICIENT_BALANCE from=erin to=alice"],
    ["op=transfer tick=WTF amt=1 from=frank to=alice"],
    ["op=transfer tick=WTF amt=1 error=INVALID_AMOUNT from=frank to=alice"],
    ["op=transfer tick=WTF amt=1000 error=INVALID_AMOUNT from=frank to=alice"],
    ["op=transfer tick=WTF amt=-1 error=INVALID_AMOUNT from=frank to=alice"],
    ["op=transfer tick=WTF error=INVALID_AMOUNT from=frank to=alice"],
    ["op=invalid error=INVALID_OPERATION"],
    [],
    [],
    [],
    # 118: nobody after the OP_RETURN; second output; alice's balance was touched in this block before the steps (D-1)
    ["op=transfer tick=WTF amt=1 error=NO_STANDARD_OUTPUT from=alice vout=1"],
    ["op=transfer tick=WTF amt=2 from=alice to=dave vout=1"],
    [
        "op=transfer tick=WTF amt=10 from=alice to=bob step=0 tags=D-1",
        "op=transfer tick=WTF amt=20 from=alice to=carol step=1 vout=2 tags=D-1",
        "op=transfer tick=WTF amt=30 from=alice to=dave step=2 vout=4 tags=D-1",
    ],
    # 119
    ["op=transfer tick=multiple error=MULTI_TRANSFER_MIXED_TICKERS from=alice to=bob"],
    ["op=transfer error=INVALID_OUTPUT_POSITION from=alice"],
    # 120
    ["op=transfer tick=WTF amt=500 from=dave to=bob market=true"],
    ["op=transfer tick=WTF amt=500 error=INVALID_MARKETPLACE_TRANSACTION from=dave to=bob"],
    # 121: with nothing after the runestone, output 0 gets it
    ["op=mint_stones tick=STONES amt=1 to=alice"],
    ["op=mint_stones tick=STONES amt=1 to=bob"],
    ["op=mint_stones tick=STONES amt=1 to=carol vout=1"],
    # 122
    ["op=deploy tick=W from=alice to=alice"],
    # 123: 1000 blocks of delay are not the predecessor's 256 (D-13); 9999 asked, 10000 locked (R-WRAP-MINT-11)
    ["op=mint tick=W amt=10000 to=bob"],
    ["op=mint tick=W amt=25000 to=bob tags=D-13"],
    ["op=mint tick=W amt=9999 error=INVALID_WRAP_STRUCTURE to=bob"],
    # 124
    ["op=burn tick=W amt=5000 from=bob tags=D-9"],
    ["op=burn tick=WTF amt=1 error=INVALID_OPERATION from=carol to=carol tags=D-8"],
    # 125: 9 blocks are fewer than 10 (R-SWAP-INIT-1 row 5)
    ["op=swap_init tick=WTF amt=100000 from=alice"],
    ["op=swap_init tick=LOL amt=300 from=carol"],
    ["op=swap_init amt=1 error=SWAP_LOCK_TOO_SHORT from=carol"],
    # 126: the partial fill takes 487.53 of 50000 (R-SWAP-EXE-8)
    ["op=swap_exe tick=LOL amt=10 from=dave"],
    ["op=swap_exe tick=WTF amt=487.53050896 from=erin"],
    ["op=swap_exe tick=WTF amt=1 error=TICKER_NOT_DEPLOYED from=frank"],
    # 139
    ["op=deploy tick=CRV from=alice to=alice"],
    # 140: the third pays 2999 of 3000 sats (R-CURVE-STAKE-1 row 4)
    ["op=swap_init tick=WTF amt=60 from=bob"],
    ["op=swap_init tick=WTF amt=1000 from=carol"],
    ["op=swap_init tick=WTF amt=30 error=INVALID_OPERATION from=dave"],
    # 146
    ["op=transfer tick=yWTF amt=100 from=carol to=erin tags=D-62"],
    # 147
    ["op=swap_exe tick=yWTF amt=30 from=bob"],
]
