"""The embedded engine against transformers' own generate and forward, and against itself in other batches."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from cogito_core.console import CogitoError  # noqa: E402
from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of  # noqa: E402
from cogito_core.engines.transformers_engine import (  # noqa: E402
    TransformersEngine,
    load_model,
    sampling_logprobs,
)
from cogito_core.sample import Picture  # noqa: E402

from .conftest import draw_picture  # noqa: E402


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return TransformersEngine.load(str(tiny_folder), device="cpu")


def answers_of(engine, requests):
    results = list(engine.generate(requests))
    assert sorted(r.id for r in results) == sorted(r.id for r in requests)
    assert all(r.error is None for r in results)
    return {r.id: r.answers for r in results}


def test_greedy_equals_transformers_generate(engine, make_requests):
    requests = make_requests(8, samples=1, sampling=Sampling(temperature=0, max_tokens=16))
    ours = answers_of(engine, requests)
    for request in requests:
        inputs = engine._inputs([engine.encoder.encode(request.chat)])
        out = engine.model.generate(**inputs, do_sample=False, max_new_tokens=16, suppress_tokens=list(engine.banned))
        expected = out[0, inputs["input_ids"].shape[1] :].tolist()
        assert list(ours[request.id][0].token_ids) == expected
        assert ours[request.id][0].n_prompt_tokens == inputs["input_ids"].shape[1]


def test_logprobs_equal_one_forward_over_prompt_and_answer(engine, make_requests):
    requests = make_requests(6, samples=3, sampling=Sampling(temperature=0.7, max_tokens=12, logprobs=True))
    ours = answers_of(engine, requests)
    for request in requests:
        encoded = engine.encoder.encode(request.chat)
        for answer in ours[request.id]:
            full = replace(encoded, input_ids=encoded.input_ids + list(answer.token_ids))
            engine.model.model.rope_deltas = None
            logits = engine.model(**engine._inputs([full])).logits[0, len(encoded.input_ids) - 1 : -1]
            expected = sampling_logprobs(logits, 0.7, engine.banned)
            chosen = expected.gather(-1, torch.tensor(answer.token_ids)[:, None])[:, 0]
            assert torch.allclose(torch.tensor(answer.logprobs), chosen, atol=2e-5)


def test_answers_do_not_depend_on_batch_or_order(engine, tiny_folder, make_requests):
    requests = make_requests(14, samples=5)
    expected = answers_of(engine, requests)
    shuffled = random.Random(0).sample(requests, len(requests))
    small = TransformersEngine.load(str(tiny_folder), device="cpu")
    small.max_rows = 3  # below the samples of one prompt: its answers are split over several prefills
    for other in (answers_of(engine, shuffled), answers_of(small, shuffled), answers_of(engine, requests[3:4])):
        for name, answers in other.items():
            assert [a.token_ids for a in answers] == [a.token_ids for a in expected[name]]
            assert [a.seed for a in answers] == [a.seed for a in expected[name]]
            for ours, theirs in zip(answers, expected[name], strict=True):
                assert ours.logprobs == pytest.approx(theirs.logprobs, abs=2e-5)
    one_seed = replace(requests[2], seeds=requests[2].seeds[3:4])
    assert answers_of(engine, [one_seed])["q2"][0].token_ids == expected["q2"][3].token_ids


def test_stops_at_end_token_and_at_the_limit(engine, make_requests):
    answers = [a for row in answers_of(engine, make_requests(30, samples=8)).values() for a in row]
    stop = engine.encoder.tokenizer.eos_token_id
    finishes = Counter(a.finish for a in answers)
    assert finishes["stop"] > 5 and finishes["length"] > 5
    for answer in answers:
        assert answer.n_tokens == len(answer.token_ids) == len(answer.logprobs)
        assert (answer.finish == "stop") == (answer.token_ids[-1] == stop)
        assert stop not in answer.token_ids[:-1]
        assert answer.finish == "stop" or answer.n_tokens == 12
        assert "<|" not in answer.text


def test_vision_tokens_are_never_drawn(engine, make_requests):
    assert len(engine.banned) == 5
    answers = answers_of(engine, make_requests(20, samples=16))
    drawn = {token for row in answers.values() for answer in row for token in answer.token_ids}
    assert not drawn & set(engine.banned) and len(drawn) > 50


def test_first_token_frequencies_follow_the_distribution(engine):
    """Chi-square over 20,000 draws: relative errors of 8% in the probabilities are found with power 0.99."""
    chat = Chat((Message("user", "<image>?"),), (draw_picture(1),))
    n = 20_000
    seeds = tuple(seed_of("frequency", i) for i in range(n))
    request = Request("q", chat, seeds, Sampling(temperature=0.5, max_tokens=1))
    tokens = Counter(a.token_ids[0] for a in answers_of(engine, [request])["q"])
    logits = engine.model(**engine._inputs([engine.encoder.encode(chat)])).logits[0, -1].detach()
    probabilities = sampling_logprobs(logits, 0.5, engine.banned).exp().double()
    common = [i for i in range(len(probabilities)) if probabilities[i] * n >= 5]
    rest = n - sum(tokens[i] for i in common)
    expected_rest = n * (1 - sum(float(probabilities[i]) for i in common))
    chi2 = sum((tokens[i] - n * float(probabilities[i])) ** 2 / (n * float(probabilities[i])) for i in common)
    chi2 += (rest - expected_rest) ** 2 / max(expected_rest, 1)
    degrees = len(common)
    assert abs(chi2 - degrees) < 4.5 * (2 * degrees) ** 0.5


def test_top_p_draws_from_the_nucleus_only(engine):
    chat = Chat((Message("user", "<image>?"),), (draw_picture(2),))
    seeds = tuple(range(400))
    request = Request("q", chat, seeds, Sampling(temperature=1, top_p=0.3, max_tokens=1, logprobs=True))
    answers = answers_of(engine, [request])["q"]
    logits = engine.model(**engine._inputs([engine.encoder.encode(chat)])).logits[0, -1].detach()
    probabilities = sampling_logprobs(logits, 1.0, engine.banned).exp()
    order = probabilities.argsort(descending=True)
    size = int((probabilities[order].cumsum(0) < 0.3).sum()) + 1
    nucleus = order[:size].tolist()
    assert {a.token_ids[0] for a in answers} == set(nucleus)
    mass = float(probabilities[nucleus].sum())
    for answer in answers[:20]:
        expected = float(torch.log(probabilities[answer.token_ids[0]] / mass))
        assert answer.logprobs[0] == pytest.approx(expected, abs=1e-4)


def test_a_request_that_cannot_be_asked_says_why_and_the_others_go_on(engine, make_requests):
    good = make_requests(2)
    sampling = Sampling(max_tokens=4)
    bad = {
        "truncated": Chat((Message("user", "x"),), (Picture(draw_picture(3).bytes[:200], "a.png"),)),
        "marks": Chat((Message("user", "<image><image>"),), (draw_picture(3),)),
        "reserved": Chat((Message("user", "say <|image_pad|>"),), (draw_picture(3),)),
        "long": Chat((Message("user", "x" * 5000),)),
        "narrow": Chat((Message("user", "x"),), (draw_picture(3, 6000, 10),)),
    }
    requests = [good[0], *(Request(name, chat, (1,), sampling) for name, chat in bad.items()), good[1]]
    seen = []
    results = {r.id: r for r in engine.generate(requests, on_done=seen.append)}
    assert len(seen) == len(requests) == len(results)
    assert results["q0"].error is None and len(results["q1"].answers) == 4
    assert "a.png" in results["truncated"].error and "decoded" in results["truncated"].error
    assert "marks 2 pictures but carries 1" in results["marks"].error
    assert "<|image_pad|>" in results["reserved"].error
    assert "2048" in results["long"].error
    assert "narrow" in results["narrow"].error


def test_the_context_cuts_an_answer_short(engine):
    chat = Chat((Message("user", "x" * 2020),))
    prompt = len(engine.encoder.encode(chat).input_ids)
    for seed in range(8):
        answer = answers_of(engine, [Request("q", chat, (seed,), Sampling(max_tokens=50))])["q"][0]
        if answer.finish == "length":
            assert answer.n_prompt_tokens == prompt and prompt + answer.n_tokens == 2048
            return
    pytest.fail("no answer reached the end of the context in 8 tries")


def test_a_live_model_answers_with_its_current_weights(tiny_folder, make_requests):
    model, tokenizer, image_processor = load_model(tiny_folder, dtype="float32")
    live = TransformersEngine.from_model(model, tokenizer, image_processor)
    model.train()
    requests = make_requests(3)
    before = answers_of(live, requests)
    assert model.training
    with torch.no_grad():
        model.lm_head.weight.mul_(-1)
    after = answers_of(live, requests)
    assert [a.token_ids for a in before["q0"]] != [a.token_ids for a in after["q0"]]
    model(**live._inputs([live.encoder.encode(requests[0].chat)])).logits.sum().backward()
    assert model.lm_head.weight.grad is not None


def test_missing_weights_are_refused(tiny_folder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_folder, tmp_path / "broken")
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.norm.weight" if "model.norm.weight" in tensors else sorted(tensors)[0]]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CogitoError, match="lack 1 tensors"):
        TransformersEngine.load(str(folder))


@pytest.mark.parametrize("masked", [True, False])
def test_grouped_attention_equals_sdpa_with_gradients(tiny_folder, masked):
    from cogito_core.engines.attention import grouped_attention

    model, _, _ = load_model(tiny_folder, dtype="float32")
    ids = torch.randint(20, 100, (3, 11), generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1] * 11, [0] * 4 + [1] * 7, [0] + [1] * 10]) if masked else None

    def run():
        model.zero_grad()
        logits = model(input_ids=ids, attention_mask=mask).logits[:, 4:]
        logits.square().sum().backward()
        return logits.detach(), model.model.language_model.layers[0].self_attn.k_proj.weight.grad.clone()

    expected = run()
    with grouped_attention(model):
        assert model.config.get_text_config()._attn_implementation != "sdpa"
        found = run()
    assert model.config.get_text_config()._attn_implementation == "sdpa"
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))
