"""A feed's document on its way into Amazon's store. What comes out of the store is read as a report's document is."""

import re
from typing import Final

import httpx

from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete

_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=30.0)
_CODE: Final = re.compile(rb"<Code>(\w{1,60})</Code>")


async def upload(http: httpx.AsyncClient, url: str, content: bytes, content_type: str) -> None:
    """Put a document where Amazon has made a place for it. The content type is part of the address's signature.

    Raises DocumentExpired, DocumentIncomplete.
    """
    try:
        # No token of ours: the address itself is the permission.
        answer = await http.put(
            url,
            content=content,
            headers={"content-type": content_type},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # `from None`: the exception keeps the request, and the request carries the presigned address.
        raise DocumentIncomplete(type(error).__name__) from None
    if answer.is_success:
        return
    code = _CODE.search(answer.content[:4096])
    said = f"{answer.status_code}{f' {code[1].decode()}' if code else ''}"
    if answer.status_code == 403:
        raise DocumentExpired(f"Amazon's store answered {said}")
    raise DocumentIncomplete(f"Amazon's store answered {said}")
