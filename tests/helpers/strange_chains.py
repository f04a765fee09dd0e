"""Hypothesis strategies for small chains that meet every rule of the core, by labels of `tests.helpers.builders`."""

from dataclasses import replace

from hypothesis import strategies as st

from ingest.networks import REGTEST
from tests.helpers.builders import SIG83, Blocks, make_tx, op_return, pay, spend
from tests.helpers.chain import Tx, TxIn, TxOut, push

FIRST = 100
NETWORK = replace(
    REGTEST, genesis_height=FIRST, stones_height=FIRST + 2, template_height=FIRST + 3, emergency_range=(FIRST + 4,) * 2
)
"""Every height of activation lies inside the chains."""

HOLDERS = ["alice", "bob", "carol", "p2tr_dave", "p2pkh_erin"]
LABELS = st.sampled_from([*HOLDERS, *HOLDERS, "p2sh_frank", "p2wsh_grace", "p2pk_heidi", "bare_ivan"])
HOLDER = st.sampled_from(HOLDERS)

TIGHT, SPACED = '"p":"brc-20"', '"p": "brc-20"'
TICKERS = st.sampled_from(['"ABC"', '"abc"', '"ABC"', '"ABC"', '"XYZ"', '"CAP"', '"STONES"'])
ODD_TICKERS = st.sampled_from(
    [
        '"W"',
        '"w"',
        '"WRAP"',
        '"yabc"',
        '"YABC"',
        '"A_C"',
        '"a%"',
        '"A\\\\B"',
        '"ß"',
        '"SS"',
        '"ẙ"',
        '"Y\u030a"',
        '" abc"',
        '"é\U0001f600"',
        '"a\\u0000"',
        '"\\ud800"',
        '""',
        "null",
        "7",
        "0",
        "false",
        "[]",
        "1e400",
    ]
)
AMOUNTS = st.sampled_from(['"1"', '"2"', '"10"', '"30"', '"40"', '"60"', '"0"', '"0.5"', '"100"', '"1000"'])
ODD_AMOUNTS = st.sampled_from(
    [
        '"0.000000005"',
        '"0.000000004"',
        '"1.123456789"',
        '"1.1234567800"',
        '"007"',
        '"1\\n"',
        '"1\\n\\n"',
        '" 5 "',
        '"5\\u00a0"',
        '"+.5e1"',
        '"5."',
        '"."',
        '"1e1"',
        '"-10"',
        '"-0"',
        '"1_0"',
        '"１２"',
        '"x"',
        '""',
        '"NaN"',
        '"Infinity"',
        '"-Infinity"',
        '"1e-400"',
        '"1e99999999999999999999"',
        '"0e99999999999999999999"',
        f'"{"9" * 30}"',
        f'"{"9" * 30}.999999995"',
        f'"{"9" * 30}.999999994"',
        f'"1{"0" * 30}"',
        f'"{"0" * 40}1"',
        "1",
        "1.5",
        "-1",
        "-0",
        "-0.0",
        "0.000000005",
        "123456789012345678.123456",
        "1e29",
        "1e30",
        "1e400",
        "1" + "0" * 40,
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "null",
        "[]",
        '{"a":1}',
    ]
)
OPERATIONS = st.sampled_from(['"mint"', '"transfer"', '"transfer"', '"transfer"', '"mint"', '"deploy"', '"burn"'])
ODD_OPERATIONS = st.sampled_from(['"swap"', '"test_opi"', '"foo"', '"Mint"', '""', "null", "1", '["mint"]'])
ODD_MEMBERS = st.sampled_from(
    [
        '"p":"x"',
        '"p":null',
        '"p":1',
        '"op":"mint"',
        '"op":"deploy"',
        '"op":"swap"',
        '"op":"test_opi"',
        '"op":"transfer"',
        '"tick":"abc"',
        '"tick":null',
        '"amt":"1"',
        '"m":"50"',
        '"l":null',
        '"l":""',
        '"curve":{}',
        '"curve":{"type":"linear"}',
        '"curve":0.0',
        '"curve":NaN',
        '"init":"ABC,XYZ"',
        '"exe":"ABC,XYZ"',
        '"init":null',
        '"x":[[[{}]]]',
        f'"n":{"[" * 511}{"]" * 511}',
        f'"n":{"[" * 512}{"]" * 512}',
        '"b":"\\"[{"',
        f'"z":"{" " * 1950}"',
        f'"i":{"9" * 5000}',
    ]
)


