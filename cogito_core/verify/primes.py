"""Prime factors of integers, or the admission that they are not certain."""

from __future__ import annotations

import math
from functools import lru_cache

_TRIAL = 2_000


@lru_cache(maxsize=4096)
def factor_integer(value: int) -> tuple[tuple[int, int], ...] | None:
    """Prime powers of a positive integer, or None where trial division up to a bound leaves a doubtful rest."""
    if value.bit_length() > 4_000:
        return None
    found: list[tuple[int, int]] = []
    for prime in small_primes():
        if prime * prime > value:
            break
        count = 0
        while value % prime == 0:
            value //= prime
            count += 1
        if count:
            found.append((prime, count))
    if value > 1:
        if value >= _TRIAL * _TRIAL:
            root = math.isqrt(value)
            if root * root == value and root < _TRIAL * _TRIAL:
                found.append((root, 2))
                return tuple(found)
            if not _is_prime(value):
                return None
        found.append((value, 1))
    return tuple(found)


@lru_cache(maxsize=1)
def small_primes() -> tuple[int, ...]:
    """The primes below the bound of trial division."""
    sieve = bytearray([1]) * _TRIAL
    for number in range(2, math.isqrt(_TRIAL) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, _TRIAL, number)))
    return tuple(n for n in range(2, _TRIAL) if sieve[n])


def _is_prime(value: int) -> bool:
    """Miller-Rabin with the first 13 primes: a proof below 3.3e24 (Sorenson and Webster 2015); larger is refused."""
    if value >= 3_317_044_064_679_887_385_961_981:
        return False
    odd, twos = value - 1, 0
    while odd % 2 == 0:
        odd //= 2
        twos += 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41):
        x = pow(base, odd, value)
        if x in (1, value - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % value
            if x == value - 1:
                break
        else:
            return False
    return True
