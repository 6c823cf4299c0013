// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: mutates its seeds until the time is over. Equal seeds make
// equal inputs in equal order, whatever the machine.
#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string_view>

namespace {

/// splitmix64 (public domain, Vigna): the standard's distributions differ between libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(next() % limit);
  }

 private:
  std::uint64_t state_;
};

constexpr std::size_t kLargest = 1U << 16;

// What parsers stumble over: ends of ranges, signs, separators, broken UTF-8, deep nesting.
constexpr std::array<std::string_view, 24> kTokens = {std::string_view("\0", 1),
                                                      "\n",
                                                      ":",
                                                      " - ",
                                                      "/",
                                                      "..",
                                                      "=",
                                                      ",",
                                                      "-1",
                                                      "0x",
                                                      "0",
                                                      "18446744073709551615",
                                                      "18446744073709551616",
                                                      "9223372036854775808",
                                                      "4294967296",
                                                      "1e999",
                                                      "\xff\xfe",
                                                      "\xc3",
                                                      "\xed\xa0\x80",
                                                      "[[[[[[[[",
                                                      "{\"value\":",
                                                      "null",
                                                      "\\040",
                                                      "\""};

void mutate(std::string& input, const std::vector<std::string>& seeds, Random& random) {
  const std::size_t at = random.below(input.size() + 1);
  const std::size_t length = random.below(std::min<std::size_t>(input.size() - at, 64) + 1);
  switch (random.below(8)) {
    case 0:
      if (at < input.size())
        input[at] = static_cast<char>(input[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < input.size())
        input[at] = static_cast<char>(random.next());
      break;
    case 2:
      input.erase(at, length);
      break;
    case 3:
      input.insert(at, input.substr(at, length));
      break;
    case 4:
      input.insert(at, kTokens[random.below(kTokens.size())]);
      break;
    case 5:
      input.replace(at, length, kTokens[random.below(kTokens.size())]);
      break;
    case 6:
      input.resize(at);
      break;
    default: {  // a piece of another seed
      const std::string& other = seeds[random.below(seeds.size())];
      const std::size_t from = random.below(other.size() + 1);
      input.insert(at, other.substr(from, random.below(256)));
    }
  }
  input.resize(std::min(input.size(), kLargest));
}

std::string make_input(std::uint64_t seed,
                       std::uint64_t number,
                       const std::vector<std::string>& seeds) {
  Random random(seed ^ (number * 0xd1342543de82ef95ULL));
  std::string input = seeds[random.below(seeds.size())];
  for (std::size_t left = 1 + random.below(8); left > 0; --left)
    mutate(input, seeds, random);
  return input;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::uint64_t current_seed = 0, current_number = 0;
std::string current_input;

void tell_where() {
  std::fprintf(stderr,
               "found by --seed %llu at input %llu; the input is in fuzz-finding.bin\n",
               static_cast<unsigned long long>(current_seed),
               static_cast<unsigned long long>(current_number));
  std::ofstream("fuzz-finding.bin", std::ios::binary) << current_input;
}

}  // namespace

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

int main(int argc, char** argv) {
  double seconds = 10;
  current_seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::strtod(argv[++i], nullptr);
    } else if (argument == "--seed" && i + 1 < argc) {
      current_seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument.starts_with("-")) {
      std::fprintf(stderr, "usage: %s [--seconds N] [--seed N] | FILE...\n", argv[0]);
      return 2;
    } else {
      std::ifstream file(argv[i], std::ios::binary);
      run({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
      seconds = 0;
    }
  }
  if (seconds <= 0)
    return 0;

  const std::vector<std::string> seeds = fuzz_seeds();
  if (seeds.empty()) {
    std::fputs("there are no seeds\n", stderr);
    return 1;
  }
  if (__sanitizer_set_death_callback != nullptr)
    __sanitizer_set_death_callback(tell_where);
  std::printf(
      "%zu seeds, --seed %llu\n", seeds.size(), static_cast<unsigned long long>(current_seed));
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  try {
    for (const std::string& seed : seeds)
      run(current_input = seed);
    for (; std::chrono::steady_clock::now() < end; ++current_number)
      run(current_input = make_input(current_seed, current_number, seeds));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    tell_where();
    return 1;
  }
  std::printf("%llu inputs, no finding\n", static_cast<unsigned long long>(current_number));
  return 0;
}
