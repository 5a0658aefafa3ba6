"""All site cases."""

from __future__ import annotations

from tests.hostile import (
    cases_charset,
    cases_feed,
    cases_follow,
    cases_html,
    cases_json,
    cases_list,
    cases_network,
    cases_redirect,
    cases_status,
    cases_tls,
)
from tests.hostile.table import Case

CASES: tuple[Case, ...] = (
    *cases_network.CASES,
    *cases_redirect.CASES,
    *cases_status.CASES,
    *cases_list.CASES,
    *cases_charset.CASES,
    *cases_html.CASES,
    *cases_feed.CASES,
    *cases_json.CASES,
    *cases_tls.CASES,
    *cases_follow.CASES,
)
