"""The parity probe catches what gives no error anywhere: blank pictures, another temperature, NaN, on one server of
many.
"""

import io
from dataclasses import replace

import pytest
from PIL import Image

from cogito_core.console import CogitoError
from cogito_core.engines.base import Result
from cogito_core.engines.transformers_engine import TransformersEngine
from cogito_core.sample import Picture
from cogito_train.parallel import World
from cogito_train.parity import check_parity, probe_chats
from cogito_train.policy import Policy
from cogito_train.stages import TrainingData

from .conftest import small_recipe


@pytest.fixture(scope="module")
def policy(data):
    return Policy(small_recipe(data), World.join())


@pytest.fixture(scope="module")
def chats(data, policy):
    return probe_chats(TrainingData.open(str(data)).train, policy.recipe.prompt, lambda chat: None)


class _Changed:
    """The live model as an engine, with its requests or its answers changed on the way."""

    def __init__(self, policy, ask=lambda request: request, answer=lambda answer: answer):
        self.engine = TransformersEngine(policy.scorer.model, policy.encoder, "live")
        self.name, self.ask, self.answer = "changed", ask, answer

    def generate(self, requests, on_done=None):
        for result in self.engine.generate([self.ask(request) for request in requests]):
            yield Result(result.id, tuple(map(self.answer, result.answers)), result.error)


def _blank(request):
    """The picture's pixels are lost on the way (prime-rl PR 2786): its size and its tokens stay."""
    pictures = []
    for picture in request.chat.images:
        size = Image.open(io.BytesIO(picture.bytes)).size
        buffer = io.BytesIO()
        Image.new("RGB", size, "white").save(buffer, format="PNG")
        pictures.append(Picture(buffer.getvalue()))
    return replace(request, chat=replace(request.chat, images=tuple(pictures)))


def _warmer(request):
    return replace(request, sampling=replace(request.sampling, temperature=1.3))


def _one_nan(answer):
    return replace(answer, logprobs=(float("nan"), *answer.logprobs[1:]))


def test_the_same_model_agrees(policy, chats):
    assert len(chats) == 4 and check_parity(policy, [_Changed(policy)], chats) < 1e-5


@pytest.mark.parametrize(
    "changed", [{"ask": _blank}, {"ask": _warmer}, {"answer": _one_nan}], ids=["pixels", "temperature", "nan"]
)
@pytest.mark.parametrize("place", [0, 1])
def test_what_gives_no_error_anywhere_stops_the_run(policy, chats, changed, place):
    policy.recipe = policy.recipe.model_copy(update={"max_engine_gap": 0.02})
    engines = [_Changed(policy), _Changed(policy)]
    engines[place] = _Changed(policy, **changed)
    with pytest.raises(CogitoError, match=r"the weights did not arrive.*limit 0\.02"):
        check_parity(policy, engines, chats)
