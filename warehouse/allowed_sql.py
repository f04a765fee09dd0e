"""Which statements strangers may run: judged by the parsed form, never by the text.

Whatever is not listed here is refused: a new version of the engine adds nothing by itself.
"""

from collections.abc import Iterator
from typing import Any, Final

import duckdb
import orjson

from warehouse.errors import UnusableQuery
from warehouse.tables import CURRENT, STATES, TABLES

PUBLIC: Final = frozenset({*TABLES, *(CURRENT + name for name in STATES)})
"""Names of `docs/tables.md`."""

LONGEST: Final = 20_000
"""Characters of a statement."""

NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
SOURCES: Final = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "PIVOT"})
MODIFIERS: Final = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"})
ORDERS: Final = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING", "ORDER_ASCENDING", "ORDER_DESCENDING"})
EXPRESSIONS: Final = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})

_FUNCTIONS: Final = """
    + - * / // % ** ^ & | << >> ~ || @ ! ^@ ~~ !~~ ~~* !~~* ~~~ <->
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even exp
    factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite isinf isnan lcm least
    least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power radians round round_even sign
    signbit sin sinh sqrt subtract tan tanh trunc xor
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null
    argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif
    covar_pop covar_samp entropy favg first fsum geomean geometric_mean group_concat histogram kahan_sum kurtosis
    kurtosis_pop last list listagg mad max max_by mean median min min_by mode product quantile quantile_cont
    quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop
    var_samp variance wavg weighted_avg
    cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number
    age century current_date date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day
    dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian
    last_day make_date make_time make_timestamp microsecond millennium millisecond minute month monthname nanosecond
    now quarter second strftime strptime time_bucket timezone to_centuries to_days to_decades to_hours to_microseconds
    to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today
    try_strptime week weekday weekofyear year yearweek
    ascii base64 bit_length char_length character_length chr concat concat_ws contains decode encode ends_with
    from_base64 from_hex hamming hash hex ilike_escape instr jaccard jaro_similarity jaro_winkler_similarity lcase left
    left_grapheme len length levenshtein like_escape lower ltrim md5 not_ilike_escape not_like_escape octet_length ord
    position prefix regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
    regexp_split_to_array replace reverse right rtrim sha1 sha256 split split_part starts_with str_split
    string_split string_to_array strip_accents strlen strpos substr substring suffix to_base64 to_hex translate trim
    ucase unhex unicode upper url_decode url_encode
    array_append array_contains array_distinct array_extract array_filter array_has array_has_all array_has_any
    array_length array_position array_slice array_sort array_to_string array_transform array_value cardinality
    element_at flatten list_append list_apply list_avg list_concat list_contains list_count list_distinct list_element
    list_extract list_filter list_first list_has list_has_all list_has_any list_intersect list_last list_max
    list_median list_min list_pack list_position list_prepend list_reduce list_reverse list_reverse_sort list_slice
    list_sort list_sum list_transform list_unique list_value list_zip map map_contains map_entries map_extract
    map_from_entries map_keys map_values row struct_extract struct_extract_at struct_insert struct_pack unnest
    -> ->> from_json json json_array json_array_length json_contains json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_keys json_object json_type json_valid json_value row_to_json
    to_json
    coalesce constant_or_null if ifnull nullif typeof try
"""
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""None of them reads a file, a setting or another statement. Those that grow a text at will (`repeat`, `lpad`,
`printf`) or name a function in a text (`list_aggregate`) are left out."""


def checked(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The one statement of `query`, if strangers may run it. Nothing is run. Raises UnusableQuery."""
    if len(query) > LONGEST:
        raise UnusableQuery(f"the statement has {len(query)} characters; {LONGEST} are allowed")
    if "\0" in query:
        raise UnusableQuery("the statement holds a null character")
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise UnusableQuery(str(error)) from error
    if len(statements) != 1:
        raise UnusableQuery(f"exactly one statement is answered, not {len(statements)}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise UnusableQuery(f"only SELECT is answered, not {statements[0].type.name}")
    ((text,),) = connection.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchall()
    parsed = orjson.loads(text)
    if parsed["error"]:
        raise UnusableQuery(parsed.get("error_message", "the statement cannot be examined"))
    for statement in parsed["statements"]:
        if statement["named_param_map"]:
            raise UnusableQuery("parameters are not taken: write the values into the statement")
        _check(statement["node"], frozenset())
    return statements[0]


def _check(part: Any, names: frozenset[str]) -> None:
    """Raises UnusableQuery for what is not allowed in `part`, where WITH has defined `names`."""
    if isinstance(part, list):
        for each in part:
            _check(each, names)
    elif isinstance(part, dict):
        if "cte_map" in part:
            names = _with(part, names)
        if "class" in part:
            _check_expression(part)
        elif "type" in part:
            _check_clause(part, names)
        for name, each in part.items():
            if name == "right" and "cte_name" in part:
                # Only the repeated part of a recursion reads what it defines.
                _check(each, names | {part["cte_name"].lower()})
            elif name not in ("cte_map", "literal") and not (name == "function" and "class" not in part):
                _check(each, names)


def _with(node: dict[str, Any], names: frozenset[str]) -> frozenset[str]:
    """`names` and those that WITH defines here. Each definition sees only the ones before it."""
    for entry in node["cte_map"]["map"]:
        _check(entry["value"], names)
        names |= {entry["key"].lower()}
    return names


def _check_expression(part: dict[str, Any]) -> None:
    if part["class"] not in EXPRESSIONS:
        raise UnusableQuery(f"{part['class'].lower()} is not allowed in an expression")
    if part["class"] in ("FUNCTION", "WINDOW"):
        _check_function(part, FUNCTIONS)


def _check_clause(part: dict[str, Any], names: frozenset[str]) -> None:
    kind = part["type"]
    if not isinstance(kind, str) or "id" in part:
        return
    if kind == "BASE_TABLE":
        _check_table(part, names)
    elif kind == "TABLE_FUNCTION":
        _check_function(part["function"], TABLE_FUNCTIONS)
        for argument in _arguments(part["function"]):
            _check(argument, names)
    elif kind not in NODES | SOURCES | MODIFIERS | ORDERS:
        raise UnusableQuery(f"{kind.lower()} is not allowed: only SELECT over the public tables is")


def _check_table(part: dict[str, Any], names: frozenset[str]) -> None:
    path = part["qualified_name"]["path"]
    known = len(path) == 1 and (path[0].lower() in names or path[0].lower() in PUBLIC)
    if not known or part.get("at_clause") is not None:
        raise UnusableQuery(f"there is no table {'.'.join(path)}: docs/tables.md lists those that can be asked")


def _check_function(part: dict[str, Any], allowed: frozenset[str]) -> None:
    path = part.get("qualified_name", {}).get("path", [part.get("function_name", "")])
    name = part.get("function_name", path[-1]).lower()
    if len(path) != 1 or part.get("schema") or part.get("catalog") or name not in allowed:
        raise UnusableQuery(f"the function {'.'.join(path)} is not allowed")


def _arguments(function: dict[str, Any]) -> Iterator[Any]:
    for name in ("arguments", "children", "filter", "order_bys"):
        yield function.get(name)
