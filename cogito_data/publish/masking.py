"""No token in anything that is shown, stored or raised: the common mask, and what only the Hub's client knows."""

from __future__ import annotations

import logging
import re

from cogito_core.masking import MASK, mask

# Upload addresses are signed: whoever reads the query of one may write there for an hour.
_QUERY = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]+")


def masked(text: str) -> str:
    """`text` without tokens, the one stored by `hf auth login` included, credentials and queries in addresses.

    >>> masked("PUT https://u:p@s3/x?X-Amz-Signature=1 with hf_abcdefgh12345678")
    'PUT https://***@s3/x?*** with ***'
    """
    token = _own_token()
    if token:
        text = text.replace(token, MASK)
    return mask(_QUERY.sub(rf"\g<1>?{MASK}", text))


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
