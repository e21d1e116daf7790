"""A person's mapping of a SKU, kept in M3 as alias: looked for first, so that it is written once."""

from activities.m3.client import M3Client
from activities.m3.errors import MIError, MIErrorKind
from activities.m3.programs import items as program


async def keep_alias(client: M3Client, sku: str, itno: str, *, alwt: str, alwq: str) -> str | None:
    """Make `sku` an alias of `itno`; another item's alias gives way, since a person said so.

    Returns the item it was an alias of before, empty where of none, and None where it was `itno`'s already; another
    partner's alias (E0PA) stays. Raises MIError where M3 refuses. The SKU must not be longer than an alias
    (`ALIAS_LENGTH`).
    """
    before = (await program.aliases(client, [sku], alwt=alwt, alwq=alwq)).get(sku, "")
    if before == itno:
        return None
    try:
        if before:
            await program.delete_alias(client, sku, before, alwt=alwt, alwq=alwq)
        await program.add_alias(client, sku, itno, alwt=alwt, alwq=alwq)
    except MIError as error:
        if error.kind is not MIErrorKind.ALREADY_EXISTS:
            raise
        if itno not in await program.items_behind(client, sku, alwt=alwt, alwq=alwq):
            raise
        return None
    return before
