#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a tiny language model for tests: a real GGUF file with random weights.

The file is a complete llama-architecture model (2 layers, 64 dimensions) with an SPM-style tokenizer
(byte fallback, so any text can be encoded) and a chat template. An engine loads it in milliseconds
and answers in English words that mean nothing, on purpose: its weights are drawn from a seeded
generator, so every run writes the same bytes.

Words win over letters and raw bytes by construction: dimension 0 of every embedding is the same
positive number, no layer ever writes to it, and the output rows of all other pieces are strongly
negative there.

Needs the packages of requirements-tiny-model.txt:

    pip install --require-hashes -r requirements-tiny-model.txt
    make_tiny_model.py tiny.gguf

sha256 of the file: c7c2037ba276081294dc60d5ba9c32d899f2f9da6beb937926e9cee064e71221
"""

import argparse
import hashlib
import sys

import gguf
import numpy as np

SEED = 7
DIMENSIONS = 64
HEADS = 4
LAYERS = 2
FEED_FORWARD = 128
CONTEXT = 512
EPSILON = 1e-5
# Dimension 0 of the residual stream, and what an unwanted piece has against it in its output row.
STEADY = 4.0
UNWANTED = -20.0

WORDS = """the a of and to in is that for it you was on are as with his they at be this have from or
one had by word but not what all were we when your can said there use an each which she do how their
if will up other about out many then them these so some her would make like him into time has look two
more write go see number no way could people my than first water been call who oil its now find long
down day did get come made may part""".split()
SENTENCE_MARKS = ".,?"
CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    " .,!?'\":;-()[]{}<>/\\|@#$%^&*+=_~`"
)
SPACE = "\u2581"  # how SPM spells a space

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def make_vocabulary():
    """Return (pieces, scores, types, wanted): wanted pieces are those that the model likes to say."""
    pieces, scores, types, wanted = [], [], [], []

    def add(piece, score, kind, is_wanted=False):
        pieces.append(piece)
        scores.append(float(score))
        types.append(kind)
        wanted.append(is_wanted)

    add("<unk>", 0, gguf.TokenType.UNKNOWN)
    add("<s>", 0, gguf.TokenType.CONTROL)
    add("</s>", 0, gguf.TokenType.CONTROL, is_wanted=True)
    for byte in range(256):
        add(f"<0x{byte:02X}>", 0, gguf.TokenType.BYTE)

    words = {SPACE + word for word in WORDS}
    # SPM joins neighbours one at a time, so every beginning of a word has to be a piece as well.
    beginnings = {word[:length] for word in words for length in range(2, len(word) + 1)}
    merges = sorted(beginnings, key=lambda piece: (-len(piece), piece))
    characters = [character.replace(" ", SPACE) for character in CHARACTERS]
    for rank, piece in enumerate(merges + characters):
        is_wanted = piece in words or piece in SENTENCE_MARKS
        add(piece, -rank, gguf.TokenType.NORMAL, is_wanted)
    return pieces, scores, types, wanted


def add_metadata(writer, vocabulary):
    pieces, scores, types, _ = vocabulary
    writer.add_name("las tiny nonsense")
    writer.add_description("random weights: it talks nonsense, on purpose")
    writer.add_license("apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(DIMENSIONS)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(DIMENSIONS // HEADS)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_unk_token_id(pieces.index("<unk>"))
    writer.add_bos_token_id(pieces.index("<s>"))
    writer.add_eos_token_id(pieces.index("</s>"))
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_tensors(writer, wanted):
    # RandomState, not default_rng: numpy keeps its stream the same for ever.
    random = np.random.RandomState(SEED)

    def matrix(rows, columns, spread=0.3):
        return (random.standard_normal((rows, columns)) * spread).astype(np.float32)

    def add(name, values):
        writer.add_tensor(name, values.astype(np.float16) if values.ndim == 2 else values)

    def reader_of_residual(rows):
        values = matrix(rows, DIMENSIONS)
        values[:, 0] = 0  # what is the same for every token says nothing
        return values

    def writer_to_residual(columns):
        values = matrix(DIMENSIONS, columns)
        values[0, :] = 0
        return values

    ones = np.ones(DIMENSIONS, dtype=np.float32)
    embedding = matrix(len(wanted), DIMENSIONS)
    embedding[:, 0] = STEADY
    output = matrix(len(wanted), DIMENSIONS)
    output[:, 0] = [0 if is_wanted else UNWANTED for is_wanted in wanted]

    add("token_embd.weight", embedding)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        add(block + "attn_norm.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v"):
            add(block + name + ".weight", reader_of_residual(DIMENSIONS))
        add(block + "attn_output.weight", writer_to_residual(DIMENSIONS))
        add(block + "ffn_norm.weight", ones)
        for name in ("ffn_gate", "ffn_up"):
            add(block + name + ".weight", reader_of_residual(FEED_FORWARD))
        add(block + "ffn_down.weight", writer_to_residual(FEED_FORWARD))
    add("output_norm.weight", ones)
    add("output.weight", output)


def write_model(path):
    vocabulary = make_vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    add_metadata(writer, vocabulary)
    add_tensors(writer, vocabulary[-1])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description="Write a tiny GGUF model with random weights.")
    parser.add_argument("path", help="the file to write")
    arguments = parser.parse_args()
    write_model(arguments.path)
    with open(arguments.path, "rb") as file:
        print(hashlib.sha256(file.read()).hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
