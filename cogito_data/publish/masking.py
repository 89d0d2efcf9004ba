"""No token in anything that is shown, stored or raised."""

from __future__ import annotations

import logging
import re

_SECRETS = (
    (re.compile(r"\bhf_[A-Za-z0-9_]{8,}"), "hf_***"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s,;'\"]+"), r"\1***"),
    # Upload addresses are signed: whoever reads one may write there for an hour.
    (re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]+"), r"\1?***"),
    (re.compile(r"(https?://)[^\s/@'\"]+@"), r"\1***@"),
)


def masked(text: str) -> str:
    """`text` without Hub tokens, bearer tokens, query strings and credentials in addresses.

    >>> masked("PUT https://u:p@s3/x?X-Amz-Signature=1 with hf_abcdefgh12")
    'PUT https://***@s3/x?*** with hf_***'
    """
    token = _own_token()
    if token:
        text = text.replace(token, "hf_***")
    for pattern, stand_in in _SECRETS:
        text = pattern.sub(stand_in, text)
    return text


def _own_token() -> str | None:
    """The token in use, whatever it looks like: it is looked at here only to be taken out of texts."""
    from huggingface_hub import get_token

    return get_token()


class MaskingFilter(logging.Filter):
    """Masks what a library logs; `huggingface_hub` logs signed addresses when it retries."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(record.getMessage()), None
        return True


def mask_library_logs() -> None:
    """Put the filter before every handler of the Hub's client."""
    from huggingface_hub.utils import logging as hub_logging

    for handler in hub_logging.get_logger("huggingface_hub").handlers:
        if not any(isinstance(one, MaskingFilter) for one in handler.filters):
            handler.addFilter(MaskingFilter())
