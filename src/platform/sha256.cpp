// SPDX-License-Identifier: Apache-2.0
// FIPS 180-4, with its names of the rounds' variables.
#include "sha256.hpp"

#include <bit>
#include <cstdint>
#include <string>

namespace las::platform {

namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kWord = sizeof(std::uint32_t);

using State = std::array<std::uint32_t, 8>;

// The first bits of the fractions of the square roots of the first primes ...
constexpr State kBegin = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// ... and of their cube roots.
constexpr std::array<std::uint32_t, 64> kRounds = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Big-endian.
std::uint32_t word_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < kWord; ++i)
    word = word << 8U | static_cast<unsigned char>(bytes[offset + i]);
  return word;
}

void take_block(State& state, std::string_view block) {
  std::array<std::uint32_t, kRounds.size()> w{};
  for (std::size_t t = 0; t < kBlock / kWord; ++t)
    w[t] = word_at(block, t * kWord);
  for (std::size_t t = kBlock / kWord; t < w.size(); ++t) {
    const std::uint32_t x = w[t - 15], y = w[t - 2];
    w[t] = w[t - 16] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3U) + w[t - 7] +
           (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10U);
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t t = 0; t < w.size(); ++t) {
    const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                             ((e & f) ^ (~e & g)) + kRounds[t] + w[t];
    const std::uint32_t t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const State added = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i)
    state[i] += added[i];
}

// What follows the last whole block, a one bit, zeros, and the length in bits.
std::string last_blocks(std::string_view text) {
  constexpr std::size_t kLength = sizeof(std::uint64_t);
  std::string blocks(text.substr(text.size() / kBlock * kBlock));
  blocks += '\x80';
  while ((blocks.size() + kLength) % kBlock != 0)
    blocks += '\0';
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (std::size_t i = 1; i <= kLength; ++i)
    blocks += static_cast<char>(bits >> 8 * (kLength - i) & 0xffU);
  return blocks;
}

}  // namespace

std::array<unsigned char, kSha256Size> sha256_of(std::string_view text) {
  State state = kBegin;
  const auto take_blocks = [&](std::string_view bytes) {
    for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock))
      take_block(state, bytes.substr(0, kBlock));
  };
  take_blocks(text);
  take_blocks(last_blocks(text));
  std::array<unsigned char, kSha256Size> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<unsigned char>(state[i / kWord] >> 8 * (kWord - 1 - i % kWord));
  return digest;
}

}  // namespace las::platform