def usually(common: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.integers(0, 7).flatmap(lambda n: odd if n == 7 else common)


NAMES = usually(OPERATIONS, ODD_OPERATIONS)


@st.composite
def texts(draw: st.DrawFn, operation: st.SearchStrategy[str] = NAMES) -> str:
    """The text of an operation, now and then a strange one."""
    op = draw(operation)
    members = [
        draw(st.sampled_from([TIGHT, TIGHT, TIGHT, SPACED])),
        f'"op":{op}',
        f'"tick":{draw(usually(TICKERS, ODD_TICKERS))}',
    ]
    if op == '"deploy"':
        members.append(f'"m":{draw(usually(AMOUNTS, ODD_AMOUNTS))}')
        if draw(st.integers(0, 3)):
            members.append(f'"l":{draw(usually(AMOUNTS, ODD_AMOUNTS))}')
    elif draw(st.integers(0, 9)):
        members.append(f'"amt":{draw(usually(AMOUNTS, ODD_AMOUNTS))}')
    if draw(st.integers(0, 5)) == 0:
        members.append(draw(ODD_MEMBERS))
    if draw(st.integers(0, 5)) == 0:
        members = draw(st.permutations(members))
    return "{" + ",".join(members) + "}"


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Payloads that are no JSON, no UTF-8, or no object."""
    payload = draw(texts()).encode()
    at = draw(st.integers(0, len(payload) - 1))
    junk = draw(
        st.sampled_from([b"\xff", b"\xe2\x82", b"\xc3\xa9", b"\x00", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b" "])
    )
    choices = [
        payload[:at] + junk + payload[at:],
        payload[:at],
        b"[" + payload + b"]",
        payload + b",",
        b" \t\r\n" + payload + b"\n",
        b"\xef\xbb\xbf" + payload,
        b"[W|BTC|M]" + payload,
        b"[W|BTC|M]brc-20",
        b'{"a":' + payload + b"}",
        payload.replace(b'"p":"brc-20"', b'"p":"brc\xff-2\xc3\x280"'),
        payload.replace(b'"p":"brc-20"', b'"p" :"brc-20"'),
        b"]" + payload,
    ]
    return draw(st.sampled_from(choices))


PAYLOADS = st.integers(0, 9).flatmap(lambda n: broken() if n == 9 else texts().map(str.encode))


@st.composite
def returns(draw: st.DrawFn) -> TxOut:
    """OP_RETURN outputs that are none, or none of ours, or pushed in odd ways."""
    payload = draw(PAYLOADS)
    choices = [
        TxOut(0, b"\x6a"),
        op_return(b"hello"),
        op_return(b"brc-20, of a sort"),
        op_return(payload),
        TxOut(0, b"\x6a\x5d\x01\x02"),
        TxOut(0, b"\x6a\x5d"),
        TxOut(0, b"\x6a" + push(b"\x5dbrc-20 text")),
        TxOut(0, b"\x6a" + push(payload) + b"\x51\x00\x60"),
        TxOut(0, b"\x6a" + push(payload) + b"\xac"),
        TxOut(0, b"\x6a" + push(payload) + b"\x05\x01"),
        TxOut(0, b"\x6a\x00" + push(payload)),
        TxOut(0, b"\x6a\x4e" + len(payload).to_bytes(4, "little") + payload),
        TxOut(0, b"\x6a\x4d" + (len(payload) + 1).to_bytes(2, "little") + payload),
        TxOut(0, b"\x6a\x4c"),
    ]
    return draw(st.sampled_from(choices))


@st.composite
def inputs(draw: st.DrawFn) -> list[TxIn]:
    """One input, or a marketplace's."""
    if draw(st.integers(0, 4)):
        return [spend(draw(LABELS))]
    labels = draw(st.lists(LABELS, min_size=1, max_size=5))
    if draw(st.booleans()):
        labels = [labels[0], *labels]
    witnesses = st.sampled_from([SIG83, SIG83, (), (b"",), (b"\x83",), (b"\x01", b"\x83")])
    return [spend(label, draw(witnesses)) for label in labels]


@st.composite
def single(draw: st.DrawFn) -> Tx:
    """One operation, mostly in the usual shape."""
    outputs = [op_return(draw(PAYLOADS)), pay(draw(LABELS))]
    if draw(st.integers(0, 4)) == 0:
        others = st.one_of(returns(), LABELS.map(pay))
        outputs = draw(st.permutations([*outputs, *draw(st.lists(others, max_size=2))]))[: draw(st.integers(1, 4))]
    return make_tx(draw(inputs()), outputs)


@st.composite
def multi(draw: st.DrawFn) -> Tx:
    """A multi-transfer, mostly well-formed."""
    outputs = []
    steps = draw(st.lists(texts(st.just('"transfer"')), min_size=2, max_size=4))
    if draw(st.integers(0, 2)):
        amounts = draw(st.lists(AMOUNTS, min_size=len(steps), max_size=len(steps)))
        steps = [f'{{{TIGHT},"op":"transfer","tick":"ABC","amt":{amount}}}' for amount in amounts]
    for step in steps:
        outputs += [op_return(step), pay(draw(LABELS))]
    if draw(st.integers(0, 5)) == 0:
        del outputs[draw(st.integers(0, len(outputs) - 1))]
    if draw(st.integers(0, 5)) == 0:
        outputs.insert(draw(st.integers(0, len(outputs))), draw(returns()))
    return make_tx([spend(draw(LABELS))], outputs)


@st.composite
def stones(draw: st.DrawFn) -> Tx:
    """A runestone, with outputs around it."""
    outputs = draw(st.lists(LABELS.map(pay), max_size=3))
    runestone = st.sampled_from([b"\x6a\x5d\x14\x00", b"\x6a\x5d", b"\x6a\x5d\xff"])
    outputs.insert(draw(st.integers(0, len(outputs))), TxOut(0, draw(runestone)))
    return make_tx([spend(draw(LABELS))], outputs)


TRANSACTIONS = st.integers(0, 9).flatmap(lambda n: multi() if n < 3 else stones() if n == 3 else single())


def opening() -> list[Tx]:
    """Tokens with balances, so that what follows has something to move: CAP is at its cap, WRAP is a wrap ticker."""
    deploys = [
        '{"p":"brc-20","op":"deploy","tick":"ABC","m":"1000","l":"100"}',
        '{"p":"brc-20","op":"deploy","tick":"CAP","m":"100","l":"100"}',
        '{"p":"brc-20","op":"deploy","tick":"WRAP","m":"0","l":"0"}',
    ]
    mints = [('{"p":"brc-20","op":"mint","tick":"ABC","amt":"50"}', holder) for holder in HOLDERS]
    mints.append(('{"p":"brc-20","op":"mint","tick":"CAP","amt":"90"}', "alice"))
    return [
        make_tx([spend("alice")], [op_return(text), pay(recipient)])
        for text, recipient in [*((deploy, "alice") for deploy in deploys), *mints]
    ]


@st.composite
def chains(draw: st.DrawFn) -> Blocks:
    """Up to six blocks, the first of which deploys and mints; lock times tell equal transactions apart."""
    later = draw(st.lists(st.lists(TRANSACTIONS, max_size=8), max_size=5))
    return {
        FIRST + n: [replace(tx, locktime=100 * n + place) for place, tx in enumerate(txs)]
        for n, txs in enumerate([opening(), *later])
    }
