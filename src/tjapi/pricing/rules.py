"""Sharing a fixed price among lines. Money is integer fen. Pure."""

from collections.abc import Sequence


def allocate(total_fen: int, list_prices_fen: Sequence[int]) -> list[int]:
    """Share a fixed price among lines in proportion to their list prices; the shares are never negative and sum to the price.

    Each share is rounded half up; what rounding leaves over or takes too much goes to the dearest line (the first of them). Where the
    dearest cannot give enough, those that were rounded up give back one fen each, from the dearest on. Lines without a list price share
    only where no line has one: then equally.
    """
    if total_fen < 0 or any(price < 0 for price in list_prices_fen):
        raise ValueError("prices are not negative")
    if not list_prices_fen:
        if total_fen:
            raise ValueError("a price needs a line to carry it")
        return []
    weights = list(list_prices_fen) if any(list_prices_fen) else [1] * len(list_prices_fen)
    whole = sum(weights)
    shares = [(2 * total_fen * weight + whole) // (2 * whole) for weight in weights]
    by_price = sorted(range(len(weights)), key=lambda i: -weights[i])
    dearest = by_price[0]
    over = sum(shares) - total_fen
    given = min(over, shares[dearest])
    shares[dearest] -= given
    over -= given
    for i in by_price[1:]:
        if over == 0:
            break
        if shares[i] * whole > total_fen * weights[i]:
            shares[i] -= 1
            over -= 1
    return shares
