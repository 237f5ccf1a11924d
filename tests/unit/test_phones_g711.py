"""G.711: bit for bit what ITU-T G.711's reference gives."""

import hashlib

import numpy as np
import pytest

from phones import g711

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_sample_and_code_is_what_python_3_12_s_audioop_made_of_it() -> None:
    assert _sha(g711.alaw_encode(EVERY_SAMPLE)) == "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b"
    assert _sha(g711.ulaw_encode(EVERY_SAMPLE)) == "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"
    alaw, ulaw = g711.alaw_decode(EVERY_CODE), g711.ulaw_decode(EVERY_CODE)
    assert _sha(alaw.astype("<i2").tobytes()) == "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174"
    assert _sha(ulaw.astype("<i2").tobytes()) == "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"


@pytest.mark.parametrize(
    ("encode", "decode"), [(g711.alaw_encode, g711.alaw_decode), (g711.ulaw_encode, g711.ulaw_decode)]
)
def test_a_decoded_sample_is_within_a_step_of_the_first(encode: object, decode: object) -> None:
    assert callable(encode)
    assert callable(decode)
    there = decode(encode(EVERY_SAMPLE)).astype(int)
    assert np.all(np.abs(there - EVERY_SAMPLE) <= np.maximum(16, np.abs(EVERY_SAMPLE.astype(int)) // 16 + 8))
